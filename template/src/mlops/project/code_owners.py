"""Whoever answers for a file by problem.yaml is asked for review by CODEOWNERS."""

from pathlib import Path

from ..core.errors import UserError
from ..core.problem import Problem
from ..gates.yaml_location import Entry

CODEOWNERS = Path(".github/CODEOWNERS")
# The file that stands for what the role answers for.
REVIEWED = {
    "/problem.yaml": "business_owner",
    "/contract.yaml": "data_engineer",
    "/params.yaml": "data_scientist",
    "/dvc.yaml": "ml_engineer",
    "/.github/": "devops_engineer",
}


def check_code_owners() -> list[str]:
    """Compare CODEOWNERS with problem.yaml; returns the line to print.

    Raises UserError naming the first path whose owner is not asked.
    """
    reviewers = {}
    for number, line in enumerate(CODEOWNERS.read_text(encoding="utf-8").splitlines(), 1):
        if words := line.partition("#")[0].split():
            reviewers[words[0]] = number, words[1:]  # the last line that names a path counts
    owners = Problem.read().owners
    for path, role in REVIEWED.items():
        owner = getattr(owners, role)
        if not owner:
            continue
        if path not in reviewers:
            raise UserError(f"{CODEOWNERS} says nothing of {path}: add the line '{path} {owner}'.")
        number, names = reviewers[path]
        if owner not in names:
            raise UserError(
                f"{CODEOWNERS}:{number}: {path} is reviewed by {' '.join(names) or 'nobody'}, but "
                f"{Entry('problem.yaml', f'owners.{role}')} is {owner}: write the same in both."
            )
    return [f"problem.yaml and {CODEOWNERS} name the same owners"]
