"""How one cell is read: expressions that make text, or a typed value, what the contract says.

Only a thorough reader trims, takes 1,234.0 for an integer and tries more than one date format.
"""

import re
from datetime import datetime

import polars as pl

from . import date_numbers
from .column_names import col
from .contract import Column, Type
from .number_text import read_number

DTYPES: dict[Type, pl.DataType] = {
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "string": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
}
TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
BOOLEANS = dict.fromkeys(TRUE, True) | dict.fromkeys(FALSE, False)
DATE, CLOCKS = "%Y-%m-%d", ("%H:%M:%S%.f", "%H:%M", "%H:%M:%S%.f%#z")
TIMES = tuple(f"{DATE}{between}{clock}" for between in "T " for clock in CLOCKS)
FORMATS: dict[Type, tuple[str, ...]] = {"date": (DATE, *TIMES), "timestamp": (*TIMES, DATE)}
YEARS = 1, 9999  # as Python's
FINER = r"\.[0-9]{6}[0-9]*[1-9]"  # than a microsecond
PARTS_OF_DATES = {"%m": "%[mbBhjsDFTxc+]", "%d": "%[dejsDFxc+]"}  # and what tells them too
EARLIEST = datetime(1000, 1, 1)  # 1/2/13 read by %Y is in the year 13: not what was meant


def read_cell(column: Column, dtype: pl.DataType, thorough: bool) -> pl.Expr:
    """Read a cell in the contract's type; null if it is blank, or not to be read exactly."""
    if is_taken_as_is(column, dtype):
        return _take_as_is(column, dtype)
    text = _as_text(column, dtype, thorough)
    meant = text.replace(column.spelling) if column.spelling else text
    return pl.when(~text.is_in(column.missing)).then(_parse(meant, column, thorough))


def is_blank(column: Column, dtype: pl.DataType, thorough: bool) -> pl.Expr:
    """Tell whether the cell says that there is no value."""
    cell = col(column.name)
    if is_taken_as_is(column, dtype):
        return cell.is_null() | cell.is_nan() if dtype.is_float() else cell.is_null()
    return cell.is_null() | _as_text(column, dtype, thorough).is_in(column.missing)


def is_taken_as_is(column: Column, dtype: pl.DataType) -> bool:
    """Tell whether values of a typed format are taken as they are, not by way of text."""
    if column.type in ("integer", "number"):
        return dtype.is_integer() or (dtype.is_numeric() and column.type == "number")
    if column.type == "timestamp":
        return dtype in (pl.Date, pl.Datetime)
    return column.type != "string" and dtype == DTYPES[column.type]


def write_cell(name: str, dtype: pl.DataType) -> pl.Expr:
    """Write a cell as text; a time of more than four digits a year, which polars may not write, as
    its number.
    """
    cell = col(name)
    if not isinstance(dtype, pl.Date | pl.Datetime):
        return cell.cast(pl.String)
    usual = pl.when(cell.dt.year().is_between(*YEARS)).then(cell)
    return pl.coalesce(usual.cast(pl.String), cell.to_physical().cast(pl.String))


def _take_as_is(column: Column, dtype: pl.DataType) -> pl.Expr:
    """Take a typed value; null if the contract's type does not hold it exactly."""
    cell = col(column.name)
    if isinstance(dtype, pl.Datetime):
        cell = (
            cell.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if dtype.time_zone else cell
        )
        dtype = pl.Datetime(dtype.time_unit)
    value = cell.cast(DTYPES[column.type], strict=False)
    if column.type in FORMATS:
        value = pl.when(value.dt.year().is_between(*YEARS)).then(value)
    elif column.type == "number" and dtype.is_float():
        return pl.when(value.is_finite()).then(value)
    return pl.when(value.cast(dtype, strict=False) == cell).then(value)


def _as_text(column: Column, dtype: pl.DataType, thorough: bool) -> pl.Expr:
    text = write_cell(column.name, dtype)
    return text.str.strip_chars() if thorough or column.type == "string" else text


def _parse(text: pl.Expr, column: Column, thorough: bool) -> pl.Expr:
    if column.type == "string":
        return text
    if column.type == "boolean":
        lower = text.str.to_lowercase()
        return lower.replace_strict(BOOLEANS, default=None, return_dtype=pl.Boolean)
    if column.type in FORMATS:
        day = column.type == "date"  # which has no time of day that could get lost
        formats = column.formats or FORMATS[column.type]
        moment = read_time(text, formats if thorough else formats[:1])
        return pl.when(moment.dt.date() == moment).then(moment.dt.date()) if day else moment
    return read_number(text, column, thorough)


def read_time(text: pl.Expr, formats: tuple[str, ...]) -> pl.Expr:
    """Read a time in UTC by the first format that fits and gives a four-digit year, if microseconds
    are all that it says.
    """
    readings = [_read_by_format(text, form) for form in formats]
    return pl.coalesce(pl.when(read >= EARLIEST).then(read) for read in readings)


def _read_by_format(text: pl.Expr, form: str) -> pl.Expr:
    if form in date_numbers.FORMS:
        return date_numbers.read_number(text, form)
    if re.fullmatch("(%[A-Za-z])+", form):  # a typed format may hold it as a number
        text = text.str.replace(r"\.0$", "")
    for part, directives in PARTS_OF_DATES.items():  # a month begins on its first day
        if not re.search(directives, form):
            text, form = text + " 01", f"{form} {part}"
    zone = "UTC" if form.endswith("z") else None
    read = text.str.to_datetime(form, strict=False, time_unit="us", time_zone=zone)
    exact = ~text.str.contains(FINER) if "%.f" in form else pl.lit(True)
    return pl.when(exact).then(read.dt.replace_time_zone(None))


def write_time(cell: pl.Expr, form: str) -> pl.Expr:
    """Write a time as the text that is read by the format."""
    in_numbers = form in date_numbers.FORMS
    return date_numbers.write_number(cell, form) if in_numbers else cell.dt.to_string(form)
