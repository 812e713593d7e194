"""The values of a column as small whole numbers, its bins, in which all columns are alike.

Numbers and dates fall into bins of about as many rows each, or have one each where there are few;
texts have one each for the most frequent. What is missing has the last bin.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..data.contract import Column

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
BINS = 20
LEAST_NAMED = 5  # rows: a text as rare as that may name a person, and is never written down
OTHER, MISSING = "any other", "missing"
DAY = 86_400e6  # in microseconds
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATED = ("date", "timestamp")


@dataclass(frozen=True)
class Coded:
    """The bin of each row, (rows,), and the label of each bin; the last is of what is missing.

    `edges` are the upper ends of the bins of numbers but the last; () where each value has a bin.
    """

    codes: Codes
    labels: tuple[str, ...]
    edges: tuple[float, ...] = ()

    @property
    def is_present(self) -> NDArray[np.bool_]:
        return self.codes < len(self.labels) - 1


def to_numbers(values: pl.Series) -> Array:
    """Return numbers, or dates in days since 1970, as floats, (rows,); NaN where there is none."""
    if values.dtype == pl.Date:
        return values.to_physical().cast(pl.Float64).to_numpy()
    if isinstance(values.dtype, pl.Datetime):
        return values.dt.cast_time_unit("us").to_physical().cast(pl.Float64).to_numpy() / DAY
    return values.cast(pl.Float64).to_numpy()


def format_value(value: float, column: Column) -> str:
    """Write a number as `to_numbers` gives it: a date as a date."""
    if column.type in DATED:
        moment = EPOCH + timedelta(days=float(value))
        return f"{moment:%Y-%m-%d}" if column.type == "date" else f"{moment:%Y-%m-%d %H:%M}"
    return f"{value:,.0f}" if column.type == "integer" else f"{value:,.4g}"


def code_values(values: pl.Series, column: Column, bins: int = BINS) -> Coded:
    """Put the values of a column into at most `bins` bins, and one for what is missing."""
    if column.type in ("string", "boolean"):
        return code_texts(values.cast(pl.String), bins)
    return code_numbers(to_numbers(values), column, bins)


def code_numbers(numbers: Array, column: Column, bins: int) -> Coded:
    """Code by the quantiles, or by the values if they are no more than the bins."""
    known = numbers[~np.isnan(numbers)]
    distinct = np.unique(known)
    if len(distinct) <= bins:
        edges, labels = distinct[:-1], [format_value(one, column) for one in distinct] or ["none"]
    else:
        shares = np.arange(1, bins) / bins
        edges = np.unique(np.quantile(known, shares, method="inverted_cdf"))
        edges = edges[edges < distinct[-1]]
        ends = [distinct[0], *edges, distinct[-1]]
        labels = [
            " to ".join(dict.fromkeys(format_value(end, column) for end in pair))
            for pair in pairwise(ends)
        ]
    codes = np.where(np.isnan(numbers), len(labels), np.searchsorted(edges, numbers))
    return Coded(codes.astype(np.int64), (*labels, MISSING), tuple(map(float, edges)))


def code_texts(texts: pl.Series, bins: int) -> Coded:
    """Code by the most frequent texts, the most frequent first, and one bin for all others."""
    counts = count_texts(texts)
    common = counts.filter(pl.col("rows") >= LEAST_NAMED)["value"]
    names = common.head(bins if counts.height <= bins else bins - 1).to_list()
    labels: list[Any] = [*names, OTHER] if len(names) < counts.height else names or ["none"]
    places = {name: place for place, name in enumerate(names)}
    codes = texts.replace_strict(places, default=len(names), return_dtype=pl.Int64)
    codes = codes.set(texts.is_null(), len(labels))
    return Coded(codes.to_numpy(), (*labels, MISSING))


def count_texts(texts: pl.Series) -> pl.DataFrame:
    """Count the present texts: columns `value` and `rows`, the most frequent first."""
    counts = texts.alias("value").drop_nulls().value_counts(name="rows")
    return counts.sort("rows", "value", descending=[True, False])


def cross_tabulate(one: Coded, other: Coded) -> Array:
    """Count the rows in each pair of bins, (bins of one, bins of other)."""
    shape = len(one.labels), len(other.labels)
    cells = np.bincount(one.codes * shape[1] + other.codes, minlength=shape[0] * shape[1])
    return cells.reshape(shape).astype(float)
