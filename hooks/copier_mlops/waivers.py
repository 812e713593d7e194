"""A team's waivers: this rule, for this path, for this reason, until this day."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated

import yaml
from pydantic import Field, ValidationError, field_validator

from .findings import Finding
from .patterns import matches
from .policy import Policy, Strict, first
from .rules import finding
from .trees import Tree

WAIVERS = ".standards.yml"
EXAMPLE = (
    "{rule: managed.changed, path: deploy/Dockerfile, reason: ..., owner: ..., expires: 2030-01-31}"
)
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
            raise ValueError("write a day without quotes, for example: 2030-01-31")
        return value

    def covers(self, found: Finding) -> bool:
        if found.rule != self.rule:
            return False
        if self.path is None:
            return True
        return found.path is not None and matches((self.path,), found.path)


def waived(findings: list[Finding], tree: Tree, policy: Policy, today: date) -> list[Finding]:
    """The findings, those that a valid waiver covers marked, and what is wrong with waivers."""
    result = list(findings)
    for waiver in read(tree, policy, today):
        if isinstance(waiver, Finding):
            result.append(waiver)
            continue
        covered = [at for at, found in enumerate(result) if waiver.covers(found)]
        for at in covered:
            result[at] = replace(result[at], waived=f"{waiver.reason} ({waiver.owner})")
        if not covered:
            said = f"{waiver.rule} for {waiver.path}" if waiver.path else waiver.rule
            result.append(
                finding(
                    "waiver.unused",
                    f"{WAIVERS} waives {said}, but nothing is found there: take the waiver out.",
                    WAIVERS,
                )
            )
    return result


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
        message = f"{WAIVERS} holds one list, for example: waivers: [{EXAMPLE}]."
        yield finding("waiver.malformed", message, WAIVERS)
        return
    for number, item in enumerate(items, start=1):
        yield judged(number, item, policy, today)


def judged(number: int, item: object, policy: Policy, today: date) -> Waiver | Finding:
    where = f"{WAIVERS}, waiver {number}"
    try:
        waiver = Waiver.model_validate(item)
    except ValidationError as error:
        message = f"{where}: {first(error)} Write for example: {EXAMPLE}."
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
        message = f"{where}: it lasts until {waiver.expires}; the policy allows until {last}."
        return finding("waiver.refused", message, WAIVERS)
    return waiver
