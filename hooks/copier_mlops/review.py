"""Policies are plugins of repo-review: those of this package, and those of the organisation."""

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial, wraps
from graphlib import TopologicalSorter
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from repo_review.checks import Check, process_result_bool
from repo_review.fixtures import apply_fixtures, compute_fixtures

from .findings import Finding
from .repository_view import RepositoryView, Root, pyproject
from .rules import RULES, finding

PLACE = re.compile(r"(?P<path>[^\s:][^:\n]*?):(?:(?P<line>\d+):)? (?P<message>.+)")
Function = Callable[..., Any]


@dataclass(frozen=True)
class Broken:
    """Stands for what a plugin did not make, and says why."""

    why: str


@dataclass(frozen=True)
class Review:
    """What the policies found, and the names of all that were tried."""

    findings: list[Finding]
    rules: frozenset[str]


@cache
def plugins() -> tuple[dict[str, Function], list[Function]]:
    """Fixtures and checks of all installed plugins. Looked up once: that takes as long as a check.

    repo-review's own `collect_checks` looks them up for each repository. Its fixture `pyproject`
    ends the review of a repository whose pyproject.toml is a bad one; ours does not.
    """
    fixtures = {each.name: loaded(each) for each in entry_points(group="repo_review.fixtures")}
    checks = [loaded(each) for each in entry_points(group="repo_review.checks")]
    return fixtures | {"pyproject": pyproject}, checks


def loaded(plugin: EntryPoint) -> Function:
    """A function of a plugin; one that only fails, if the plugin cannot be imported."""
    try:
        return plugin.load()
    except Exception as error:  # of a plugin that is not ours
        return partial(fail, error)


def fail(error: Exception) -> None:
    raise error


def guarded(function: Function) -> Function:
    """Gives `Broken` in place of an error, so that one broken plugin does not stop the others."""

    @wraps(function)
    def tried(**fixtures: Any) -> Any:
        broken = [each for each in fixtures.values() if isinstance(each, Broken)]
        if broken:
            return broken[0]
        try:
            return function(**fixtures)
        except Exception as error:  # of a plugin that is not ours
            return Broken(f"{type(error).__name__}: {' '.join(str(error).split())}")

    return tried


def review(repository: RepositoryView) -> Review:
    """A finding for each line of each failed check's message, and for each plugin that breaks.

    A message that starts with `PATH:` or `PATH:LINE:` says where. What pyproject.toml of the
    repository says to ignore is not heeded: that is for waivers.
    """
    fixture_functions, check_functions = plugins()
    root = Root(repository)
    fixtures = compute_fixtures(
        root, root, {name: guarded(function) for name, function in fixture_functions.items()}
    )
    checks: dict[str, Check] = {}
    findings = []
    for function in check_functions:
        made = apply_fixtures(fixtures, guarded(function))
        if isinstance(made, Broken):
            findings.append(broken("A plugin of policies", made))
        else:
            checks |= made
    for name, said in results(checks, fixtures):
        findings += found(name, checks[name], said, repository)
    return Review(findings, frozenset(checks))


def results(
    checks: Mapping[str, Check], fixtures: Mapping[str, Any]
) -> Iterator[tuple[str, str | Broken]]:
    """What each check says of the repository, once those that it requires are kept.

    They get a copy of the fixtures, since one may change what it gets.
    """
    given = deepcopy(fixtures)
    requires = {
        name: checks.keys() & getattr(check, "requires", set()) for name, check in checks.items()
    }
    kept: set[str] = set()
    for name in TopologicalSorter(requires).static_order():
        if not requires[name] <= kept:
            continue
        said = apply_fixtures({**given, "name": name}, guarded(checks[name].check))
        if given != fixtures:
            given = deepcopy(fixtures)
        if not isinstance(said, Broken):
            said = process_result_bool(said, checks[name], name)
        if said:
            yield name, said
        elif said is not None:
            kept.add(name)


def found(
    name: str, check: Check, said: str | Broken, repository: RepositoryView
) -> Iterator[Finding]:
    if isinstance(said, Broken):
        yield broken(f"The policy {name}", said)
        return
    usual = RULES[name].severity if name in RULES else "error"
    severity = getattr(check, "severity", usual)
    for line in filter(None, map(str.strip, said.splitlines())):
        yield placed(name, severity, line, repository)


def broken(what: str, why: Broken) -> Finding:
    message = f"{what} could not be tried ({why.why}): fix the plugin, or what it reads."
    return finding("policy.broken", message)


def placed(rule: str, severity: Any, line: str, repository: RepositoryView) -> Finding:
    place = PLACE.fullmatch(line)
    if place and place["path"] in repository.tree.files:
        number = int(place["line"]) if place["line"] else None
        return Finding(rule, severity, place["path"], number, line)
    return Finding(rule, severity, None, None, line)
