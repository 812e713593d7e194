"""A team's waivers: this rule, for this path, for this reason, until this day."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated

import yaml
from pydantic import Field, ValidationError, field_validator

from .findings import Finding
from .nearest import nearest
from .patterns import matches
from .policy import Policy, Strict, first
from .rules import finding
from .trees import Tree

WAIVERS = ".standards.yml"
EXAMPLE_DAYS = 90
FOR_GOOD = ("policy.broken", "waiver.")  # else one waiver would hide what was not looked at
Said = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Waiver(Strict):
    """`path` is a pattern as in .gitignore; without it the waiver holds for all of them."""

    rule: Said
    path: Said | None = None
    reason: Said
    owner: Said
    expires: date

    @field_validator("expires", mode="before")
    @classmethod
    def _is_a_day(cls, value: object) -> object:
        if type(value) is not date:
            raise ValueError("write a day without quotes")
        return value

    def covers(self, found: Finding) -> bool:
        if found.rule != self.rule:
            return False
        if self.path is None:
            return True
        return found.path is not None and matches((self.path,), found.path)


def waived(
    findings: list[Finding], tree: Tree, policy: Policy, today: date, rules: Collection[str]
) -> list[Finding]:
    """The findings, those that a valid waiver covers marked, and what is wrong with waivers.

    `rules` are the names of all that there are.
    """
    result = list(findings)
    for waiver in read(tree, policy, today):
        if isinstance(waiver, Finding):
            result.append(waiver)
            continue
        covered = [at for at, found in enumerate(result) if waiver.covers(found)]
        for at in covered:
            result[at] = replace(result[at], waived=f"{waiver.reason} ({waiver.owner})")
        if not covered:
            result.append(finding("waiver.unused", unused(waiver, rules), WAIVERS))
    return result


def unused(waiver: Waiver, rules: Collection[str]) -> str:
    """Why nothing is found that it covers."""
    if waiver.rule in rules:
        said = f"{waiver.rule} for {waiver.path}" if waiver.path else waiver.rule
        return f"{WAIVERS} waives {said}, but nothing is found there: take the waiver out."
    near = nearest(waiver.rule, rules)
    meant = f"did you mean {near}?" if near else "take the waiver out, or install its plugin."
    return f"{WAIVERS} waives {waiver.rule}, but there is no rule {waiver.rule}; {meant}"


def read(tree: Tree, policy: Policy, today: date) -> Iterator[Waiver | Finding]:
    """Each waiver that holds, or what is wrong with it."""
    if WAIVERS not in tree.files:
        return
    try:
        found = yaml.safe_load(tree.read(WAIVERS)) or {"waivers": []}
        items = found["waivers"] or []
        if not isinstance(items, list) or set(found) != {"waivers"}:
            raise TypeError
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        yield finding("waiver.malformed", f"{WAIVERS} is no YAML: {said}.", WAIVERS)
        return
    except (KeyError, TypeError):
        message = f"{WAIVERS} holds one list, for example: waivers: [{example(policy, today)}]."
        yield finding("waiver.malformed", message, WAIVERS)
        return
    for number, item in enumerate(items, start=1):
        yield judged(number, item, policy, today)


def judged(number: int, item: object, policy: Policy, today: date) -> Waiver | Finding:
    where = f"{WAIVERS}, waiver {number}"
    try:
        waiver = Waiver.model_validate(item)
    except ValidationError as error:
        message = f"{where}: {first(error)} Write for example: {example(policy, today)}."
        return finding("waiver.malformed", message, WAIVERS)
    last = today + timedelta(days=policy.waivers.max_days)
    if waiver.expires < today:
        message = (
            f"{where}: it expired on {waiver.expires}; {waiver.owner} sets {waiver.rule} right, "
            "or gives a new reason and day."
        )
        return finding("waiver.expired", message, WAIVERS)
    if waiver.rule in policy.waivers.never or waiver.rule.startswith(FOR_GOOD):
        message = f"{where}: {waiver.rule} cannot be waived; set right what it finds."
        return finding("waiver.refused", message, WAIVERS)
    if waiver.expires > last:
        message = (
            f"{where}: it lasts until {waiver.expires}; the policy allows until {last}: "
            "write that day, or an earlier one."
        )
        return finding("waiver.refused", message, WAIVERS)
    return waiver


def example(policy: Policy, today: date) -> str:
    """A waiver that the policy allows today."""
    day = today + timedelta(days=min(EXAMPLE_DAYS, policy.waivers.max_days))
    return (
        "{rule: managed.changed, path: deploy/Dockerfile, reason: ..., owner: ..., "
        f"expires: {day}}}"
    )
