"""Reads the body of a request, in memory that is bounded by the body, whatever is wrong with it.

pydantic makes a fault of a kilobyte for each key that it does not know, and one that holds the
whole record for each that is missing. So a body is read without either, and keys are counted; only
where that does not add up is it read again, record by record, until there are SHOWN faults.
"""

import json
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from pydantic_core import to_json
from typing_extensions import TypedDict

from .faults import SHOWN, Fault, RefusedError, describe_fault

Record = dict[str, Any]
DEPTH = 3  # a record, its cells, and what one may hold that should be no list or object
KEY = re.compile(rb'"\s*:')  # at least one match for each key


class Repeating(dict[str, Any]):
    """An object that says one of its keys `twice`."""

    twice: str


class Body:
    """Reads one of a kind, or `most` of them in a list.

    `names` are all keys that may occur. `quick` is the same kind but for its keys that are
    `required`.
    """

    def __init__(
        self, kind: Any, names: set[str], most: int, quick: Any, required: set[str]
    ) -> None:
        limits: Any = {"min_length": 1, "max_length": most}
        several = Annotated[list[quick], Field(**limits, fail_fast=True)]
        self.one: TypeAdapter[Any] = TypeAdapter(kind)
        self._quick: TypeAdapter[Any] = TypeAdapter(quick)
        self._several: TypeAdapter[Any] = TypeAdapter(several)
        self.type = kind | Annotated[list[kind], Field(**limits)]
        self._names, self._required, self._most = names, required, most

    def read(self, body: bytes) -> tuple[list[Record], bool]:
        """Return the records, their cells typed, and whether they came as a list.

        Raises RefusedError.
        """
        many = body.lstrip()[:1] == b"["
        try:
            found = (self._several if many else self._quick).validate_json(body, extra="ignore")
        except ValidationError as error:
            [first, *_] = error.errors(include_url=False, include_input=False)
            if first["type"] == "json_invalid" or (many and not first["loc"]):
                raise RefusedError([describe_fault({**first, "input": ""})]) from error
            raise RefusedError(self._list_faults(body)) from error
        records: list[Record] = found if many else [found]
        whole = all(self._required <= record.keys() for record in records)
        keys = len(KEY.findall(body))
        counted = keys == sum(map(len, records)) or keys == sum(map(_count_keys, records))
        if not (whole and counted) and (faults := self._list_faults(body)):
            raise RefusedError(faults)
        return records, many

    def list_errors(self, body: bytes) -> Iterator[Any]:
        """Yield what pydantic says is wrong, a record after the other."""
        for place, record in enumerate(_parse(body)):
            try:
                self.one.validate_json(to_json(self._trim(record), inf_nan_mode="constants"))
            except ValidationError as error:
                for each in error.errors(include_url=False):
                    yield {**each, "loc": (place, *each["loc"])}

    def _list_faults(self, body: bytes) -> list[Fault]:
        """List the first SHOWN faults of a body that is JSON."""
        records = _parse(body)
        if (count := len(records)) > self._most:
            message = f"a request has at most {self._most} records, not {count}"
            rule = "number of records"
            return [Fault(record=None, column=None, rule=rule, value="", message=message)]
        repeated = (
            _describe_repeated(place, part.twice)
            for place, record in enumerate(records)
            for part in (record, *(record.values() if isinstance(record, dict) else ()))
            if isinstance(part, Repeating)
        )
        others = map(describe_fault, self.list_errors(body))
        return list(islice(chain(repeated, others), SHOWN))

    def _trim(self, value: Any, depth: int = DEPTH) -> Any:
        """Leave out what only makes faults long: each of them holds the record that it is in."""
        if not depth:
            return None
        if isinstance(value, list):
            return [self._trim(each, depth - 1) for each in value[:SHOWN]]
        if not isinstance(value, dict):
            return value
        kept = self._names | set(islice((name for name in value if name not in self._names), SHOWN))
        return {name: self._trim(value[name], depth - 1) for name in value if name in kept}


def make_strict_type(name: str, fields: dict[str, Any]) -> Any:
    """Make the type of an object that has these keys and no others."""
    made: Any = TypedDict(name, fields)  # type: ignore[misc]
    return with_config(ConfigDict(extra="forbid"))(made)


def _count_keys(value: Any) -> int:
    return len(value) + sum(_count_keys(cell) for cell in value.values() if type(cell) is dict)


def _parse(body: bytes) -> list[Any]:
    """Read JSON that pydantic has read already, as a list in any case."""
    parsed = json.loads(body.decode(), object_pairs_hook=_make_object)
    return parsed if isinstance(parsed, list) else [parsed]


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    repeating, seen = Repeating(made), set()
    for name, _ in pairs:
        if name in seen:
            repeating.twice = name
            break
        seen.add(name)
    return repeating


def _describe_repeated(place: int, name: str) -> Fault:
    shown = name[:SHOWN]
    message = f"{shown} stands twice in one record; write each column once"
    return Fault(record=place, column=shown, rule="once", value="", message=message)
