"""What is wrong with records in JSON, told by row and column.

The reader that the pipeline scans with (of polars) tells of a place within its memory. So what it
cannot read, and what it would change without a word, is looked for with Python's own, record by
record: a member that stands twice, a number that is none, a column of several kinds.
"""

import json
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from ..core.errors import UserError
from ..data.column_names import col
from ..data.sources import extension, open_unpacked

JSON = (".json", ".jsonl", ".ndjson")
LOOKED_AT = 1000  # records on lines; a program that repeats a member does so in each
MOST_BYTES = 1 << 25  # bytes of a document that is looked through as a whole
NUMBER, TEXT, OBJECT, LIST = "a number", "a text", "an object", "a list"
KINDS = {bool: "true or false", int: NUMBER, float: NUMBER, str: TEXT, dict: OBJECT, list: LIST}
WORDS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def refuse_faulty_records(path: Path, table: pl.LazyFrame | None = None) -> None:
    """Raise UserError for the first fault in a file of records.

    Of a `table` that was read from it, only the first records are looked at, or all if texts look
    as if objects had been made of them.
    """
    if extension(path) not in JSON:
        return
    try:
        _check_kinds(_read_records(path, table is None or _has_braces(table)))
    except ValueError as error:
        raise UserError(f"{path.name}: {error}.") from error


def _has_braces(table: pl.LazyFrame) -> bool:
    texts = [name for name, dtype in table.collect_schema().items() if dtype == pl.String]
    found = (col(name).str.contains(r"^[\[{]").any() for name in texts)
    braces = table.select(pl.any_horizontal(False, *found)).collect(engine="streaming")
    return bool(braces.item())


def _read_records(path: Path, whole: bool) -> Iterator[Any]:
    """Read the records, or the first of them. Raises ValueError, in words of ours, for no JSON."""
    with open_unpacked(path) as stream:
        if extension(path) == ".json":
            text = stream.read() if whole else stream.read(MOST_BYTES + 1)
            yield from _parse(text, "the file") if whole or len(text) <= MOST_BYTES else ()
            return
        for number, line in enumerate(stream if whole else islice(stream, LOOKED_AT), 1):
            if text := line.strip():
                yield _parse(text, f"line {number}")


def _parse(text: bytes, place: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_make_record)
    except json.JSONDecodeError as error:
        within = f" of line {error.lineno}" if error.lineno > 1 else ""
        where = f"character {error.colno}{within}"
        raise ValueError(
            f"{place} is no JSON from {where} on; correct it or export it again"
        ) from error
    except UnicodeDecodeError as error:
        byte = f"byte 0x{text[error.start]:02x} at its position {error.start}"
        raise ValueError(
            f"{place} is not valid UTF-8 ({byte}); name the encoding, such as --encoding cp1252"
        ) from error
    except RecursionError as error:
        raise ValueError(f"{place} nests lists or objects too deeply for a table") from error


def _make_record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"a record has the member '{repeated}' twice; give each a name of its own")
    return record


def _check_kinds(records: Iterator[Any]) -> None:
    """Raise ValueError for a number that is none, or a column of kinds that no type holds."""
    first: dict[str, tuple[str, int]] = {}
    for row, record in enumerate(records, 1):
        if not isinstance(record, dict):
            kind = KINDS.get(type(record), "null")
            raise ValueError(f'row {row} is {kind}, where a row is an object such as {{"size": 2}}')
        members = list(_list_members(record))
        names = [name for name, _ in members]
        if len({*names}) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"row {row} has column '{twice}' twice; rename one of the two")
        for name, value in members:
            if value is None:
                continue
            if isinstance(value, float) and not math.isfinite(value):
                word = WORDS[str(value)]
                raise ValueError(
                    f"row {row}: column '{name}' holds {word}, not a finite number; write null"
                )
            kind = KINDS[type(value)]
            known, since = first.setdefault(name, (kind, row))
            both = {kind, known}
            if len(both) > 1 and (TEXT not in both or both & {OBJECT, LIST}):
                raise ValueError(
                    f"column '{name}' holds {known} in row {since} and {kind} in row {row}; give "
                    "it one kind, or make two columns of it"
                )


def _list_members(record: dict[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """List the members of a record by the names of columns, those of objects by dotted ones."""
    for name, value in record.items():
        yield f"{within}{name}".strip(), value
        if isinstance(value, dict):
            yield from _list_members(value, f"{within}{name}.")
