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

from .errors import fold_lines
from .findings import Finding
from .repository_view import RepositoryView, Root, pyproject
from .rules import RULES, make_finding

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
def load_plugins() -> tuple[dict[str, Function], list[Function]]:
    """Load fixtures and checks of all installed plugins, once: that takes as long as a check.

    repo-review's own `collect_checks` looks them up for each repository. Its fixture `pyproject`
    ends the review of a repository whose pyproject.toml is a bad one; ours does not.
    """
    fixture_plugins = entry_points(group="repo_review.fixtures")
    check_plugins = entry_points(group="repo_review.checks")
    fixtures = {plugin.name: load_plugin(plugin) for plugin in fixture_plugins}
    checks = [load_plugin(plugin) for plugin in check_plugins]
    return fixtures | {"pyproject": pyproject}, checks


def load_plugin(plugin: EntryPoint) -> Function:
    """Load a function of a plugin; one that only fails, if the plugin cannot be imported."""
    try:
        function: Function = plugin.load()
        return function
    except Exception as error:  # of a plugin that is not ours
        return partial(raise_error, error)


def raise_error(error: Exception) -> None:
    """Raise an error that was caught before."""
    raise error


def guard(function: Function) -> Function:
    """Wrap a function to return `Broken` for an error: one plugin does not stop the others."""

    @wraps(function)
    def try_function(**fixtures: Any) -> Any:
        for fixture in fixtures.values():
            if isinstance(fixture, Broken):
                return fixture
        try:
            return function(**fixtures)
        except Exception as error:  # of a plugin that is not ours
            return Broken(f"{type(error).__name__}: {fold_lines(error)}")

    return try_function


def review(repository: RepositoryView) -> Review:
    """Make a finding of each line of each failed check's message, and of each plugin that breaks.

    A message that starts with `PATH:` or `PATH:LINE:` says where. What pyproject.toml of the
    repository says to ignore is not heeded: that is for waivers.
    """
    fixture_functions, check_functions = load_plugins()
    root = Root(repository)
    fixtures = compute_fixtures(
        root, root, {name: guard(function) for name, function in fixture_functions.items()}
    )
    checks: dict[str, Check] = {}
    findings = []
    for function in check_functions:
        made = apply_fixtures(fixtures, guard(function))
        if isinstance(made, Broken):
            findings.append(report_broken("A plugin of policies", made))
        else:
            checks |= made
    for name, answer in run_checks(checks, fixtures):
        findings += make_findings(name, checks[name], answer, repository)
    return Review(findings, frozenset(checks))


def run_checks(
    checks: Mapping[str, Check], fixtures: Mapping[str, Any]
) -> Iterator[tuple[str, str | Broken]]:
    """Run each check, once those that it requires are kept, and yield what it says.

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
        answer = apply_fixtures({**given, "name": name}, guard(checks[name].check))
        if given != fixtures:
            given = deepcopy(fixtures)
        if not isinstance(answer, Broken):
            answer = process_result_bool(answer, checks[name], name)
        if answer:
            yield name, answer
        elif answer is not None:
            kept.add(name)


def make_findings(
    name: str, check: Check, answer: str | Broken, repository: RepositoryView
) -> Iterator[Finding]:
    """Make a finding of each line that a check says, with the severity it asks for."""
    if isinstance(answer, Broken):
        yield report_broken(f"The policy {name}", answer)
        return
    usual = RULES[name].severity if name in RULES else "error"
    severity = getattr(check, "severity", usual)
    for line in filter(None, map(str.strip, answer.splitlines())):
        yield place_finding(name, severity, line, repository)


def report_broken(what: str, why: Broken) -> Finding:
    """Make a finding of a plugin that could not be tried."""
    message = f"{what} could not be tried ({why.why}): fix the plugin, or what it reads."
    return make_finding("policy.broken", message)


def place_finding(rule: str, severity: Any, line: str, repository: RepositoryView) -> Finding:
    """Make a finding of a line, at the place that it begins with if there is such a file."""
    place = PLACE.fullmatch(line)
    if place and place["path"] in repository.tree.files:
        number = int(place["line"]) if place["line"] else None
        return Finding(rule, severity, place["path"], number, line)
    return Finding(rule, severity, None, None, line)
