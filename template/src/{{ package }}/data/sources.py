"""Files of any known format as one kind of lazy table (inspection.py says what is wrong)."""

import codecs
import csv
import gzip
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import polars as pl

from ..errors import UserError

FORMATS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
SEPARATORS = {".csv": ",;\t|", ".tsv": "\t"}
LONGEST_LINE = 1_000_000  # bytes
HEAD = 1 << 16  # bytes looked at to tell the separator


def read(path: Path) -> pl.LazyFrame:
    """The rows of a file, streamed when collected (a JSON array is read whole).

    From CSV and TSV every column is String and an empty cell is null; nothing is guessed. From
    typed formats each column is Int64, Float64, Boolean, Date, Datetime("us", UTC) or String.
    Blanks around column names are dropped; a column without a name is called `column_N`.
    Raises UserError for an extension that is not in FORMATS (each may be followed by .gz).
    """
    table = scan(path)
    schema = table.collect_schema()
    return table.select(
        _plain(pl.nth(place), dtype).alias(name)
        for place, (dtype, name) in enumerate(
            zip(schema.dtypes(), column_names(schema.names()), strict=True)
        )
    )


def scan(path: Path) -> pl.LazyFrame:
    """The file as polars reads it, with the names and types found there."""
    return _READERS[extension(path)](path)


def extension(path: Path, shown: str = "") -> str:
    """The format's extension without .gz. Raises UserError (calling it `shown`) for another."""
    name = path.name.lower().removesuffix(".gz")
    found = next((form for form in FORMATS if name.endswith(form)), None)
    if found is None:
        raise UserError(
            f"{shown or path}: the file name must end in {', '.join(FORMATS)}, each also with .gz; "
            "rename or export the table to one of them."
        )
    return found


def column_names(header: list[str]) -> list[str]:
    """Header cells as column names, `column_N` (from 1) where the cell is blank."""
    return [name.strip() or f"column_{place}" for place, name in enumerate(header, 1)]


def opened(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked if it is gzipped."""
    packed = path.name.lower().endswith(".gz")
    return cast(IO[bytes], gzip.open(path, "rb")) if packed else path.open("rb")


def lines(path: Path, shown: str) -> Iterator[str]:
    """The file's lines, one at a time. Raises UserError for a line that is not text."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    position, number = 0, 0
    with opened(path) as stream:
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise UserError(
                    f"{shown}: line {number} is longer than {LONGEST_LINE:,} bytes, so this is not "
                    "a table with one row a line; export it again."
                )
            if b"\r" in line.rstrip(b"\r\n") and b"\n" not in line:
                raise UserError(f"{shown}: its lines end in CR only; save it with LF line ends.")
            try:
                text = decoder.decode(line)
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{shown}: line {number} is not UTF-8 (byte 0x{line[error.start]:02x} at "
                    f"position {position + error.start}); name the file's encoding, "
                    "such as --encoding cp1252."
                ) from error
            if "\0" in text:
                raise UserError(f"{shown}: line {number} holds a zero byte; it is damaged.")
            position += len(line)
            yield text


def separator(path: Path) -> str:
    """The delimiter that cuts the first lines into most columns, best into equally many."""
    with opened(path) as stream:
        head = stream.read(HEAD).decode("utf-8-sig", errors="replace")
    lines = head.splitlines(keepends=True)
    sample = lines[:-1] if len(head) >= HEAD and len(lines) > 1 else lines

    def regularity(mark: str) -> tuple[bool, int]:
        widths = [
            len(row)
            for row in csv.reader(io.StringIO("".join(sample), newline=None), delimiter=mark)
            if row
        ]
        return bool(widths) and widths[0] > 1 and len(set(widths)) == 1, (widths or [0])[0]

    return max(SEPARATORS[extension(path)], key=regularity)


def _text(path: Path) -> pl.LazyFrame:
    return pl.scan_csv(path, separator=separator(path), infer_schema=False, glob=False)


def is_json_array(path: Path) -> bool:
    """Whether a JSON file is one array of records, rather than one record a line."""
    with opened(path) as stream:
        return stream.read(HEAD).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def _json(path: Path) -> pl.LazyFrame:
    if not is_json_array(path):
        return _json_lines(path)
    with opened(path) as stream:
        return pl.read_json(stream.read(), infer_schema_length=None).lazy()


def _json_lines(path: Path) -> pl.LazyFrame:
    return pl.scan_ndjson(path, infer_schema_length=None)


def _parquet(path: Path) -> pl.LazyFrame:
    if path.name.lower().endswith(".gz"):
        with opened(path) as stream:
            return pl.read_parquet(stream.read()).lazy()
    return pl.scan_parquet(path, glob=False)


_READERS: dict[str, Callable[[Path], pl.LazyFrame]] = {
    ".csv": _text,
    ".tsv": _text,
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}


def _plain(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """One type of each kind. Integers beyond 64 bits stay exact as text."""
    if dtype in (pl.UInt64, pl.Int128, pl.UInt128):
        return column.cast(pl.String)
    if dtype.is_integer():
        return column.cast(pl.Int64)
    if dtype.is_numeric():
        return column.cast(pl.Float64)
    if isinstance(dtype, pl.Datetime):
        zoned = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        return zoned.dt.replace_time_zone(None).cast(pl.Datetime("us"))
    if dtype in (pl.Boolean, pl.Date, pl.String):
        return column
    return column.cast(pl.String, strict=False)
