"""What problem.yaml, CODEOWNERS and params.yaml say."""

from collections.abc import Iterator
from typing import Any

import yaml

from ..patterns import matches
from ..repository_view import Loader, RepositoryView, table

PROBLEM = "problem.yaml"
PARAMS = "params.yaml"
CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
SAID = ("decision", "kpi", "baseline.description", "value.unit")
OUTCOMES = ("true_positive", "correct", "per_unit_of_error")
OWNED = {
    "business_owner": PROBLEM,
    "data_engineer": "contract.yaml",
    "data_scientist": PARAMS,
    "ml_engineer": "dvc.yaml",
    "devops_engineer": ".github/CODEOWNERS",
}
CodeOwners = tuple[int, str, list[str]]  # line, pattern, owners


class Incomplete:
    """The problem statement says all that a release needs."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView, problem: dict[str, Any]) -> str | None:
        if not problem:
            return None  # missing, or unreadable: other rules say so
        missing = [name for name in SAID if not str(within(problem, name) or "").strip()]
        if not any(within(problem, f"value.{outcome}") is not None for outcome in OUTCOMES):
            missing.append("value of the outcomes")
        return lines(
            f"{at(repository, PROBLEM, name)}: {name} is not said, and no model is released "
            "without: the business owner fills it in."
            for name in missing
        )


class OwnersMissing:
    """Each stage has an owner."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView, problem: dict[str, Any]) -> str | None:
        if not problem:
            return None
        return lines(
            f"{at(repository, PROBLEM, f'owners.{role}')}: owners.{role} names nobody: "
            "write a team, a person or an e-mail address, for example: @acme/data."
            for role in OWNED
            if "@" not in owner(problem, role)
        )


class OwnersDisagree:
    """CODEOWNERS asks the owners that problem.yaml names."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView, problem: dict[str, Any]) -> str | None:
        path = next((path for path in CODEOWNERS if path in repository.tree.files), None)
        if not problem:
            return None
        if path is None:
            return (
                f"{PROBLEM}: names owners, but there is no CODEOWNERS that asks them: restore it."
            )
        rules = list(code_owners(repository.tree.read(path).decode(errors="replace")))
        return lines(disagreements(rules, path, problem))


def disagreements(rules: list[CodeOwners], path: str, problem: dict[str, Any]) -> Iterator[str]:
    for role, file in OWNED.items():
        named = owner(problem, role)
        if "@" not in named:
            continue
        matching = [rule for rule in rules if matches((rule[1],), file)]
        line, _, asked = matching[-1] if matching else (1, "", [])
        if named.lower() not in map(str.lower, asked):
            yield (
                f"{path}:{line}: {file} is asked of {' '.join(asked) or 'nobody'}, but {PROBLEM} "
                f"names {named} as {role}: let both say the same."
            )


class GatesWeakened:
    """No gate or budget is weaker than the floors of the policy."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView, params: dict[str, Any]) -> str:
        return lines(
            f"{at(repository, PARAMS, name)}: {name} is {text(value)}, and the policy asks for "
            f"{floor}: set it so, or ask for a waiver."
            for name, floor in repository.policy.floors.items()
            if not keeps(value := setting(repository, params, name), floor)
        )


UNSAID = object()


def setting(repository: RepositoryView, params: dict[str, Any], name: str) -> Any:
    """What the file says, or else what came with the template; UNSAID if neither does."""
    found = within(params, name, UNSAID)
    if found is UNSAID:
        found = within(table(repository.rendered(PARAMS) or b""), name, UNSAID)
    return found


def keeps(value: Any, floor: str) -> bool:
    """Whether a setting is within its bound. Nothing that is switched off or no number is."""
    if value is UNSAID:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    sign, number = floor.split(" ", 1)
    return value <= float(number) if sign == "<=" else value >= float(number)


def text(value: Any) -> str:
    return "null, so nothing blocks" if value is None else repr(value)


def owner(problem: dict[str, Any], role: str) -> str:
    return str(within(problem, f"owners.{role}") or "").strip()


def code_owners(content: str) -> Iterator[CodeOwners]:
    """Line, pattern and owners of each rule; the last that matches a file counts."""
    for number, line in enumerate(content.splitlines(), start=1):
        words = line.split("#")[0].split()
        if words:
            yield number, words[0], words[1:]


def within(settings: Any, name: str, default: Any = None) -> Any:
    """A setting by its dotted name."""
    for part in name.split("."):
        if not isinstance(settings, dict) or part not in settings:
            return default
        settings = settings[part]
    return settings


def at(repository: RepositoryView, path: str, name: str) -> str:
    """PATH:LINE of a setting, or of the nearest thing around it."""
    node = yaml.compose(repository.tree.read(path), Loader)
    line = 1
    for part in name.split("."):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = next((pair for pair in pairs if pair[0].value == part), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return f"{path}:{line}"


def lines(messages: Iterator[str]) -> str:
    return "\n".join(messages)
