"""Policies are plugins of repo-review: those of this package, and those of the organisation."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from repo_review.checks import Check
from repo_review.families import Family
from repo_review.fixtures import apply_fixtures, collect_fixtures, compute_fixtures
from repo_review.processor import CollectionReturn, process

from .findings import Finding
from .rules import RULES
from .subject import Root, Subject

PLACE = re.compile(r"(?P<path>[^\s:][^:\n]*?):(?:(?P<line>\d+):)? (?P<message>.+)")


@cache
def plugins() -> tuple[dict[str, Callable[..., Any]], list[Callable[..., dict[str, Check]]]]:
    """Fixtures and checks of all installed plugins. Looked up once: that takes as long as a check.

    repo-review's own `collect_checks` looks them up for each repository.
    """
    checks = [each.load() for each in entry_points(group="repo_review.checks")]
    return collect_fixtures(), checks


def review(subject: Subject) -> Iterator[Finding]:
    """A finding for each line of each failed check's message.

    A message that starts with `PATH:` or `PATH:LINE:` says where. A plugin that breaks is a finding
    too. What pyproject.toml of the repository says to ignore is not heeded: that is for waivers.
    """
    try:
        results, checks = processed(subject)
    except Exception as error:  # of a plugin that is not ours
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        message = f"A policy could not be tried ({said}): fix the plugin, or what it reads."
        yield Finding("policy.broken", RULES["policy.broken"].severity, None, None, message)
        return
    for result in results:
        if result.result is False:
            usual = RULES[result.name].severity if result.name in RULES else "error"
            severity = getattr(checks[result.name], "severity", usual)
            for line in filter(None, map(str.strip, result.err_msg.splitlines())):
                yield found(result.name, severity, line, subject)


def processed(subject: Subject) -> tuple[list[Any], dict[str, Check]]:
    fixture_functions, check_functions = plugins()
    root = Root(subject)
    fixtures = compute_fixtures(root, root, fixture_functions)
    checks = {
        name: check
        for function in check_functions
        for name, check in apply_fixtures(fixtures, function).items()
    }
    families = {check.family: Family() for check in checks.values()}
    collected = CollectionReturn(fixtures, checks, families)
    return process(root, ignore={"nothing"}, select={"*"}, collected=collected).results, checks


def found(rule: str, severity: Any, line: str, subject: Subject) -> Finding:
    place = PLACE.fullmatch(line)
    if place and place["path"] in subject.tree.files:
        number = int(place["line"]) if place["line"] else None
        return Finding(rule, severity, place["path"], number, line)
    return Finding(rule, severity, None, None, line)
