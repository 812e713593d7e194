"""What the cells of a column tell about how its numbers are written, counted over a whole table."""

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from ..data.column_names import col
from ..data.contract import DEFAULT_MISSING, ODD_MISSING, SCALES, Mark
from ..data.number_text import MINUS

MOST = 0.95  # of the cells must be numbers for a column to be one of numbers
MIXED = 0.5  # of them, and it is a mixture that someone must look at
CURRENCIES = (
    *("AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EGP"),
    *("EUR", "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW", "MXN", "MYR", "NGN"),
    *("NOK", "NZD", "PEN", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SEK", "SGD"),
    *("THB", "TRY", "TWD", "UAH", "USD", "VND", "ZAR"),
    *(r"kr\.?", r"Fr\.", r"SFr\.", r"Rs\.?", "RM", "zł", "Kč", "Ft", "lei"),
)
UNIT = rf"[A-Z]{{0,3}}\p{{Sc}}|{'|'.join(CURRENCIES)}|{'|'.join(SCALES)}"
NUMBER = (
    rf"^(?P<open>\()?[+-]?\s*(?P<before>{UNIT})?\s*(?P<inner>\()?[+-]?"
    r"(?P<digits>\d(?:[\d.,'\u2019\s]*\d)?[.,]?|[.,]\d+)(?P<exponent>[eE][+-]?\d+)?"
    rf"(?P<trailing>-)?\s*(?P<after>{UNIT})?(?P<last>-)?(?P<close>\))?$"
)
# Digits that are no quantity: leading zeros, too many to be exact, a telephone number.
CODE = r"^(?:[+-]?0\d+(?:[.,]\d+)?|[+-]?\d{16,}|\+\d{7,})$"
POWER = r"^\d+[eE]\d+$"  # a code too, where nothing else looks like a fraction
FORMS = {  # of digits with marks
    "point": r"^(?:\d[\d,'\u2019\s]*)?\.\d*$|^[1-9]\d{0,2}(?:,\d{3}){2,}$",
    "comma": r"^(?:\d[\d.'\u2019\s]*)?,\d*$|^[1-9]\d{0,2}(?:\.\d{3}){2,}$",
    "open_point": r"^[1-9]\d{0,2}\.\d{3}$",
    "open_comma": r"^[1-9]\d{0,2},\d{3}$",
    "points": r"^[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?$",
    "commas": r"^[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?$",
    "blanks": r"^[1-9]\d{0,2}(?:\s\d{3})+(?:[.,]\d*)?$",
    "apostrophes": r"^[1-9]\d{0,2}(?:['\u2019]\d{3})+(?:[.,]\d*)?$",
    "short": r"^\d{1,3}$",
    "long": r"^\d{4,}$",
}


class Evidence(NamedTuple):
    """Counts of a column's cells by how they are written; the first of some that are.

    `point` and `comma` can only be the decimal mark in so many cells; in `open_point` and
    `open_comma` they may stand before thousands as well, as in `points` and `commas`, if they do.
    """

    cells: int
    numbers: int
    point: int
    comma: int
    open_point: int
    open_comma: int
    points: int
    commas: int
    blanks: int
    apostrophes: int
    short: int
    long: int
    bare: int
    parentheses: int
    trailing: int
    units: list[str]
    open_example: str | None
    bare_example: str | None
    code_example: str | None
    power_example: str | None

    @property
    def numeric(self) -> bool:
        """Tell whether nearly all cells are numbers, however they are written."""
        return 0 < self.cells * MOST <= self.numbers

    @property
    def code(self) -> str | None:
        """An example of digits that name a thing, if there are any: the column is no quantity."""
        only_powers = self.power_example if not (self.point or self.comma) else None
        return self.code_example or only_powers

    @property
    def open(self) -> bool:
        """Tell whether some cells have two readings, and no other cell says which."""
        in_doubt = self.open_point or self.open_comma
        return bool(in_doubt and bool(self.point) == bool(self.comma))

    @property
    def mark(self) -> Mark | None:
        """The decimal mark, if the column itself says which."""
        if self.open or not (self.point or self.comma):
            return None
        return "." if self.point >= self.comma else ","


def gather_evidence(frame: pl.LazyFrame, names: Iterable[str]) -> dict[str, Evidence]:
    """Look through columns of texts, streamed."""
    measures = [_measure(name).alias(name) for name in names]
    counts = frame.select(measures).collect(engine="streaming").row(0, named=True)
    return {name: Evidence(**figures) for name, figures in counts.items()}


def _measure(name: str) -> pl.Expr:
    """Count the cells of each kind; what says that there is no value is none."""
    cell = col(name).cast(pl.String).str.strip_chars()
    cell = pl.when(~cell.is_in([*DEFAULT_MISSING, *ODD_MISSING])).then(cell)
    number = cell.str.replace(MINUS, "-", literal=True).str.extract_groups(NUMBER).struct
    digits = number.field("digits")
    unit = pl.coalesce(number.field("before"), number.field("after"))
    plain = number.field("exponent").is_null()
    shapes = {shape: digits.str.contains(form) & plain for shape, form in FORMS.items()}
    is_open = shapes["open_point"] | shapes["open_comma"]
    scientific = digits.str.contains(r"[.,]") & ~plain
    bare = digits.is_not_null() & unit.is_null() & ~digits.str.contains(r"^0(?:[.,]0*)?$")
    counts = {
        "cells": cell.is_not_null(),
        "numbers": pl.any_horizontal(*shapes.values()) | ~plain,
        **shapes,
        "point": (shapes["point"] & ~is_open) | (scientific & digits.str.contains(r"\.")),
        "comma": (shapes["comma"] & ~is_open) | (scientific & digits.str.contains(",")),
        "bare": bare,
        "parentheses": number.field("open").is_not_null() | number.field("inner").is_not_null(),
        "trailing": number.field("trailing").is_not_null() | number.field("last").is_not_null(),
    }
    examples = {
        "open_example": is_open & plain,
        "bare_example": bare,
        "code_example": cell.str.contains(CODE),
        "power_example": cell.str.contains(POWER),
    }
    return pl.struct(
        **{key: holds.sum() for key, holds in counts.items()},
        **{key: cell.filter(holds).first() for key, holds in examples.items()},
        units=unit.drop_nulls().unique().sort().implode(),
    )
