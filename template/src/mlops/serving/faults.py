"""What is wrong with a request, in the contract's own words.

A fault names the column, the rule and the value, as `data check` does, and says what to write.
"""

import textwrap
from typing import Any, Self

from pydantic import BaseModel, ValidationError

UNEXPECTED = {
    "greater_than_equal": "minimum",
    "less_than_equal": "maximum",
    "literal_error": "category",
}
RULES = UNEXPECTED | {
    "missing": "required",
    "no_form": "required",
    "extra_forbidden": "known column",
    "json_invalid": "JSON",
    "too_long": "number of records",
    "too_short": "number of records",
}
DAY = "2025-01-03"
WANTED = {  # by the first word of the fault's type
    "bool": "write true or false",
    "date": f"write it as {DAY}",
    "datetime": f"write it as {DAY}T14:30:00",
    "dict": 'write an object: {"column": value}',
    "extra": "leave it out",
    "finite": "write a number",
    "float": "write a number",
    "greater": "write at least {ge}",
    "int": "write a whole number",
    "less": "write at most {le}",
    "literal": "write one of {expected}",
    "string": "write a text",
}
BY_ID, BY_KEY = "(by id)", "(by key)"
SHOWN = 100  # characters of a value, and faults of a request, that are told


class Fault(BaseModel):
    """One value that is not as the contract wants it. `record` counts from 0; None: the request."""

    record: int | None
    column: str | None
    rule: str
    value: str
    message: str


class RefusedError(Exception):
    """A request that breaks the contract."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults

    @classmethod
    def of(cls, error: ValidationError) -> Self:
        """Take the first SHOWN faults of those that pydantic has found."""
        return cls([describe_fault(each) for each in error.errors(include_url=False)[:SHOWN]])


def describe_fault(error: Any) -> Fault:
    """Put what pydantic says of a value into the words of the contract."""
    place = list(error["loc"])
    record = place.pop(0) if place and isinstance(place[0], int) else 0 if place else None
    columns = [str(part) for part in place if part not in (BY_ID, BY_KEY)]
    column = columns[-1] if columns else None
    rule = RULES.get(error["type"], "readable")
    if column and error["input"] is None:
        rule = "required"
    value = "" if rule in ("required", "JSON") else str(error["input"])[:SHOWN]
    message = f"{column} breaks the rule {rule}: '{value}'" if column else error["msg"]
    wanted = "" if rule == "required" else _wanted(error)
    return Fault(
        record=record,
        column=column,
        rule=rule,
        value=value,
        message=f"{message}; {wanted}" if wanted else message,
    )


def _wanted(error: Any) -> str:
    """Say what to write instead, as far as that is known; else ""."""
    if error["type"] == "string_pattern_mismatch":
        return "write the id that /predict gave"
    advice = WANTED.get(error["type"].split("_")[0], "")
    facts = error.get("ctx", {})
    if "expected" in facts:
        facts = {"expected": textwrap.shorten(facts["expected"], SHOWN, placeholder=" ...")}
    return advice.format(**facts) if facts else advice
