"""How one cell is read: expressions that make text, or a typed value, what the contract says."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from .contract import Column, Type

DTYPES: dict[Type, pl.DataType] = {
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "string": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
}

BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}
DATE = "%Y-%m-%d"
TIMES = tuple(
    f"%Y-%m-%d{between}{time}"
    for between in "T "
    for time in ("%H:%M:%S%.f", "%H:%M", "%H:%M:%S%.f%#z")
)
FORMATS: dict[Type, tuple[str, ...]] = {"date": (DATE, *TIMES), "timestamp": (*TIMES, DATE)}
THOUSANDS = {".": "[,' \u00a0\u202f]", ",": "[.' \u00a0\u202f]"}  # by the decimal mark
EARLIEST = datetime(1000, 1, 1)  # 1/2/13 read by %Y is in the year 13: not what was meant
JOIN = "\x1f"
EXACT = 2**53  # integers up to here have a float of their own


def value(column: Column, dtype: pl.DataType, thorough: bool) -> pl.Expr:
    """The cell in the contract's type; null if it is blank, or not to be read that way."""
    if _fits(dtype, column.type):
        cell = pl.col(column.name)
        if isinstance(dtype, pl.Datetime) and dtype.time_zone:
            cell = cell.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return _finite(cell.cast(DTYPES[column.type], strict=False), column.type)
    text = _text(column, thorough)
    meant = text.replace(column.spelling) if column.spelling else text
    read = _parsed(meant, column, thorough)
    # Most spellings of "no value" read as nothing anyway; -999 and the like must be asked for.
    known = pl.DataFrame({column.name: column.missing}, schema={column.name: pl.String})
    if known.select(_parsed(pl.col(column.name), column, thorough)).drop_nulls().is_empty():
        return read
    return pl.when(~text.is_in(column.missing)).then(read)


def blank(column: Column, dtype: pl.DataType, thorough: bool = False) -> pl.Expr:
    """Whether the cell says that there is no value."""
    cell = pl.col(column.name)
    if _fits(dtype, column.type):
        return cell.is_null() | cell.is_nan() if dtype.is_float() else cell.is_null()
    return cell.is_null() | _text(column, thorough).is_in(column.missing)


def _text(column: Column, thorough: bool) -> pl.Expr:
    text = pl.col(column.name).cast(pl.String)
    return text.str.strip_chars() if thorough or column.type == "string" else text


def _parsed(text: pl.Expr, column: Column, thorough: bool) -> pl.Expr:
    if column.type == "string":
        return text
    if column.type == "boolean":
        lower = text.str.to_lowercase()
        return lower.replace_strict(BOOLEANS, default=None, return_dtype=pl.Boolean)
    if column.type in FORMATS:
        formats = column.formats or FORMATS[column.type]
        return moment(text, column.type, formats if thorough else formats[:1])
    return number(text, column.type, column.decimal, thorough)


def number(text: pl.Expr, wanted: Type, decimal: str = ".", thorough: bool = True) -> pl.Expr:
    """A finite number out of text; thoroughly: also with marks between thousands (1,234.5).

    5.0 is an integer only to a thorough reader.
    """
    read = _plain_number(text, wanted, decimal)
    if not thorough:
        return read
    between = THOUSANDS[decimal]
    grouped = rf"^[+-]?\d{{1,3}}({between}\d{{3}})+([{decimal}]\d*)?$"
    left = pl.when(read.is_null()).then(text)
    ungrouped = left.str.replace_all(between, "")
    odd = pl.when(left.str.contains(grouped)).then(ungrouped).otherwise(left)
    read = pl.coalesce(read, _plain_number(odd, wanted, decimal))
    if wanted == "number":
        return read
    near = _plain_number(odd, "number", decimal)
    whole = pl.when((near == near.round()) & (near.abs() <= EXACT)).then(near)
    return pl.coalesce(read, whole.cast(pl.Int64, strict=False))


def _plain_number(text: pl.Expr, wanted: Type, decimal: str) -> pl.Expr:
    if decimal == ",":
        no_point = pl.when(~text.str.contains(".", literal=True)).then(text)
        text = no_point.str.replace(",", ".", literal=True)
    return _finite(text.cast(DTYPES[wanted], strict=False), wanted)


def moment(text: pl.Expr, wanted: Type, formats: tuple[str, ...]) -> pl.Expr:
    """A date, or a time in UTC, by the first format that reads it and gives a four-digit year."""
    readings = []
    for form in formats:
        zone = "UTC" if form.endswith("z") else None
        read = text.str.to_datetime(form, strict=False, time_unit="us", time_zone=zone)
        readings.append(read.dt.replace_time_zone(None) if zone else read)
    first = pl.coalesce(pl.when(read >= EARLIEST).then(read) for read in readings)
    return first.cast(DTYPES[wanted])


def _fits(dtype: pl.DataType, wanted: Type) -> bool:
    """Whether values of a typed format can be taken as they are, not by way of text."""
    if wanted == "integer":
        return dtype.is_integer()
    if wanted == "number":
        return dtype.is_numeric()
    if wanted == "timestamp":
        return dtype in (pl.Datetime, pl.Date)
    return wanted in ("boolean", "date") and dtype == DTYPES[wanted]


def _finite(value: pl.Expr, wanted: Type) -> pl.Expr:
    return pl.when(value.is_finite()).then(value) if wanted == "number" else value


def listed(told: Sequence[tuple[pl.Expr, tuple[str, ...], pl.Expr]], fields: list[str]) -> pl.Expr:
    """For each row the list of structs of `fields` whose condition holds; null if there are none.

    Each entry of `told` is the condition, the first fields' texts, and the last field's value.
    The structs are built from joined texts: polars gathers a list of texts ten times faster.
    """
    texts = [
        pl.when(holds).then(
            pl.concat_str(
                pl.lit(JOIN.join(known)), last.cast(pl.String).fill_null(""), separator=JOIN
            )
        )
        for holds, known, last in told
    ]
    kept = pl.concat_list(texts).list.drop_nulls()
    split = pl.element().str.splitn(JOIN, len(fields)).struct.rename_fields(fields)
    return pl.when(kept.list.len() > 0).then(kept.list.eval(split))
