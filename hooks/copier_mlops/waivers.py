"""A team's waivers: this rule, for this path, for this reason, until this day."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated

import yaml
from pydantic import Field, ValidationError, field_validator

from .errors import fold_lines
from .findings import Finding
from .patterns import matches
from .policy import Policy, Strict, describe_first
from .rules import make_finding
from .spelling import find_nearest
from .trees import Tree

WAIVERS = ".standards.yml"
EXAMPLE_DAYS = 90
FOR_GOOD = ("policy.broken", "waiver.")  # else one waiver would hide what was not looked at
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Waiver(Strict):
    """`path` is a pattern as in .gitignore; without it the waiver holds for all of them."""

    rule: Text
    path: Text | None = None
    reason: Text
    owner: Text
    expires: date

    @field_validator("expires", mode="before")
    @classmethod
    def _is_a_day(cls, value: object) -> object:
        if type(value) is not date:
            raise ValueError("write a day without quotes")
        return value

    def covers(self, finding: Finding) -> bool:
        """Tell whether rule and path are those of the finding."""
        if finding.rule != self.rule:
            return False
        if self.path is None:
            return True
        return finding.path is not None and matches((self.path,), finding.path)


def apply_waivers(
    findings: list[Finding], tree: Tree, policy: Policy, today: date, rules: Collection[str]
) -> list[Finding]:
    """Mark the findings that a valid waiver covers, and add what is wrong with waivers.

    `rules` are the names of all that there are.
    """
    result = list(findings)
    for waiver in read_waivers(tree, policy, today):
        if isinstance(waiver, Finding):
            result.append(waiver)
            continue
        covered = [at for at, finding in enumerate(result) if waiver.covers(finding)]
        for at in covered:
            result[at] = replace(result[at], waived=f"{waiver.reason} ({waiver.owner})")
        if not covered:
            result.append(make_finding("waiver.unused", describe_unused(waiver, rules), WAIVERS))
    return result


def describe_unused(waiver: Waiver, rules: Collection[str]) -> str:
    """Say why a waiver covers nothing."""
    if waiver.rule in rules:
        what = f"{waiver.rule} for {waiver.path}" if waiver.path else waiver.rule
        return f"{WAIVERS} waives {what}, but nothing is found there: take the waiver out."
    near = find_nearest(waiver.rule, rules)
    meant = f"did you mean {near}?" if near else "take the waiver out, or install its plugin."
    return f"{WAIVERS} waives {waiver.rule}, but there is no rule {waiver.rule}; {meant}"


def read_waivers(tree: Tree, policy: Policy, today: date) -> Iterator[Waiver | Finding]:
    """Read each waiver that holds, or what is wrong with it."""
    if WAIVERS not in tree.files:
        return
    try:
        settings = yaml.safe_load(tree.read(WAIVERS)) or {"waivers": []}
        items = settings["waivers"] or []
        if not isinstance(items, list) or set(settings) != {"waivers"}:
            raise TypeError
    except yaml.YAMLError as error:
        reason = fold_lines(error)
        yield make_finding("waiver.malformed", f"{WAIVERS} is no YAML: {reason}.", WAIVERS)
        return
    except (KeyError, TypeError):
        message = (
            f"{WAIVERS} holds one list, for example: waivers: [{write_example(policy, today)}]."
        )
        yield make_finding("waiver.malformed", message, WAIVERS)
        return
    for number, item in enumerate(items, start=1):
        yield judge_waiver(number, item, policy, today)


def judge_waiver(number: int, item: object, policy: Policy, today: date) -> Waiver | Finding:
    """Tell whether an item of the list is a waiver that holds today; if not, say what is wrong."""
    where = f"{WAIVERS}, waiver {number}"
    try:
        waiver = Waiver.model_validate(item)
    except ValidationError as error:
        message = (
            f"{where}: {describe_first(error)} Write for example: {write_example(policy, today)}."
        )
        return make_finding("waiver.malformed", message, WAIVERS)
    last = today + timedelta(days=policy.waivers.max_days)
    if waiver.expires < today:
        message = (
            f"{where}: it expired on {waiver.expires}; {waiver.owner} sets {waiver.rule} right, "
            "or gives a new reason and day."
        )
        return make_finding("waiver.expired", message, WAIVERS)
    if waiver.rule in policy.waivers.never or waiver.rule.startswith(FOR_GOOD):
        message = f"{where}: {waiver.rule} cannot be waived; set right what it finds."
        return make_finding("waiver.refused", message, WAIVERS)
    if waiver.expires > last:
        message = (
            f"{where}: it lasts until {waiver.expires}; the policy allows until {last}: "
            "write that day, or an earlier one."
        )
        return make_finding("waiver.refused", message, WAIVERS)
    return waiver


def write_example(policy: Policy, today: date) -> str:
    """Write a waiver that the policy allows today."""
    day = today + timedelta(days=min(EXAMPLE_DAYS, policy.waivers.max_days))
    return (
        "{rule: managed.changed, path: deploy/Dockerfile, reason: ..., owner: ..., "
        f"expires: {day}}}"
    )
