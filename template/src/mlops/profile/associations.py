"""How columns move together, so that near-duplicates are found: Spearman's rho, Cramér's V."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from ..data.column_names import values_of
from ..data.contract import Column
from .codes import Array, Coded, cross_tabulate, to_numbers

MOST_COLUMNS = 60  # in pairs; a pair takes about a millisecond
LEAST_ROWS = 30  # that have both values


@dataclass(frozen=True)
class Association:
    """Two columns, by Spearman's rho (-1 to 1) if both are numbers, else Cramér's V (0 to 1)."""

    one: str
    other: str
    measure: str
    value: float


def associate_columns(
    sample: pl.DataFrame, columns: list[Column], coded: dict[str, Coded]
) -> list[Association]:
    """Associate each pair of the first columns, the strongest first."""
    columns = columns[:MOST_COLUMNS]
    numeric = [c.name for c in columns if c.type not in ("string", "boolean")]
    rho = correlate_ranks([to_numbers(values_of(sample, name)) for name in numeric])
    place = {name: n for n, name in enumerate(numeric)}
    pairs = []
    for one, other in combinations([column.name for column in columns], 2):
        if one in place and other in place:
            strength = float(rho[place[one], place[other]])
            pairs.append(Association(one, other, "Spearman", strength))
        else:
            strength = measure_cramers_v(coded[one], coded[other])
            pairs.append(Association(one, other, "Cramér's V", strength))
    return sorted(pairs, key=lambda pair: -abs(pair.value))


def correlate_ranks(columns: list[Array]) -> Array:
    """Correlate the ranks of each pair where both are known, (columns, columns), by a few products.

    0 where too few rows have both, or one never varies. A column is ranked once, not for each pair.
    """
    if not columns:
        return np.zeros((0, 0))
    ranks = np.stack([rank_values(column) for column in columns], axis=1)
    known = (~np.isnan(ranks)).astype(float)
    ranks = np.nan_to_num(ranks - np.nan_to_num(ranks).mean(axis=0))
    rows = np.maximum(known.T @ known, 1)
    sums = ranks.T @ known  # of one, where the other is known
    squares = (ranks**2).T @ known - sums**2 / rows
    products = ranks.T @ ranks - sums * sums.T / rows
    scale = np.sqrt(np.maximum(squares * squares.T, 0))
    usable = (rows >= LEAST_ROWS) & (scale > 0)
    return np.where(usable, products / np.where(usable, scale, 1), 0.0)


def rank_values(numbers: Array) -> Array:
    """Rank the numbers, (rows,); NaN stays NaN."""
    return pl.Series(numbers).fill_nan(None).rank().cast(pl.Float64).to_numpy()


def measure_cramers_v(one: Coded, other: Coded) -> float:
    """Return Cramér's V of rows that have both values, corrected for chance (Bergsma, 2013)."""
    counts = cross_tabulate(one, other)[:-1, :-1]
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    total = counts.sum()
    if total < LEAST_ROWS or min(counts.shape) < 2:
        return 0.0
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    phi = float(np.sum((counts - expected) ** 2 / expected)) / total
    height, width = counts.shape
    phi = max(0.0, phi - (height - 1) * (width - 1) / (total - 1))
    height_left = height - (height - 1) ** 2 / (total - 1)
    width_left = width - (width - 1) ** 2 / (total - 1)
    return float(np.sqrt(min(1.0, phi / max(1e-12, min(height_left, width_left) - 1))))
