"""Files of any known format as one kind of lazy table (inspection.py says what is wrong)."""

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from ..core.errors import UserError
from .column_names import col, cols

FORMATS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
SEPARATORS = {".csv": ",;\t|", ".tsv": "\t"}
LONGEST_LINE = 1_000_000  # bytes


def scan_file(path: Path) -> pl.LazyFrame:
    """Scan the rows of a file, streamed when collected (a JSON array is read whole).

    From CSV and TSV every column is String and an empty cell is null, nothing is guessed; from
    typed formats the columns are of the types found there, and a field of an object is a column,
    called by both names with a dot between. Blanks around column names are dropped; a column
    without a name is called `column_N`. Raises UserError for an unknown extension.
    """
    form = extension(path)
    if form in SEPARATORS:
        names, mark = read_header(path)
        return pl.scan_csv(path, separator=mark, infer_schema=False, new_columns=names, glob=False)
    if form == ".parquet":
        table = pl.scan_parquet(open_unpacked(path))
    elif form == ".json":
        table = pl.read_json(open_unpacked(path), infer_schema_length=None).lazy()
    else:
        table = pl.scan_ndjson(path, infer_schema_length=None)
    table = flatten_objects(table)
    names = table.collect_schema().names()
    return table.rename(dict(zip(names, name_columns(names), strict=True)))


def flatten_objects(table: pl.LazyFrame) -> pl.LazyFrame:
    """Give each member of a column that holds objects a column of its own, as `buyer.town`."""
    while members := _list_members(table):
        renamed = [col(name).struct.rename_fields(names) for name, names in members.items()]
        table = table.with_columns(renamed).unnest(cols(members))
    return table


def _list_members(table: pl.LazyFrame) -> dict[str, list[str]]:
    """List the columns that hold objects, and what to call their members."""
    return {
        name: [f"{name}.{member.name}" for member in dtype.fields]
        for name, dtype in table.collect_schema().items()
        if isinstance(dtype, pl.Struct) and dtype.fields
    }


def extension(path: Path) -> str:
    """Return the extension without .gz. Raises UserError for one that is not in FORMATS."""
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    if ending not in FORMATS:
        raise UserError(
            f"{path.name}: the file name must end in {', '.join(FORMATS)}, each also with .gz; "
            "rename or export the table to one of them."
        )
    return ending


def open_unpacked(path: Path) -> Any:
    """Open the file's bytes as a stream, unpacked if it is gzipped."""
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def name_columns(header: list[str]) -> list[str]:
    """Make column names of header cells, `column_N` (from 1) where the cell is blank."""
    return [name.strip() or f"column_{place}" for place, name in enumerate(header, 1)]


def read_header(path: Path) -> tuple[list[str], str]:
    """Read the column names of a text file, and its separator: the one that cuts out the most."""
    names = {}
    for mark in SEPARATORS[extension(path)]:
        rows = csv.reader(read_lines(path), delimiter=mark)
        names[mark] = name_columns(next(filter(None, rows), []))
    mark = max(names, key=lambda mark: len(names[mark]))
    return names[mark], mark


def read_lines(path: Path) -> Iterator[str]:
    """Read the file's lines, one at a time. Raises UserError for one too long, or not in UTF-8."""
    number = 0
    with open_unpacked(path) as stream:
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            if b"\0" in line:
                raise UserError(
                    f"{path.name}: line {number} holds a NUL byte, so this is not (only) text; "
                    "export it again, or name its encoding, such as --encoding utf-16."
                )
            if len(line) > LONGEST_LINE:
                raise UserError(
                    f"{path.name}: line {number} is longer than {LONGEST_LINE:,} bytes, so this is "
                    "not a table with one row a line; export it again."
                )
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{path.name}: line {number} is not UTF-8 (byte 0x{line[error.start]:02x} at "
                    f"its position {error.start}); name the encoding, such as --encoding cp1252."
                ) from error
            yield text
