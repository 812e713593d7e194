"""What the cells of a column tell about how its numbers are written, counted over a whole table."""

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from ..data.column_names import col
from ..data.contract import DEFAULT_MISSING, ODD_MISSING, SCALES, Mark
from ..data.number_text import LAKHS, MINUS

MOST = 0.95  # of the cells must be numbers for a column to be one of numbers
MIXED = 0.5  # of them, and it is a mixture that someone must look at
CURRENCIES = (
    *("AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EGP"),
    *("EUR", "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW", "MXN", "MYR", "NGN"),
    *("NOK", "NZD", "PEN", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SEK", "SGD"),
    *("THB", "TRY", "TWD", "UAH", "USD", "VND", "ZAR"),
    *(r"kr\.?", r"Fr\.", r"SFr\.", r"Rs\.?", "RM", "zł", "Kč", "Ft", "lei"),
)
MEASURES = (  # of which the same amount is another number in another one; they stand behind it
    *("kg", "g", "mg", "µg", "t", "lb", "lbs", "oz", "km", "m", "cm", "mm", "µm", "nm", "mi"),
    *("ft", "in", "yd", "km²", "m²", "cm²", "ha", "l", "L", "ml", "mL", "cl", "m³", "gal"),
    *("h", "hrs", "min", "s", "sec", "ms", "days", "°C", "°F", "K", "k", "M", "bn", "mph"),
    *("km/h", "m/s", "kW", "W", "MW", "kWh", "Wh", "V", "mV", "A", "mA", "Hz", "kHz", "MHz"),
    *("GHz", "KB", "kB", "MB", "GB", "TB", "Pa", "hPa", "kPa", "bar", "psi", "J", "kJ", "kcal"),
)
UNIT = rf"[A-Z]{{0,3}}\p{{Sc}}|{'|'.join(CURRENCIES)}|{'|'.join(SCALES)}"
NUMBER = (
    rf"^(?P<open>\()?[+-]?\s*(?P<before>{UNIT})?\s*(?P<inner>\()?[+-]?"
    r"(?P<digits>[0-9](?:[0-9.,'\u2019\s]*[0-9])?[.,]?|[.,][0-9]+)(?P<exponent>[eE][+-]?[0-9]+)?"
    rf"(?P<trailing>-)?\s*(?P<after>{UNIT}|{'|'.join(MEASURES)})?(?P<last>-)?(?P<close>\))?$"
)
# Digits that are no quantity: leading zeros, too many to be exact, a telephone number.
CODE = r"^(?:[+-]?0[0-9]+(?:[.,][0-9]+)?|[+-]?[0-9]{16,}|\+[0-9](?:\s?[0-9]){6,})$"
POWER = r"^[0-9]+[eE][0-9]+$"  # a code too, where nothing else looks like a fraction
FORMS = {  # of digits with marks
    "point": r"^(?:[0-9][0-9,'\u2019\s]*)?\.[0-9]*$|^[1-9][0-9]{0,2}(?:,[0-9]{3}){2,}$"
    f"|^{LAKHS}$",
    "comma": r"^(?:[0-9][0-9.'\u2019\s]*)?,[0-9]*$|^[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}$",
    "open_point": r"^[1-9][0-9]{0,2}\.[0-9]{3}$",
    "open_comma": r"^[1-9][0-9]{0,2},[0-9]{3}$",
    "points": r"^[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]*)?$",
    "commas": rf"^(?:[1-9][0-9]{{0,2}}(?:,[0-9]{{3}})+|{LAKHS})(?:\.[0-9]*)?$",
    "blanks": r"^[1-9][0-9]{0,2}(?:\s[0-9]{3})+(?:[.,][0-9]*)?$",
    "apostrophes": r"^[1-9][0-9]{0,2}(?:['\u2019][0-9]{3})+(?:[.,][0-9]*)?$",
    "short": r"^[0-9]{1,3}$",
    "long": r"^[0-9]{4,}$",
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
    def measures(self) -> list[str]:
        """The measures among the units, such as kg."""
        return [unit for unit in self.units if unit in MEASURES]

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
    names = list(names)
    counts = pl.collect_all([_count_forms(frame, name) for name in names], engine="streaming")
    rows = (each.row(0, named=True) for each in counts)
    return {name: Evidence(**row) for name, row in zip(names, rows, strict=True)}


def _count_forms(frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """Count the cells of each kind; what says that there is no value is none."""
    text = col(name).cast(pl.String).str.strip_chars()
    cells = frame.select(cell=text).filter(~pl.col("cell").is_in([*DEFAULT_MISSING, *ODD_MISSING]))
    number = pl.col("cell").str.replace(MINUS, "-", literal=True).str.extract_groups(NUMBER)
    parts = cells.with_columns(number=number).unnest("number")
    digits, plain = pl.col("digits"), pl.col("exponent").is_null()
    shapes = [(digits.str.contains(form) & plain).alias(kind) for kind, form in FORMS.items()]
    is_open = pl.col("open_point") | pl.col("open_comma")
    fraction = {"point": digits.str.contains(r"\."), "comma": digits.str.contains(",")}
    counts = {
        "cells": pl.col("cell").is_not_null(),
        "numbers": pl.any_horizontal(*FORMS) | ~plain,
        **{kind: pl.col(kind) for kind in FORMS},
        **{mark: (pl.col(mark) & ~is_open) | (holds & ~plain) for mark, holds in fraction.items()},
        "bare": pl.col("is_bare"),
        "parentheses": pl.any_horizontal(pl.col("open", "inner").is_not_null()),
        "trailing": pl.any_horizontal(pl.col("trailing", "last").is_not_null()),
    }
    examples = {
        "open_example": is_open,
        "bare_example": pl.col("is_bare"),
        "code_example": pl.col("cell").str.contains(CODE),
        "power_example": pl.col("cell").str.contains(POWER),
    }
    unit = pl.coalesce("before", "after")
    is_zero = digits.str.contains(r"^0(?:[.,]0*)?$")
    return parts.with_columns(
        *shapes, unit=unit, is_bare=digits.is_not_null() & unit.is_null() & ~is_zero
    ).select(
        **{key: holds.sum() for key, holds in counts.items()},
        **{key: pl.col("cell").filter(holds).first() for key, holds in examples.items()},
        units=pl.col("unit").drop_nulls().unique().sort().implode(),
    )
