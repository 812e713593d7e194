"""Columns that others make up: sums, differences, multiples, products and ratios.

Sums are found by least squares, a column at a time: each is explained by those before it that no
formula explains, so that one set of columns has one formula; the target comes last. A date counts
in days.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from ..data.column_names import values_of
from ..data.contract import Column
from .codes import Array, to_numbers

ROWS = 5_000
MOST_COLUMNS = 120
MOST_FACTORS = 30
LEAST_ROWS = 50
LEAST_VALUES = 10  # of a column: those of a flag make up others by chance
EXACT = 1e-3  # standard deviation of what is left over, beside the column's own
USUAL = 1e-100, 1e100  # sizes whose squares are numbers too
SLIGHT = 1e-3  # what a column adds, beside the same


@dataclass(frozen=True)
class Formula:
    """A column that follows from others: `text` is such as "total = price + tax"."""

    column: str
    parts: tuple[str, ...]
    text: str


def find_formulas(sample: pl.DataFrame, columns: list[Column]) -> list[Formula]:
    """Find the formulas among numbers and dates; the last column is the target, if it is one."""
    names, table = gather_numbers(sample, columns)
    sums = find_sums(names, table)
    known = {frozenset((formula.column, *formula.parts)) for formula in sums}
    return sums + [
        formula
        for formula in find_products(names, table)
        if frozenset((formula.column, *formula.parts)) not in known
    ]


def gather_numbers(sample: pl.DataFrame, columns: list[Column]) -> tuple[list[str], Array]:
    """Gather the columns that are mostly there, and rows that have all of them, (rows, columns)."""
    rows = sample.head(10 * ROWS)
    numeric = [c for c in columns if c.type not in ("string", "boolean")][-MOST_COLUMNS:]
    if rows.is_empty():
        return [], np.empty((0, 0))
    values = {column.name: to_numbers(values_of(rows, column.name)) for column in numeric}
    usual = {
        name: numbers
        for name, numbers in values.items()
        if np.isnan(numbers).mean() <= 0.5
        and len(np.unique(numbers)) >= LEAST_VALUES
        and USUAL[0] < np.nanmax(np.abs(numbers)) < USUAL[1]
    }
    if not usual:
        return [], np.empty((0, 0))
    table = np.stack(list(usual.values()), axis=1)
    return list(usual), table[~np.isnan(table).any(axis=1)][:ROWS]


def find_sums(names: list[str], table: Array) -> list[Formula]:
    """Find the columns that are a sum of multiples of earlier ones."""
    rows, formulas, basis = len(table), list[Formula](), list[int]()
    if rows < max(LEAST_ROWS, 3 * len(names)):
        return []
    center, spread = table.mean(axis=0), table.std(axis=0)
    scaled = (table - center) / np.where(spread > 0, spread, 1)
    for place, name in enumerate(names):
        if not spread[place]:
            continue
        if basis:
            factors, *_ = np.linalg.lstsq(scaled[:, basis], scaled[:, place], rcond=None)
            rest = scaled[:, place] - scaled[:, basis] @ factors
            if rest.std() < EXACT:
                own = {
                    n: float(factor * spread[place] / spread[n])
                    for factor, n in zip(factors, basis, strict=True)
                    if abs(factor) > SLIGHT
                }
                start = float(center[place] - sum(own[n] * center[n] for n in own))
                constant = start if abs(start) > EXACT * spread[place] else 0.0
                parts = [(names[n], factor) for n, factor in own.items()]
                text = f"{name} = {format_sum(parts, constant)}"
                formulas.append(Formula(name, tuple(part for part, _ in parts), text))
                continue
        basis.append(place)
    return formulas


def format_sum(parts: list[tuple[str, float]], constant: float) -> str:
    """Write a sum of multiples: a + 2.5 x b - c."""
    text = ""
    for name, factor in parts:
        size = "" if abs(abs(factor) - 1) < EXACT else f"{abs(factor):.4g} \N{MULTIPLICATION SIGN} "
        sign = "\N{MINUS SIGN}" if factor < 0 else "+"
        text += f" {sign} {size}{name}"
    if constant:
        text += f" {'+' if constant > 0 else chr(0x2212)} {abs(constant):.4g}"
    return text.removeprefix(" + ").strip()


def find_products(names: list[str], table: Array) -> list[Formula]:
    """Find the triples of which one column is the product of the others."""
    many = min(len(names), MOST_FACTORS)
    names, table = names[-many:] if many else [], table[:, -many:] if many else table
    if len(table) < LEAST_ROWS or many < 3:
        return []
    probe, formulas = table[:LEAST_ROWS], list[Formula]()
    spread = np.where(table.std(axis=0) > 0, table.std(axis=0), np.inf)
    for first, second in combinations(range(many), 2):
        product = probe[:, first] * probe[:, second]
        off = np.abs(probe - product[:, None]).max(axis=0) / spread
        for place in np.flatnonzero(off < 10 * EXACT):
            whole = table[:, first] * table[:, second] - table[:, place]
            if place not in (first, second) and whole.std() / spread[place] < EXACT:
                formulas.append(write_product(names, first, second, int(place)))
    return formulas


def write_product(names: list[str], first: int, second: int, product: int) -> Formula:
    """Write the formula for the column that comes last, such as the target."""
    last = max(first, second, product)
    if last == product:
        parts, sign = (names[first], names[second]), "\N{MULTIPLICATION SIGN}"
    else:
        parts = (names[product], names[first if last == second else second])
        sign = "\N{DIVISION SIGN}"
    return Formula(names[last], parts, f"{names[last]} = {parts[0]} {sign} {parts[1]}")
