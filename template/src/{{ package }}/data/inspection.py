"""What is wrong with a delivered file, said in one sentence before anything is made of it.

A quick look that streams through polars finds most files in order; only if something looks odd
does a slow look, line by line, find the place. Neither holds the file in memory.
"""

import csv
import gzip
import itertools
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import polars.exceptions

from ..errors import UserError
from .json_fault import json_fault
from .sources import LONGEST_LINE, column_names, extension, lines, opened, read, scan, separator

PRINTABLE = bytes({*b"\t\n\v\f\r", *range(0x20, 0x100)} - {0x7F})
RESERVED = {"_row", "_source", "_unreadable", "reasons"}
SIGNATURES = {
    b"PK\x03\x04": "an Excel workbook or ZIP archive; export the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; export the table as CSV",
    b"SQLite format 3": "a SQLite database; add it as sqlite:///PATH?TABLE",
    b"PAR1": "a Parquet file; give it the extension .parquet",
    b"\x1f\x8b": "compressed with gzip; add .gz to its name",
    b"%PDF": "a PDF document; export the table as CSV",
    b"\xff\xfe": "text in UTF-16; add --encoding utf-16",
    b"\xfe\xff": "text in UTF-16; add --encoding utf-16",
}
STRAY_QUOTES = 'a " stands within a field; put such fields in quotes and write the " twice'
READABLE = (pl.Boolean, pl.String, pl.Date, pl.Datetime, pl.Time, pl.Categorical, pl.Enum, pl.Null)


@dataclass(frozen=True)
class Facts:
    """What a sound file holds; `blank_lines` are lines outside quotes with nothing on them."""

    columns: list[str]
    rows: int
    blank_lines: int = 0


def inspect(path: Path, shown: str = "") -> Facts:
    """Look through the whole file. Raises UserError (calling it `shown`) for the first fault."""
    shown = shown or str(path)
    try:
        kind = extension(path, shown)
        _not_empty(path, shown)
        if kind in (".csv", ".tsv"):
            return _inspect_text(path, shown)
        return _inspect_typed(path, shown)
    except FileNotFoundError as error:
        raise UserError(f"{shown}: there is no such file; check the path.") from error
    except PermissionError as error:
        raise UserError(f"{shown}: no permission to read it; ask its owner for access.") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{shown}: it is not a whole gzip file; deliver it again.") from error


def _not_empty(path: Path, shown: str) -> None:
    with opened(path) as stream:
        head = stream.read(1 << 16)
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise UserError(f"{shown}: the file is empty; deliver one with a header and rows.")
    if extension(path) == ".parquet":
        return
    for signature, what in SIGNATURES.items():
        if head.startswith(signature):
            raise UserError(f"{shown}: this is not {extension(path)[1:]} but {what}.")
    if len(head.translate(None, PRINTABLE)) > len(head) / 100:
        raise UserError(f"{shown}: it is binary, not text; export the table as CSV or Parquet.")


# ---- CSV and TSV


def _inspect_text(path: Path, shown: str) -> Facts:
    mark = separator(path)
    names = _header(path, mark, shown)
    walked = None if _looks_regular(path, mark, len(names)) else _walk(path, mark, names, shown)
    parsed = _parsed(path, shown)
    rows, blank = walked or (parsed, 0)
    if rows + blank != parsed:
        raise UserError(f"{shown}: {STRAY_QUOTES}.")
    if rows < 1:
        raise UserError(f"{shown}: there is a header but no row below it; deliver some rows.")
    return Facts(names, rows, blank)


def _header(path: Path, mark: str, shown: str) -> list[str]:
    names = column_names(next(row for row in _rows(path, mark, shown) if row))
    _check_names(names, shown)
    return names


def _check_names(names: list[str], shown: str) -> None:
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise UserError(f"{shown}: {times} columns are called '{name}'; give each its own name.")
    if taken := RESERVED.intersection(names):
        raise UserError(f"{shown}: the name '{min(taken)}' is used by this project; rename it.")


def _looks_regular(path: Path, mark: str, width: int) -> bool:
    """True if no line has quotes and all have equally many separators: the usual, quick case."""
    line = pl.col("line")
    regular = (
        (line.str.count_matches(mark, literal=True) == width - 1)
        & (line.str.len_bytes() < LONGEST_LINE)
        & (line.str.len_bytes() > 0)
        & ~line.str.contains('"', literal=True)
        & ~line.str.contains("\0", literal=True)
    )
    try:
        found = pl.scan_lines(path, glob=False).select(regular.all()).collect(engine="streaming")
    except (polars.exceptions.PolarsError, OSError):
        return False
    return bool(found.item())


def _walk(path: Path, mark: str, names: list[str], shown: str) -> tuple[int, int]:
    """The numbers of rows and blank lines. Raises UserError for the first row of another width."""
    rows = blank = 0
    for row in itertools.islice(_rows(path, mark, shown), 1, None):
        if row and len(row) != len(names):
            raise UserError(
                f"{shown}: row {rows + 1} (the header is row 0) has {len(row)} fields where the "
                f"header has {len(names)}; quote fields that hold '{mark}', or repair the row."
            )
        rows, blank = rows + bool(row), blank + (not row)
    return rows, blank


def _rows(path: Path, mark: str, shown: str) -> Iterator[list[str]]:
    """All rows as fields, the header first, a blank line as []."""
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(lines(path, shown), delimiter=mark, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise UserError(
            f"{shown}: a quote is not closed, or followed by other text, at line "
            f"{reader.line_num} or before ({error}); write a quote within a field twice."
        ) from error


# ---- JSON and Parquet


def _inspect_typed(path: Path, shown: str) -> Facts:
    try:
        schema = scan(path).collect_schema()
    except (polars.exceptions.PolarsError, OSError) as error:
        raise json_fault(path, shown, error) from error
    for name, dtype in schema.items():
        if not (dtype.is_numeric() or dtype in READABLE):
            raise UserError(
                f"{shown}: column '{name}' holds {dtype}; flatten it to columns of plain values."
            )
    names = column_names(schema.names())
    if not names:
        raise UserError(f"{shown}: it has no columns; deliver one with columns and rows.")
    _check_names(names, shown)
    rows = _parsed(path, shown)
    if rows < 1:
        raise UserError(f"{shown}: it has columns but no row; deliver some rows.")
    return Facts(names, rows)


def _parsed(path: Path, shown: str) -> int:
    """The number of rows, after every cell was parsed once."""
    try:
        found = read(path).select(pl.len(), pl.all().null_count().name.suffix(" nulls"))
        return int(found.collect(engine="streaming").item(0, 0))
    except (polars.exceptions.PolarsError, OSError) as error:
        if extension(path) in (".csv", ".tsv"):
            raise UserError(f"{shown}: {STRAY_QUOTES}.") from error
        raise json_fault(path, shown, error) from error
