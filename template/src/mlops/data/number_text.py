"""Numbers as people write them, brought to the plain text that a cast reads exactly, and back.

A decimal point, digits and a sign are plain, and so is an exponent. All else is declared in the
contract: another decimal mark, thousands, a unit, how negative numbers look.
"""

from decimal import Decimal
from typing import NamedTuple

import polars as pl

from .contract import SCALES, Column, Mark, Negatives, Thousands

# The thousand, and above it each hundred, as in India: 12,34,567. It has no other reading.
LAKHS = "[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"
THOUSANDS = {",": ",", ".": r"\.", " ": r"\s", "'": r"['\u2019]"}  # \s is any blank
MINUS = "\u2212"  # the typographic minus sign
WHOLE = r"^[+-]?[0-9]+(?:\.0*)?$"
LARGEST = 2.0**53  # below it, every whole number is exact


class NumberForm(NamedTuple):
    """How the numbers of a column are written: fields of a `Column`, whose defaults are plain."""

    decimal: Mark = "."
    thousands: Thousands | None = None
    unit: str = ""
    negatives: Negatives = "sign"


def read_number(text: pl.Expr, column: Column, thorough: bool) -> pl.Expr:
    """Read a number that is written as the column declares; null if it is not, or is not finite, or
    is a whole number with more digits than are exact.
    """
    thorough = thorough or column.unit in SCALES
    plain = _make_plain(text, column) if thorough else _replace_decimal_mark(text, column)
    if column.type == "integer":
        whole = plain.str.replace(r"\.0*$", "") if thorough else plain
        return whole.cast(pl.Int64, strict=False)
    number = plain.cast(pl.Float64, strict=False)
    exact = number.abs() < LARGEST
    if thorough:
        digits = plain.str.extract(r"^\+?(-?[0-9]+)").cast(pl.Int128, strict=False)
        same = (number.cast(pl.Int128, strict=False) == digits).fill_null(False)
        exact = exact | ~plain.str.contains(WHOLE) | same
    return pl.when(number.is_finite() & exact).then(number)


def _make_plain(text: pl.Expr, column: Column) -> pl.Expr:
    """Take a sign, a unit and thousands that are declared out of the way of a cast."""
    unit = pl.escape_regex(column.unit)
    text = text.str.replace(MINUS, "-", literal=True)
    if column.negatives == "parentheses":
        text = text.str.replace(rf"^({unit})\s*\((.+)\)$", "(${1}${2})")
        text = text.str.replace(r"^\((.+)\)$", "-${1}")
    if column.negatives == "trailing":
        text = text.str.replace(rf"^([^-]+)-\s*({unit})$", "-${1}${2}")
        text = text.str.replace(r"^([^-]+)-$", "-${1}")
    bare = text
    if column.unit:
        bare = text.str.replace(rf"^([+-]?)\s*{unit}\s*", "${1}").str.replace(rf"\s*{unit}$", "")
    if column.thousands:
        mark = THOUSANDS[column.thousands]
        groups = rf"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+"
        groups += f"|{LAKHS}" if mark == "," else ""
        grouped = rf"^[+-]?(?:{groups})(?:[{column.decimal}][0-9]*)?$"
        bare = (
            pl.when(bare.str.contains(grouped)).then(bare.str.replace_all(mark, "")).otherwise(bare)
        )
    plain = _replace_decimal_mark(bare, column)
    if column.unit in SCALES:  # a number without it might be meant either way
        has_unit = text.str.contains(column.unit, literal=True)
        plain = pl.when(has_unit).then(plain + f"e{SCALES[column.unit]}")
    return plain


def _replace_decimal_mark(text: pl.Expr, column: Column) -> pl.Expr:
    """Put a point in the place of the decimal comma; a point that is there is no decimal mark."""
    if column.decimal == ".":
        return text
    without_point = pl.when(~text.str.contains(".", literal=True)).then(text)
    return without_point.str.replace(",", ".", literal=True)


def write_number(value: float, column: Column) -> str:
    """Write a finite number as the column reads it, without losing a digit."""
    text = str(value)
    if column.unit in SCALES:
        shifted = Decimal(text).scaleb(-SCALES[column.unit])
        text = f"{shifted:f}{column.unit}"
    return text.replace(".", column.decimal)
