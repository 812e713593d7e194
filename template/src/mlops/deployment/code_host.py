"""What the repository on GitHub needs before it delivers by itself, asked of GitHub by `gh`."""

import json
import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..core.dvc_remote import read_remote_url
from ..core.errors import UserError
from ..core.github_command import MissingError, run_gh
from ..core.problem import Problem
from ..core.repository_place import find_place
from .access import RELEASE, Need, list_needs
from .approval import is_same, list_reviewers
from .signing import SIGNERS

ENVIRONMENTS = (RELEASE, "staging", "production")
MONITORING = "monitoring"
BOT = "BOT_TOKEN"  # the name of a secret


class Step(NamedTuple):
    """What is needed, how it is made, and whether it is there; None: nobody could be asked."""

    what: str
    how: str
    done: bool | None

    def __str__(self) -> str:
        if self.done:
            return f"done     {self.what}"
        return f"{'missing' if self.done is False else 'needed':8} {self.what}: {self.how}"


class Repository:
    """A repository on GitHub, by what `gh` tells of it; without `gh` nothing is known of it."""

    def __init__(self) -> None:
        """Raises UserError with `gh`'s words if that cannot tell which repository this is."""
        self.known = shutil.which("gh") is not None
        self.name = self._find_name() if self.known else ""

    def _find_name(self) -> str:
        try:
            return run_gh("repo", "view", "--json", "nameWithOwner", "--jq", ".nameWithOwner")
        except UserError as error:
            raise UserError(
                f"{error}. Log in with 'gh auth login', push the repository to GitHub, and run "
                "this again."
            ) from error

    def get(self, path: str) -> Any:
        """Return what the API answers for a path of the repository; None for what is not there."""
        try:
            return json.loads(run_gh("api", "--paginate", f"repos/{self.name}/{path}".rstrip("/")))
        except MissingError:
            return None

    def has(self, path: str) -> bool | None:
        return self.get(path) is not None if self.known else None


def check_repository() -> tuple[list[str], bool]:
    """List all steps in the order in which to take them, a line each; and whether all are done."""
    repository = Repository()
    steps = list(list_steps(repository))
    if not repository.known:
        head = (
            "gh (https://cli.github.com) is not installed: only files were checked; what it needs:"
        )
    elif missing := sum(not step.done for step in steps):
        head = (
            f"{repository.name} lacks {missing} of {len(steps)} things; set them up in this order:"
        )
    else:
        head = f"{repository.name} has all that it needs"
    lines = [head, *map(str, steps)]
    return lines, all(step.done for step in steps)


def list_steps(repository: Repository) -> Iterator[Step]:
    """List what is needed, from what is in git to the switch that turns delivery on."""
    yield Step(
        "a data store that other machines reach",
        "uv run dvc remote modify storage url s3://BUCKET/FOLDER (or gs://, azure://, ssh://), "
        "then uv run dvc push",
        "://" in read_remote_url(),
    )
    yield Step(
        f"a key in {SIGNERS}",
        "make it as deploy/README.md describes, and commit its line",
        names_signer(),
    )
    for environment in ENVIRONMENTS:
        yield from list_environment_steps(repository, environment, list_needs(environment))
    yield require_approver(repository)
    yield from list_environment_steps(repository, MONITORING, [])
    yield require_pull_requests(repository)
    for switch, what in (("MONITORING", "daily monitoring"), ("CD", "continuous delivery")):
        name = find_place().name_variable(switch)
        yield Step(
            f"the variable {name}, which turns {what} on",
            f"gh variable set {name} --body on (or off, if you do not want it)",
            repository.has(f"actions/variables/{name}"),
        )


def names_signer() -> bool:
    """Tell whether somebody's key may sign a release."""
    lines = SIGNERS.read_text(encoding="utf-8").splitlines() if SIGNERS.exists() else []
    return any(line.strip() and not line.startswith("#") for line in lines)


def list_environment_steps(repository: Repository, name: str, needs: list[Need]) -> Iterator[Step]:
    """List the environment itself, and each secret and variable in it."""
    name = find_place().name_environment(name)
    there = repository.has(f"environments/{name}")
    yield Step(
        f"the environment {name}",
        f"gh api --method PUT repos/{repository.name or 'OWNER/REPOSITORY'}/environments/{name}",
        there,
    )
    for need in needs:
        yield Step(
            f"the {need.kind} {need.name} of {name} ({need.meaning})",
            f"gh {need.kind} set {need.name} --env {name}",
            there and repository.has(f"environments/{name}/{need.kind}s/{need.name}"),
        )


def require_approver(repository: Repository) -> Step:
    """Ask for the business owner as approver, unless it was decided that nobody has to approve."""
    owner, place = Problem.read().owners.business_owner, find_place()
    production, switch = place.name_environment("production"), place.name_variable("CD")
    return Step(
        f"{owner or 'the business owner'} as a required reviewer of {production}",
        "name them in its settings; where your plan of GitHub has no reviewers, let them start "
        f"each delivery (gh variable set {switch} --body manual), or say that nobody is asked (gh "
        f"variable set UNATTENDED --env {production} --body true)",
        has_approver(repository, owner) if repository.known else None,
    )


def has_approver(repository: Repository, owner: str) -> bool:
    """Tell whether the owner is asked, starts each delivery, or is not asked on purpose."""
    place = find_place()
    name = place.name_environment("production")
    production = repository.get(f"environments/{name}")
    asked = list_reviewers(production, repository.name) if production else []
    switch = repository.get(f"actions/variables/{place.name_variable('CD')}") or {}
    unattended = repository.get(f"environments/{name}/variables/UNATTENDED") or {}
    return (
        any(is_same(owner, name) for name in asked)
        or switch.get("value") == "manual"
        or unattended.get("value") == "true"
    )


def require_pull_requests(repository: Repository) -> Step:
    """Ask for what workflows need that open a pull request."""
    return Step(
        "permission for workflows to open pull requests",
        "turn on 'Allow GitHub Actions to create and approve pull requests' in Settings, Actions, "
        f"General, or set the secret {BOT} in the environments "
        f"{' and '.join(map(find_place().name_environment, ('bot', MONITORING)))}",
        may_propose(repository) if repository.known else None,
    )


def may_propose(repository: Repository) -> bool:
    """Tell whether they may, by the setting of the repository or by a token of a bot."""
    workflows = repository.get("actions/permissions/workflow") or {}
    if workflows.get("can_approve_pull_request_reviews"):
        return True
    bot = find_place().name_environment("bot")
    return repository.get(f"environments/{bot}/secrets/{BOT}") is not None
