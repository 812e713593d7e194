"""What a request may hold: a pydantic model made from the columns that the model's file names.

A value in a rule's way but of the right type (`minimum`, `maximum`, `category`) may be let through
and counted instead of refused, by policy.
"""

import re
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, NamedTuple, NotRequired

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    FiniteFloat,
    Strict,
    Tag,
    WithJsonSchema,
)
from pydantic_core import from_json, to_json

from .bodies import Body, Record, make_strict_type
from .faults import BY_ID, BY_KEY, UNEXPECTED, RefusedError
from .json_cells import make_reader

Policy = Literal["refuse", "score"]
EITHER = 'say whose truth it is, by either the "id" of a prediction or the "key" of a record'
ID = "^[0-9a-f]{1,32}$"
BLANK = r"[\s\x1c-\x1f\x85]*"  # what Python strips


class Parsed(NamedTuple):
    """`unexpected` counts the (column, rule) of values that were let through."""

    records: list[Record]
    many: bool
    unexpected: Counter[tuple[str, str]]


def document_round_limits(schema: dict[str, Any]) -> None:
    """FastAPI's document has limits as floats, which would allow more than the table can hold."""
    schema["minimum"] = max(schema["minimum"], -9.2e18)
    schema["maximum"] = min(schema["maximum"], 9.2e18)


INTEGERS: dict[str, Any] = {  # as many as the table can hold
    "ge": -(2**63),
    "le": 2**63 - 1,
    "json_schema_extra": document_round_limits,
}


def utc(moment: datetime) -> datetime:
    """Times of the table are in UTC without saying so. Raises ValueError if there is no such."""
    try:
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError as error:
        raise ValueError("in UTC it is outside the years 1 to 9999") from error


YEARS = Field(json_schema_extra={"pattern": "^[1-9]"})  # see json_cells.py, EARLIEST
KINDS: dict[str, Any] = {
    "integer": int,
    "number": FiniteFloat,
    "boolean": bool,
    "date": Annotated[date, Strict(), YEARS],  # else a number is taken for seconds since 1970
    "timestamp": Annotated[datetime, Strict(), AfterValidator(utc), YEARS],
}


NUMBER = Annotated[FiniteFloat, BeforeValidator(make_reader("number"))]


class Requests:
    """Reads requests about the columns in a model's `meta`, of `most` records at most."""

    def __init__(self, meta: dict[str, Any], policy: Policy, most: int) -> None:
        columns = meta["columns"]
        self.records = _make_body(columns, most)
        truth, names = _truth(meta), {"id", "key", "truth"} | {each["name"] for each in columns}
        self.truths = Body(truth, names, most, truth, set())
        # What is let through has the right type all the same.
        limits = {"minimum": None, "maximum": None, "categories": None}
        free = _make_body([column | limits for column in columns], most)
        self._free = free if policy == "score" else None

    def read(self, body: bytes) -> Parsed:
        """The records in a request's body, their cells typed. Raises RefusedError."""
        try:
            return Parsed(*self.records.read(body), Counter())
        except RefusedError:
            if not self._free:
                raise
        # Now refused is only what has another fault than a value outside the limits.
        found = self._free.read(body)
        errors = self.records.list_errors(body)
        return Parsed(*found, Counter((str(e["loc"][-1]), UNEXPECTED[e["type"]]) for e in errors))

    def read_truths(self, body: bytes) -> list[Record]:
        """What really was: `truth`, and the `id` of the prediction or the `key` of the record.

        Raises RefusedError.
        """
        found, _ = self.truths.read(body)
        return found


def _make_body(columns: list[dict[str, Any]], most: int) -> Body:
    names = {column["name"] for column in columns}
    required = {column["name"] for column in columns if column["used"] and column["required"]}
    fields = {column["name"]: _field(column) for column in columns}
    quick = fields | {name: NotRequired[fields[name]] for name in required}
    one, other = (make_strict_type("Record", each) for each in (fields, quick))
    return Body(one, names, most, other, required)


