"""Dates that look like numbers: read where it is said that they are dates, else only proposed.

A column of 20240101 or 1704067200 could be anything. With --time (or --dates) it is a date, and
its numbers say of which kind; without, a line tells how to say so, and it stays a number.
"""

import re
from collections.abc import Iterator

import polars as pl

from ..data import cells
from ..data.column_names import values_of
from ..data.contract import DEFAULT_MISSING, NUMERIC, Column
from .type_inference import share_of

MOST = 0.95  # of the numbers must be such dates
LIMITS = {  # of dates from about 1900 or 1979 to 2100; no two overlap
    "%Y": (1_900, 2_100),
    "excel": (20_000, 80_000),
    "%Y%m": (190_001, 210_012),
    "%Y%m%d": (19_000_101, 21_001_231),
    "epoch_s": (3e8, 4e9),
    "epoch_ms": (3e11, 4e12),
    "%Y%m%d%H%M%S": (19e12, 21e12),
    "epoch_us": (3e14, 4e15),
    "epoch_ns": (3e17, 4e18),
}
UNMISTAKABLE = ("%Y%m%d", "%Y%m%d%H%M%S")  # whatever the column is called
NAMED = re.compile(  # names of columns that hold dates
    r"date|time|datum|day|month|moment|when|(^|_)(at|on|ts|dt|dob|born|created|updated|seen)(_|$)",
    re.IGNORECASE,
)


def find_time_format(sample: pl.DataFrame, time: str | None) -> dict[str, tuple[str, ...]]:
    """Find how the column that tells the time writes it as a number; {} if it does not."""
    if time is None or time not in sample.columns:
        return {}
    form = find_format(values_of(sample, time))
    return {time: (form,)} if form else {}


def find_format(cell: pl.Series) -> str | None:
    """Find the one way in which nearly all numbers of a column are dates of our time."""
    if cell.dtype.is_temporal() or cell.dtype == pl.Boolean:
        return None
    text = cell.cast(pl.String).str.strip_chars()
    text = text.filter(text.is_not_null() & ~text.is_in(DEFAULT_MISSING))
    number = text.cast(pl.Float64, strict=False)
    for form, (low, high) in LIMITS.items():
        if share_of(number.is_between(low, high)) >= MOST:
            reads = read_as(text, form).is_not_null()
            return form if share_of(reads) >= MOST else None
    return None


def read_as(text: pl.Series, form: str) -> pl.Series:
    """Read texts as times in one format."""
    return (
        text.alias("text").to_frame().select(cells.read_time(pl.col("text"), (form,))).to_series()
    )


def note_dates(
    sample: pl.DataFrame, columns: tuple[Column, ...], time: str | None
) -> Iterator[str]:
    """Say how the time was read from numbers, and which other numbers might be dates."""
    for column in columns:
        cell = values_of(sample, column.name)
        if any("%y" in form for form in column.formats):
            yield _note_century(cell, column)
            continue
        form = find_format(cell)
        if form is None:
            continue
        text = cell.cast(pl.String).drop_nulls().head(1)
        meaning = f"{text.item()} is {read_as(text, form).dt.to_string('iso').item()[:19]}"
        if column.name == time and form in column.formats:
            yield f"'{column.name}' is read as a time by the format {form} ({meaning})."
        elif column.type in NUMERIC and column.is_input and seems_dated(column.name, form):
            yield (
                f"'{column.name}' stays a number: if it is a date ({meaning}), start over with "
                f"--replace --dates '{column.name}={form}'."
            )


def _note_century(cell: pl.Series, column: Column) -> str:
    """Say how the latest of dates with two digits for the year is read."""
    text = cell.alias("text").cast(pl.String).str.strip_chars().drop_nulls().to_frame()
    dates = text.select("text", date=cells.read_time(pl.col("text"), column.formats)).drop_nulls()
    latest, date = dates.sort("date").row(-1)
    return f"'{column.name}': '{latest}' is read as {date.date()}; the year has two digits."


def seems_dated(name: str, form: str) -> bool:
    """Tell whether numbers that could be dates are likely to be some, by the column's name."""
    return form in UNMISTAKABLE or (form != "%Y" and bool(NAMED.search(name)))
