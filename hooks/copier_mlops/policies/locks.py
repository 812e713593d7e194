"""Lock files against what they lock, by their content: nothing is resolved or run."""

import tomllib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name, canonicalize_version

from ..repository_view import RepositoryView

UV = "uv.lock"
PYPROJECT = "pyproject.toml"
BLOCK = b"[[package]]"
OWN = (b'source = { editable = "." }', b'source = { virtual = "." }')
Versions = tuple[tuple[str, str], ...]
Need = tuple[str, frozenset[str], Versions]


class Missing:
    """uv.lock is committed."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView) -> str:
        if UV in repository.tree.files or PYPROJECT not in repository.tree.files:
            return ""
        return f"{PYPROJECT}: there is no {UV} beside it: run uv lock and commit the file."


class Stale:
    """uv.lock and dvc.lock agree with what they lock."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView, pyproject: dict[str, Any]) -> str:
        return "\n".join([*uv_lock(repository, pyproject), *dvc_lock(repository)])


def uv_lock(repository: RepositoryView, pyproject: dict[str, Any]) -> Iterator[str]:
    if UV not in repository.tree.files or "project" not in pyproject:
        return
    locked = own_package(repository.tree.read(UV))
    if locked is None:
        yield f"{UV}: does not hold this project: run uv lock."
        return
    for where, asked, known in both(pyproject, locked):
        differ = sorted(name for name, *_ in asked ^ known)
        if differ:
            yield (
                f"{UV}: does not agree with {where} of {PYPROJECT} about "
                f"{', '.join(dict.fromkeys(differ))}: run uv lock and commit the file."
            )


def own_package(lock: bytes) -> dict[str, Any] | None:
    """What the lock says of the project itself; the hundreds of others are not parsed."""
    place = max(lock.find(own) for own in OWN)
    if place < 0:
        return None
    start, end = lock.rfind(BLOCK, 0, place), lock.find(BLOCK, place)
    block = lock[start : None if end < 0 else end].decode(errors="replace")
    return dict(tomllib.loads(block)["package"][0])


def both(
    pyproject: dict[str, Any], locked: dict[str, Any]
) -> Iterator[tuple[str, set[Need], set[Need]]]:
    """Where, what is asked there, and what the lock knows of that."""
    project, metadata = pyproject["project"], locked.get("metadata", {})
    extras = project.get("optional-dependencies", {}).values()
    listed = [*project.get("dependencies", []), *(text for group in extras for text in group)]
    yield "dependencies", needs(listed), known(metadata.get("requires-dist", []))
    groups = pyproject.get("dependency-groups", {})
    of_lock = metadata.get("requires-dev", {})
    for name in sorted({*groups, *of_lock}):
        yield f"group {name}", needs(grouped(groups, name)), known(of_lock.get(name, []))


def grouped(groups: dict[str, Any], name: str) -> Iterator[str]:
    for item in groups.get(name, []):
        if isinstance(item, dict):
            yield from grouped(groups, item["include-group"])
        else:
            yield item


def needs(texts: Any) -> set[Need]:
    return {found for text in texts if (found := need(text))}


@lru_cache(maxsize=4096)  # a fleet asks for the same packages
def need(text: str) -> Need | None:
    """Without its marker, as uv writes those in its own way; None: it cannot be read."""
    try:
        read = Requirement(text)
    except InvalidRequirement:
        return None  # uv itself says that better
    return canonicalize_name(read.name), frozenset(read.extras), versions(str(read.specifier))


def known(items: list[dict[str, Any]]) -> set[Need]:
    return {
        (
            canonicalize_name(item["name"]),
            frozenset(item.get("extras", ())),
            versions(item.get("specifier", "")),
        )
        for item in items
    }


@lru_cache(maxsize=4096)
def versions(text: str) -> Versions:
    """Operators and versions, in an order of their own: `>=1.0,<2` is `<2,>=1`."""
    return tuple(
        sorted(
            (each.operator, canonicalize_version(each.version, strip_trailing_zero=zeros(each)))
            for each in SpecifierSet(text)
        )
    )


def zeros(each: Specifier) -> bool:
    """Whether zeros at the end mean nothing."""
    return each.operator not in {"~=", "==="}


def dvc_lock(repository: RepositoryView) -> Iterator[str]:
    """Its stages are those of dvc.yaml, and run the same commands on the same files."""
    if "dvc.lock" not in repository.tree.files:
        return
    stages = repository.yaml("dvc.yaml").get("stages") or {}
    locked = repository.yaml("dvc.lock").get("stages") or {}
    plain = {name for name, stage in stages.items() if "cmd" in stage}  # no foreach, no matrix
    for name in sorted(locked.keys() - stages.keys()):
        if "@" not in name:
            yield f"dvc.lock: holds a stage {name} that dvc.yaml does not have: run dvc repro."
    for name in sorted(plain):
        if name not in locked:
            yield f"dvc.lock: lacks the stage {name} of dvc.yaml: run dvc repro."
        elif "${" not in str(stages[name]) and differs(stages[name], locked[name]):
            yield f"dvc.lock: its stage {name} is not that of dvc.yaml: run dvc repro."


def differs(stage: dict[str, Any], locked: dict[str, Any]) -> bool:
    outs = [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]
    return (
        stage["cmd"] != locked.get("cmd")
        or paths(stage.get("deps", [])) != {item["path"] for item in locked.get("deps", [])}
        or paths(outs) != {item["path"] for item in locked.get("outs", [])}
    )


def paths(items: list[Any]) -> set[str]:
    return {next(iter(item)) if isinstance(item, dict) else item for item in items}