def _typed_dict(name: str, columns: list[dict[str, Any]]) -> Any:
    return make_strict_type(name, {column["name"]: _field(column) for column in columns})


def _truth(meta: dict[str, Any]) -> Any:
    """By the id of the prediction, or by the record's key if it has one."""
    truth = {"truth": _class(tuple(meta["classes"])) if meta["classes"] else NUMBER}
    by_id = make_strict_type("TruthById", {"id": Annotated[str, Field(pattern=ID)]} | truth)
    keys = [column | {"required": True} for column in meta["columns"] if column["key"]]
    if not keys:
        return by_id
    by_key = make_strict_type("TruthByKey", {"key": _typed_dict("Key", keys)} | truth)
    which = Discriminator(_form, custom_error_type="no_form", custom_error_message=EITHER)
    return Annotated[Annotated[by_id, Tag(BY_ID)] | Annotated[by_key, Tag(BY_KEY)], which]


def _form(truth: Any) -> str | None:
    """Which of the two was meant; None if it says neither, or both."""
    if not isinstance(truth, dict):
        return BY_ID
    said = [form for name, form in (("id", BY_ID), ("key", BY_KEY)) if name in truth]
    return said[0] if len(said) == 1 else None


def _class(classes: tuple[str, ...]) -> Any:
    """A class by its name, or as the JSON value of that name: true is the class "true"."""

    def named(given: Any) -> Any:
        if isinstance(given, float) and given.is_integer():
            given = int(given)
        return to_json(given).decode() if isinstance(given, bool | int | float) else given

    values = [value for name in classes if (value := _plain(name)) is not None]
    told = WithJsonSchema({"enum": [*classes, *values]})
    if set(classes) == {"false", "true"}:  # then "yes" and 1 are read, too, as in a record
        return Annotated[bool, BeforeValidator(make_reader("boolean")), AfterValidator(named), told]
    return Annotated[Literal[classes], BeforeValidator(named), told]


def _plain(name: str) -> bool | int | float | None:
    """The JSON value that a class is named after, if there is one."""
    with suppress(ValueError):
        value = from_json(name)
        if isinstance(value, bool | int | float):
            return value
    return None


def _field(column: dict[str, Any]) -> Any:
    """The type of a cell. What the model does not read may be there, and may be anything."""
    if not column["used"]:
        return NotRequired[Annotated[Any, Field(description="not read by the model")]]
    kind: Any = _text(column) if column["type"] == "string" else KINDS[column["type"]]
    stated = {"ge": column["minimum"], "le": column["maximum"]}
    limits = INTEGERS if column["type"] == "integer" else {}
    limits = limits | {name: limit for name, limit in stated.items() if limit is not None}
    if limits:
        kind = Annotated[kind, Field(**limits)]
    if not column["required"]:
        kind = kind | None
    if column["type"] != "string":
        missing = frozenset(column["missing"])
        kind = Annotated[
            kind, BeforeValidator(make_reader(column["type"], missing, column["spelling"]))
        ]
    told: Any = Annotated[kind, Field(description=column["description"] or None)]
    return told if column["required"] else NotRequired[told]


def _text(column: dict[str, Any]) -> Any:
    """A text as the contract cleans it: trimmed, spelled as meant, None where it says nothing."""
    missing, spelling = frozenset(column["missing"]), column["spelling"]

    def cleaned(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        text = text.strip()
        return None if text in missing else spelling.get(text, text)

    kind: Any = Literal[tuple(column["categories"])] if column["categories"] else str
    if known := column.get("known_categories"):  # any text is accepted, and an unseen one counted
        kind = Annotated[kind, Field(examples=known)]
    if not column["required"]:
        return Annotated[kind | None, BeforeValidator(cleaned)]
    nothing = rf"^{BLANK}({'|'.join(map(re.escape, sorted(missing)))}){BLANK}$"
    told = Field(json_schema_extra={"not": {"pattern": nothing}})
    return Annotated[kind, BeforeValidator(cleaned), told]
