"""What problem.yaml, CODEOWNERS and params.yaml say."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from ..patterns import matches
from ..repository_view import RepositoryView, parse_table
from ..safe_yaml import parse_yaml_nodes

PROBLEM = "problem.yaml"
PARAMS = "params.yaml"
CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
REQUIRED = ("decision", "kpi", "baseline.description", "value.unit")
OUTCOMES = ("true_positive", "correct", "per_unit_of_error")
OWNED = {
    "business_owner": PROBLEM,
    "data_engineer": "contract.yaml",
    "data_scientist": PARAMS,
    "ml_engineer": "dvc.yaml",
    "devops_engineer": ".github/CODEOWNERS",
}


class CodeOwners(NamedTuple):
    """A line of CODEOWNERS: who is asked about files of a pattern."""

    line: int
    pattern: str
    owners: list[str]


class Incomplete:
    """The problem statement says all that a release needs."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView, problem: dict[str, Any]) -> str | None:
        if not problem:
            return None  # missing, or unreadable: other rules say so
        missing = [name for name in REQUIRED if not str(get_setting(problem, name) or "").strip()]
        if not any(get_setting(problem, f"value.{outcome}") is not None for outcome in OUTCOMES):
            missing.append("value of the outcomes")
        return join_lines(
            f"{locate(repository, PROBLEM, name)}: {name} is not said, and no model is released "
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
        return join_lines(
            f"{locate(repository, PROBLEM, f'owners.{role}')}: owners.{role} names nobody: "
            "write a team, a person or an e-mail address, for example: @acme/data."
            for role in OWNED
            if "@" not in read_owner(problem, role)
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
        rules = list(parse_code_owners(repository.tree.read(path).decode(errors="replace")))
        return join_lines(find_disagreements(rules, path, problem))


def find_disagreements(
    rules: list[CodeOwners], path: str, problem: dict[str, Any]
) -> Iterator[str]:
    """Say where CODEOWNERS asks somebody else than problem.yaml names."""
    for role, file in OWNED.items():
        named = read_owner(problem, role)
        if "@" not in named:
            continue
        matching = [rule for rule in rules if matches((rule.pattern,), file)]
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
        return join_lines(
            f"{locate(repository, PARAMS, name)}: {name} is {format_value(value)}, and the policy "
            f"asks for {floor}: set it so, or ask for a waiver."
            for name, floor in repository.policy.floors.items()
            if not is_within(value := read_setting(repository, params, name), floor)
        )


UNSET = object()


def read_setting(repository: RepositoryView, params: dict[str, Any], name: str) -> Any:
    """Read a setting of the file, else of what came with the template; UNSET: neither has it."""
    value = get_setting(params, name, UNSET)
    if value is UNSET:
        value = get_setting(parse_table(repository.rendered(PARAMS) or b""), name, UNSET)
    return value


def is_within(value: Any, floor: str) -> bool:
    """Tell whether a setting is within its bound. What is switched off or no number is not."""
    if value is UNSET:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    sign, number = floor.split(" ", 1)
    return value <= float(number) if sign == "<=" else value >= float(number)


def format_value(value: Any) -> str:
    """Write a value as people read it."""
    return "null, so nothing blocks" if value is None else repr(value)


def read_owner(problem: dict[str, Any], role: str) -> str:
    """Read who has a role; "": nobody."""
    return str(get_setting(problem, f"owners.{role}") or "").strip()


def parse_code_owners(content: str) -> Iterator[CodeOwners]:
    """Parse each rule; the last that matches a file counts."""
    for number, line in enumerate(content.splitlines(), start=1):
        words = line.split("#")[0].split()
        if words:
            yield CodeOwners(number, words[0], words[1:])


def get_setting(settings: Any, name: str, default: Any = None) -> Any:
    """Get a setting by its dotted name."""
    for part in name.split("."):
        if not isinstance(settings, dict) or part not in settings:
            return default
        settings = settings[part]
    return settings


def locate(repository: RepositoryView, path: str, name: str) -> str:
    """Write PATH:LINE of a setting, or of the nearest thing around it."""
    node = parse_yaml_nodes(repository.tree.read(path))
    line = 1
    for part in name.split("."):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        match = next((pair for pair in pairs if pair[0].value == part), None)
        if match is None:
            break
        line, node = match[0].start_mark.line + 1, match[1]
    return f"{path}:{line}"


def join_lines(messages: Iterator[str]) -> str:
    """Join messages as repo-review takes several, a line each."""
    return "\n".join(messages)
