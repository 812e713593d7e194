"""The gates themselves: stages that judge, tests that run, packages that are new enough."""

import ast
import re
import shlex
from collections.abc import Iterator
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..repository_view import RepositoryView, parse_table, parse_toml_table
from .locks import PYPROJECT, list_paths
from .statement import locate

PIPELINE = "dvc.yaml"
JUDGES = ("src/mlops/gates", "src/mlops/evaluation")  # who reads this code, judges
GATE = "gate"
RESTORE = "copier-mlops restore dvc.yaml brings the template's stages back, without yours"
SKIPS = {"collect_ignore", "collect_ignore_glob", "pytest_ignore_collect"}
DESELECTS = re.compile(r"--(ignore|ignore-glob|deselect)(=|$)|-k(=|$)|-m(=|$)")
OTHER_SETTINGS = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
LOWER = {">=", "~=", "==", ">", "==="}


class Missing:
    """Each stage that judges is there, and reads what the template's reads."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView) -> str:
        if PIPELINE not in repository.changed:
            return ""
        given = parse_table(repository.rendered(PIPELINE) or b"").get("stages") or {}
        stages = repository.yaml(PIPELINE).get("stages")
        if stages is None:
            return ""  # unreadable: another rule says so
        return "\n".join(
            f"{locate(repository, PIPELINE, f'stages.{name}')}: {fault}: {RESTORE}."
            for name in given
            if judges(name, given) and (fault := find_fault(name, given[name], stages.get(name)))
        )


def judges(name: str, stages: dict[str, Any]) -> bool:
    """Tell whether a stage has a gate, or makes a report that the stage `gate` judges by."""
    if list_paths(stages[name].get("deps", [])) & set(JUDGES):
        return True
    reports = {
        path
        for path in list_paths(stages.get(GATE, {}).get("deps", []))
        if path.startswith("reports/") and path.count("/") == 1
    }
    return bool(reports & list_paths(stages[name].get("outs", [])))


def find_fault(name: str, given: dict[str, Any], stage: Any) -> str | None:
    """Say why a stage does not judge as the template's does; None: it does."""
    if not isinstance(stage, dict):
        return f"there is no stage {name}, so nothing stops a model that it would refuse"
    if stage.get("cmd") != given["cmd"]:
        return f"the stage {name} does not run '{given['cmd']}'"
    if stage.get("frozen"):
        return f"the stage {name} is frozen, so it judges no more"
    for kind in ("deps", "outs", "params"):
        gone = list_names(given.get(kind, [])) - list_names(stage.get(kind, []))
        gone = {path for path in gone if not is_of_the_team(path)}
        if gone:
            return f"the stage {name} lacks {sorted(gone)[0]} among its {kind}"
    return None


def is_of_the_team(path: str) -> bool:
    """Tell whether a path is code that a team may split and rename."""
    return path.startswith("src/") and not path.startswith("src/mlops/")


def list_names(items: Any) -> set[str]:
    """List what a stage names; anything that is no list of names names nothing."""
    return set(map(str, list_paths(items))) if isinstance(items, list) else set()


class Skipped:
    """No test is left out of the run by a setting."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView) -> str:
        return "\n".join(find_skips(repository))


def find_skips(repository: RepositoryView) -> Iterator[str]:
    """Say where settings of pytest leave tests out, or hide those of pyproject.toml."""
    for path, content in repository.changed.items():
        if path.rsplit("/", 1)[-1] == "conftest.py":
            for line, name in find_assigned(content):
                yield f"{path}:{line}: {name} leaves tests out of the run: take it out."
        elif path in OTHER_SETTINGS:
            yield (
                f"{path}: takes the place of what {PYPROJECT} says to pytest: move it there, and "
                "remove the file."
            )
    content = repository.changed.get(PYPROJECT)
    if content is None:
        return
    settings, given = (
        parse_toml_table(each).get("tool", {}).get("pytest", {}).get("ini_options", {})
        for each in (content, repository.rendered(PYPROJECT) or b"")
    )
    for word in split_words(settings.get("addopts", [])):
        if DESELECTS.match(word):
            yield f"{PYPROJECT}: addopts has {word}, which leaves tests out: take it out."
    gone = set(given.get("testpaths", [])) - set(settings.get("testpaths", []))
    if gone and settings.get("testpaths"):
        yield f"{PYPROJECT}: testpaths lacks {sorted(gone)[0]}: put it back."


def find_assigned(content: bytes) -> Iterator[tuple[int, str]]:
    """Find line and name of what tells pytest which files not to look at."""
    try:
        body = ast.parse(content).body
    except (SyntaxError, ValueError):
        return
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if isinstance(node, ast.FunctionDef):
            names = [node.name]
        yield from ((node.lineno, name) for name in names if name in SKIPS)


def split_words(options: Any) -> list[str]:
    """Split options, which are a text or a list."""
    try:
        return shlex.split(options) if isinstance(options, str) else list(map(str, options))
    except ValueError:
        return []


class Weaker:
    """No package may be older than the template's lower bound says."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView) -> str:
        if PYPROJECT not in repository.changed:
            return ""
        asked = list_bounds(repository.changed[PYPROJECT])
        given = list_bounds(repository.rendered(PYPROJECT) or b"")
        return "\n".join(
            f"{PYPROJECT}: {name} may be older than {bound}, which the machinery needs: write "
            f"{name}>={bound}."
            for (where, name), bound in given.items()
            if asked.get((where, name), bound) < bound
        )


def list_bounds(content: bytes) -> dict[tuple[str, str], Version]:
    """List the lowest version of each package, by list of requirements and name.

    One with no lower bound has version 0; one from an address is left out.
    """
    table = parse_toml_table(content)
    lists = {"": table.get("project", {}).get("dependencies", [])}
    lists |= table.get("dependency-groups", {})
    bounds = {}
    for where, texts in lists.items():
        for text in texts:
            try:
                need = Requirement(text)
            except (InvalidRequirement, TypeError):
                continue
            versions = [
                Version(one.version.removesuffix(".*"))
                for one in need.specifier
                if one.operator in LOWER
            ]
            if need.url is None:
                bounds[where, canonicalize_name(need.name)] = max(versions, default=Version("0"))
    return bounds
