"""Lock files against what they lock, by their content: nothing is resolved or run."""

import json
import tomllib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name, canonicalize_version

from ..repository_view import RepositoryView

UV = "uv.lock"
GATE_REPORT = "reports/gate.json"
RELEASE = "release"
TIDY = "run uv run mlops project lock --tidy, then uv run dvc repro"
PYPROJECT = "pyproject.toml"
BLOCK = b"[[package]]"
OWN = (b'source = { editable = "." }', b'source = { virtual = "." }')
Versions = tuple[tuple[str, str], ...]  # operators and versions


class Need(NamedTuple):
    """A requirement without its marker, which uv writes in its own way."""

    name: str
    extras: frozenset[str]
    versions: Versions


class Missing:
    """uv.lock is committed."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView) -> str:
        if UV in repository.tree.files or PYPROJECT not in repository.tree.files:
            return ""
        return f"{PYPROJECT}: there is no {UV} beside it: run uv lock and commit the file."


class GatesBlock:
    """No gate refuses the model."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView) -> str:
        blocking = list_blocking_gates(repository)
        if not blocking:
            return ""
        return (
            f"{GATE_REPORT}: {', '.join(blocking)} blocked the model: do what the report says, "
            "run dvc repro, and commit what it made."
        )


class Stale:
    """uv.lock and dvc.lock agree with what they lock."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView, pyproject: dict[str, Any]) -> str:
        return "\n".join([*check_uv_lock(repository, pyproject), *check_dvc_lock(repository)])


def check_uv_lock(repository: RepositoryView, pyproject: dict[str, Any]) -> Iterator[str]:
    """Say where uv.lock does not know what pyproject.toml asks for."""
    if UV not in repository.tree.files or "project" not in pyproject:
        return
    locked = find_own_package(repository.tree.read(UV))
    if locked is None:
        yield f"{UV}: does not hold this project: run uv lock."
        return
    for where, asked_there, locked_there in pair_requirements(pyproject, locked):
        differ = sorted(need.name for need in asked_there ^ locked_there)
        if differ:
            yield (
                f"{UV}: does not agree with {where} of {PYPROJECT} about "
                f"{', '.join(dict.fromkeys(differ))}: run uv lock and commit the file."
            )


def find_own_package(lock: bytes) -> dict[str, Any] | None:
    """Read what the lock says of the project itself; the hundreds of others are not parsed."""
    place = max(lock.find(own) for own in OWN)
    if place < 0:
        return None
    start, end = lock.rfind(BLOCK, 0, place), lock.find(BLOCK, place)
    block = lock[start : None if end < 0 else end].decode(errors="replace")
    return dict(tomllib.loads(block)["package"][0])


def pair_requirements(
    pyproject: dict[str, Any], locked: dict[str, Any]
) -> Iterator[tuple[str, set[Need], set[Need]]]:
    """Yield where, what is asked there, and what the lock knows of that."""
    project, metadata = pyproject["project"], locked.get("metadata", {})
    extras = project.get("optional-dependencies", {}).values()
    listed = [*project.get("dependencies", []), *(text for group in extras for text in group)]
    yield "dependencies", parse_requirements(listed), read_locked(metadata.get("requires-dist", []))
    groups = pyproject.get("dependency-groups", {})
    of_lock = metadata.get("requires-dev", {})
    for name in sorted({*groups, *of_lock}):
        yield (
            f"group {name}",
            parse_requirements(list_group(groups, name)),
            read_locked(of_lock.get(name, [])),
        )


def list_group(groups: dict[str, Any], name: str) -> Iterator[str]:
    """List the requirements of a dependency group, with those of groups it includes."""
    for item in groups.get(name, []):
        if isinstance(item, dict):
            yield from list_group(groups, item["include-group"])
        else:
            yield item


def parse_requirements(texts: Iterable[str]) -> set[Need]:
    """Parse those that can be read."""
    return {requirement for text in texts if (requirement := parse_requirement(text))}


@lru_cache(maxsize=4096)  # a fleet asks for the same packages
def parse_requirement(text: str) -> Need | None:
    """Parse a requirement; None: it cannot be read."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None  # uv itself says that better
    return Need(
        canonicalize_name(requirement.name),
        frozenset(requirement.extras),
        normalize_versions(str(requirement.specifier)),
    )


def read_locked(items: list[dict[str, Any]]) -> set[Need]:
    """Read requirements as uv.lock writes them."""
    return {
        Need(
            canonicalize_name(item["name"]),
            frozenset(item.get("extras", ())),
            normalize_versions(item.get("specifier", "")),
        )
        for item in items
    }


@lru_cache(maxsize=4096)
def normalize_versions(text: str) -> Versions:
    """Sort operators and versions, so that `>=1.0,<2` equals `<2,>=1`."""
    return tuple(
        sorted(
            (
                specifier.operator,
                canonicalize_version(
                    specifier.version, strip_trailing_zero=ignores_zeros(specifier)
                ),
            )
            for specifier in SpecifierSet(text)
        )
    )


def ignores_zeros(specifier: Specifier) -> bool:
    """Tell whether zeros at the end of its version mean nothing."""
    return specifier.operator not in {"~=", "==="}


def check_dvc_lock(repository: RepositoryView) -> Iterator[str]:
    """Say where stages are not those of dvc.yaml, with the same commands on the same files."""
    if "dvc.lock" not in repository.tree.files:
        return
    stages = repository.yaml("dvc.yaml").get("stages") or {}
    locked = repository.yaml("dvc.lock").get("stages") or {}
    plain = {name for name, stage in stages.items() if "cmd" in stage}  # no foreach, no matrix
    if list_blocking_gates(repository):
        plain.discard(RELEASE)  # fails, so that DVC does not record it
    for name in sorted(locked.keys() - stages.keys()):
        if "@" not in name:
            yield f"dvc.lock: holds a stage {name} that dvc.yaml does not have: {TIDY}."
    for name in sorted(plain):
        if name not in locked:
            yield f"dvc.lock: lacks the stage {name} of dvc.yaml: run dvc repro."
        elif "${" not in str(stages[name]) and (cure := find_cure(stages[name], locked[name])):
            yield f"dvc.lock: its stage {name} is not that of dvc.yaml: {cure}."


def list_blocking_gates(repository: RepositoryView) -> list[str]:
    """List the gates that refuse the model, as the pipeline has reported."""
    try:
        gates = json.loads(repository.tree.read(GATE_REPORT))["gates"]
        return [str(gate["name"]) for gate in gates if not gate["passed"]]
    except (KeyError, TypeError, ValueError):  # none, or no report
        return []


def find_cure(stage: dict[str, Any], locked: dict[str, Any]) -> str | None:
    """Compare command, dependencies and outputs of a stage, and say what brings them in step.

    DVC by itself skips a stage of which dvc.yaml only took something away. None: they are.
    """
    outs = [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]
    pairs = [
        (list_paths(stage.get("deps", [])), {item["path"] for item in locked.get("deps", [])}),
        (list_paths(outs), {item["path"] for item in locked.get("outs", [])}),
    ]
    if any(there - asked_for for asked_for, there in pairs):
        return TIDY
    if stage["cmd"] != locked.get("cmd") or any(asked_for - there for asked_for, there in pairs):
        return "run dvc repro"
    return None


def list_paths(items: list[Any]) -> set[str]:
    """List paths of a stage in dvc.yaml, where one with options is a table."""
    return {next(iter(item)) if isinstance(item, dict) else item for item in items}
