"""What a request may hold: a pydantic model made from the columns that the model's file names.

A record is held to the contract in its own words: a fault names the column, the rule and the value,
as `data check` does. A value in a rule's way but of the right type (`minimum`, `maximum`,
`category`) may be let through and counted instead, by policy.
"""

import re
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    Strict,
    TypeAdapter,
    ValidationError,
    with_config,
)
from typing_extensions import TypedDict

Record = dict[str, Any]
Adapter = TypeAdapter[Any]
Policy = Literal["refuse", "score"]
UNEXPECTED = {
    "greater_than_equal": "minimum",
    "less_than_equal": "maximum",
    "literal_error": "category",
}
RULES = UNEXPECTED | {
    "missing": "required",
    "extra_forbidden": "known column",
    "json_invalid": "JSON",
    "too_long": "number of records",
    "too_short": "number of records",
}
INTEGERS = {"ge": -(2**63), "le": 2**63 - 1}  # as many as the table can hold
ID = "^[0-9a-f]{1,32}$"
BLANK = r"[\s\x1c-\x1f\x85]*"  # what Python strips
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
        """With the first of what pydantic has found."""
        return cls([_fault(each) for each in error.errors(include_url=False)[:SHOWN]])


class Parsed(NamedTuple):
    """`unexpected` counts the (column, rule) of values that were let through."""

    records: list[Record]
    many: bool
    unexpected: Counter[tuple[str, str]]


def utc(moment: datetime) -> datetime:
    """Times of the table are in UTC without saying so. Raises ValueError if there is no such."""
    try:
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError as error:
        raise ValueError("in UTC it is outside the years 1 to 9999") from error


KINDS: dict[str, Any] = {
    "integer": int,
    "number": FiniteFloat,
    "boolean": bool,
    "date": Annotated[date, Strict()],  # else a number is taken for seconds since 1970
    "timestamp": Annotated[datetime, Strict(), AfterValidator(utc)],
}


class Requests:
    """Reads requests about the columns in a model's `meta`, of `most` records at most."""

    def __init__(self, meta: dict[str, Any], policy: Policy, most: int) -> None:
        columns = meta["columns"]
        self.records = _adapters(_typed_dict("Record", columns), most)
        self.truths = _adapters(_truth(meta), most)
        # What is let through has the right type all the same.
        limits = {"minimum": None, "maximum": None, "categories": None}
        free = _adapters(_typed_dict("Record", [column | limits for column in columns]), most)
        self._free = free if policy == "score" else None

    def read(self, body: bytes) -> Parsed:
        """The records in a request's body, their cells typed. Raises RefusedError."""
        try:
            return Parsed(*_read(self.records, body), Counter())
        except ValidationError as error:
            found, refused = error.errors(include_url=False), RefusedError.of(error)
        if self._free and all(each["type"] in UNEXPECTED for each in found):
            counts = Counter((str(each["loc"][-1]), UNEXPECTED[each["type"]]) for each in found)
            with suppress(ValidationError):
                return Parsed(*_read(self._free, body), counts)
        raise refused

    def read_truths(self, body: bytes) -> list[Record]:
        """What really was: `truth`, and the `id` of the prediction or the `key` of the record.

        Raises RefusedError.
        """
        try:
            found, _ = _read(self.truths, body)
        except ValidationError as error:
            raise RefusedError.of(error) from error
        return found


def _typed_dict(name: str, columns: list[dict[str, Any]]) -> Any:
    return _strict(name, {column["name"]: _field(column) for column in columns})


def _strict(name: str, fields: dict[str, Any]) -> Any:
    made: Any = TypedDict(name, fields)  # type: ignore[misc]
    return with_config(ConfigDict(extra="forbid"))(made)


def _truth(meta: dict[str, Any]) -> Any:
    """By the id of the prediction, or by the record's key if it has one."""
    classes = tuple(meta["classes"])
    truth = {"truth": Literal[classes] if classes else FiniteFloat}
    by_id = _strict("TruthById", {"id": Annotated[str, Field(pattern=ID)]} | truth)
    keys = [column | {"required": True} for column in meta["columns"] if column["key"]]
    if not keys:
        return by_id
    return by_id | _strict("TruthByKey", {"key": _typed_dict("Key", keys)} | truth)


def _adapters(kind: Any, most: int) -> tuple[Adapter, Adapter]:
    """For one, and for a list of them."""
    several = Annotated[list[kind], Field(min_length=1, max_length=most)]
    return TypeAdapter(kind), TypeAdapter(several)


def _read(adapters: tuple[Adapter, Adapter], body: bytes) -> tuple[list[Record], bool]:
    one, several = adapters
    if body.lstrip()[:1] == b"[":
        return several.validate_json(body), True
    return [one.validate_json(body)], False


def _field(column: dict[str, Any]) -> Any:
    """The type of a cell. What the model does not read may be there, and may be anything."""
    if not column["used"]:
        return NotRequired[Annotated[Any, Field(description="not read by the model")]]
    kind = _text(column) if column["type"] == "string" else KINDS[column["type"]]
    stated = {"ge": column["minimum"], "le": column["maximum"]}
    limits: dict[str, Any] = INTEGERS if column["type"] == "integer" else {}
    limits = limits | {name: limit for name, limit in stated.items() if limit is not None}
    if limits:
        kind = Annotated[kind, Field(**limits)]
    told = Field(description=column["description"] or None)
    if column["required"]:
        return Annotated[kind, told]
    return NotRequired[Annotated[kind | None, told]]


def _text(column: dict[str, Any]) -> Any:
    """A text as the contract cleans it: trimmed, spelled as meant, None where it says nothing."""
    missing, spelling = frozenset(column["missing"]), column["spelling"]

    def cleaned(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        text = text.strip()
        return None if text in missing else spelling.get(text, text)

    kind: Any = Literal[tuple(column["categories"])] if column["categories"] else str
    if not column["required"]:
        return Annotated[kind | None, BeforeValidator(cleaned)]
    nothing = rf"^{BLANK}({'|'.join(map(re.escape, sorted(missing)))}){BLANK}$"
    told = Field(json_schema_extra={"not": {"pattern": nothing}})
    return Annotated[kind, BeforeValidator(cleaned), told]


def _fault(error: Any) -> Fault:
    place = list(error["loc"])
    record = place.pop(0) if place and isinstance(place[0], int) else 0 if place else None
    # The names of alternatives are no columns.
    columns = [str(part) for part in place if not str(part).startswith("Truth")]
    column = columns[-1] if columns else None
    rule = RULES.get(error["type"], "readable")
    if column and error["input"] is None:
        rule = "required"
    value = "" if rule in ("required", "JSON") else str(error["input"])[:SHOWN]
    message = f"{column} breaks the rule {rule}: '{value}'" if column else error["msg"]
    return Fault(record=record, column=column, rule=rule, value=value, message=message)
