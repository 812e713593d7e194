"""Dates written as numbers: days as spreadsheets count them, or seconds (or parts) since 1970.

In a contract they stand among the `formats` of a column, under a name instead of a pattern.
"""

import polars as pl

DAY = 86_400_000_000  # microseconds
START = 25_569  # the number that spreadsheets give to 1970-01-01
MICROSECONDS = {"excel": DAY, "epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
FORMS = (*MICROSECONDS, "epoch_ns")


def read_number(text: pl.Expr, form: str) -> pl.Expr:
    """Read a time in UTC, to the millisecond if it is told in days; null if it is no number."""
    if form == "epoch_ns":  # beyond what a float holds exactly
        return (text.cast(pl.Int64, strict=False) // 1_000).cast(pl.Datetime("us"))
    number = text.cast(pl.Float64, strict=False)
    if form == "excel":
        passed = ((number - START) * (DAY // 1_000)).round() * 1_000
    else:
        passed = (number * MICROSECONDS[form]).round()
    return passed.cast(pl.Int64, strict=False).cast(pl.Datetime("us"))


def write_number(cell: pl.Expr, form: str) -> pl.Expr:
    """Write a time as the text of such a number, whole where it is."""
    passed = cell.cast(pl.Datetime("us")).dt.epoch("us")
    if form == "epoch_ns":
        return (passed * 1_000).cast(pl.String)
    passed = passed + (START * DAY if form == "excel" else 0)
    unit = MICROSECONDS[form]
    whole = (passed // unit).cast(pl.String)
    return pl.when(passed % unit == 0).then(whole).otherwise((passed / unit).cast(pl.String))
