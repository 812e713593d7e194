"""Reads a cell of JSON as data/cells.py reads one of a table: the same value, or a refusal.

pydantic alone takes `true` for 1, `"1_089"` for 1089 and `"20200101"` for seconds since 1970.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from pydantic_core import PydanticCustomError

WHOLE = re.compile(r"([+-]?[0-9]+)(?:\.0*)?", re.ASCII)
MOMENT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6}0*)?(?:Z|[+-]\d{2}:?\d{2})?)?))?",
    re.ASCII,
)
MIDNIGHT = re.compile(r"00:00(:00(\.0*)?)?", re.ASCII)
EARLIEST = "1000"  # a year before it was meant otherwise
BOOLEANS = {"true", "t", "yes", "y", "1", "false", "f", "no", "n", "0"}
Reader = Callable[[Any], Any]


def make_reader(
    kind: str,
    missing: frozenset[str] = frozenset(),
    spelling: Mapping[str, str] = MappingProxyType({}),
) -> Reader:
    """Make what brings a cell of a column that is no text into the form that pydantic reads.

    `missing` says that there is no value; `spelling` is what other texts mean.
    """
    bring: Reader = {
        "integer": _bring_integer,
        "number": _bring_number,
        "boolean": _bring_boolean,
        "date": _bring_date,
        "timestamp": _bring_time,
    }[kind]

    # A truth value is no number, and 1.0 no truth value.
    wrong = {"integer": bool, "number": bool, "boolean": float}.get(kind)

    def read(cell: Any) -> Any:
        given = type(cell)
        if given is str:
            text = cell.strip()
            return None if text in missing else bring(spelling.get(text, text))
        if given is wrong:
            raise _refuse(kind)
        return cell

    return read


def _bring_integer(text: str) -> str:
    if whole := WHOLE.fullmatch(text):
        return whole[1]
    raise _refuse("integer")


def _bring_number(text: str) -> str:
    if "_" in text:
        raise _refuse("number")
    return text


def _bring_boolean(text: str) -> str:
    if text.lower() in BOOLEANS:
        return text
    raise _refuse("boolean")


def _bring_date(text: str) -> date:
    moment = MOMENT.fullmatch(text)
    if moment and (not moment[4] or MIDNIGHT.fullmatch(moment[4])):
        with suppress(ValueError):
            return datetime.fromisoformat(_write(moment)).date()
    raise _refuse("date")


def _bring_time(text: str) -> datetime:
    if moment := MOMENT.fullmatch(text):
        with suppress(ValueError):
            return datetime.fromisoformat(_write(moment))
    raise _refuse("timestamp")


def _write(moment: re.Match[str]) -> str:
    """Write a time as ISO 8601 does. Raises ValueError if its year was meant otherwise."""
    if moment[1] < EARLIEST:
        raise ValueError(moment[1])
    return f"{moment[1]}-{moment[2]:0>2}-{moment[3]:0>2}T{moment[4] or '00:00'}"


def _refuse(kind: str) -> PydanticCustomError:
    """Make an error that faults.py describes as pydantic's own of this kind."""
    names = {"integer": "int", "number": "float", "boolean": "bool", "timestamp": "datetime"}
    return PydanticCustomError(f"{names.get(kind, kind)}_parsing", "not to be read")
