"""What is wrong with a delivered file, said in one sentence before anything is made of it.

It is looked through line by line, then parsed once as in the pipeline, and never held in memory.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import polars as pl

from ..core.errors import UserError
from ..data.column_names import MARK
from ..data.sources import (
    LONGEST_LINE,
    SEPARATORS,
    extension,
    open_unpacked,
    read_header,
    read_lines,
    scan_file,
)
from .foreign_formats import refuse_disguised
from .json_numbers import refuse_rounded_numbers
from .json_records import refuse_faulty_records

PRINTABLE = bytes({*b"\t\n\v\f\r", *range(0x20, 0x100)} - {0x7F})
UNPACKING = (EOFError, gzip.BadGzipFile, zlib.error)
OPEN_QUOTE = 'a " is opened and never closed'
STRAY_QUOTE = 'a " stands within a field that is not in quotes'
STRAY_RETURN = "a carriage return stands within a field that is not in quotes"
MANY = "lists, where a cell holds one value (or label): give each value a row or a column"
UNUSABLE = {
    pl.List: MANY,
    pl.Array: MANY,
    pl.Struct: "objects without members: give each value a column",
    pl.Duration: "durations: make them numbers, such as seconds",
    pl.Binary: "bytes, such as images: measure or embed what they show",
}


def inspect(path: Path) -> tuple[list[str], int]:
    """Return the columns and row count of a sound file. Raises UserError for the first fault."""
    try:
        head = read_head(path)
        if extension(path) != ".parquet":
            check_text(path, head)
        walked = _count_rows(path) if extension(path) in SEPARATORS else None
        table = scan_file(path)
        schema = table.collect_schema()
        every_cell = table.select(pl.len(), pl.all().null_count().name.suffix(" nulls"))
        rows = every_cell.collect(engine="streaming").item(0, 0)
        if walked not in (None, rows):
            raise csv.Error(STRAY_QUOTE)
    except UNPACKING as error:
        raise UserError(f"{path.name}: it is not a whole gzip file; deliver it again.") from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, csv.Error) as error:
        refuse_faulty_records(path)  # which knows more
        raise UserError(
            f"{path.name} cannot be read as {extension(path)[1:]}: {_explain(error)}; correct it "
            "or export it again."
        ) from error
    for name, dtype in schema.items():
        if MARK in name:
            raise UserError(
                f"{path.name}: the name of column {name!r} holds the control character \\x1f; "
                "rename it."
            )
        if unusable := next((why for kind, why in UNUSABLE.items() if dtype == kind), None):
            raise UserError(f"{path.name}: column '{name}' holds {unusable}, or leave it out.")
    if rows < 1:
        raise UserError(f"{path.name}: it has column names but no row; deliver some rows.")
    refuse_faulty_records(path, table)
    refuse_rounded_numbers(path, table)
    return schema.names(), rows


def _explain(error: BaseException) -> str:
    """Say in words of ours what a reader has met."""
    text = str(error)
    words = {
        "CSV malformed": STRAY_QUOTE,
        "new-line character": STRAY_RETURN,
        "unexpected end of data": OPEN_QUOTE,
        "expected after": STRAY_QUOTE,
        STRAY_QUOTE: STRAY_QUOTE,
    }
    place = text.partition(": ")[0] + ": " if text.startswith("row ") else ""
    known = next((meaning for part, meaning in words.items() if part in text), "")
    return f"{place}{known}" if known else "it is damaged, or not whole"


def read_head(path: Path) -> bytes:
    """Read the first bytes, unpacked. Raises UserError if there are none, or cannot be read."""
    try:
        with open_unpacked(path) as stream:
            head: bytes = stream.read(1 << 16)
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file; check the path.") from error
    except UNPACKING as error:
        raise UserError(f"{path.name}: it is not a whole gzip file; deliver it again.") from error
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise UserError(f"{path.name}: the file is empty; deliver one with a header and rows.")
    return head


def check_text(path: Path, head: bytes) -> None:
    """Raise UserError if the first bytes of a file are not those of text."""
    refuse_disguised(path, head)
    if len(head.translate(None, PRINTABLE)) > len(head) / 100:
        raise UserError(
            f"{path.name}: it is binary, not text; export the table as CSV or Parquet, or name its "
            "encoding, such as --encoding utf-16."
        )


def _count_rows(path: Path) -> int:
    """Count the rows of a text file. Raises UserError for the first of another width."""
    names, mark = read_header(path)
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"{path.name}: several columns are called '{twice[0]}'; rename them.")
    csv.field_size_limit(LONGEST_LINE)
    rows = -1
    try:
        for width in _read_widths(read_lines(path), mark):
            rows += bool(width) or rows >= 0
            if width and width != len(names):
                raise UserError(
                    f"{path.name}: row {rows} (the header is row 0) has {width} fields where the "
                    f"header has {len(names)}; quote fields that hold '{mark}', repair the row, or "
                    "say --skip N if lines stand above the header, or --comment '#' if some are "
                    "remarks."
                )
    except csv.Error as error:
        raise csv.Error(f"row {rows + 1} (the header is row 0): {error}") from error
    return rows


def _read_widths(stream: Iterator[str], mark: str) -> Iterator[int]:
    """Count the fields of each row. csv, which is slow, gets only the lines that need it, and
    those that belong to them. Raises csv.Error for a stray quote.
    """
    for line in stream:
        text = line.rstrip("\r\n")
        if '"' in text or "\r" in text:
            yield len(next(csv.reader(chain([line], stream), delimiter=mark, strict=True)))
        else:
            yield text.count(mark) + 1 if text else 0
