"""What one column holds: counts of all rows; order, shape and frequent values of the sample."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ..data.column_names import values_of
from ..data.contract import Column
from .codes import BINS, LEAST_NAMED, Array, count_texts, format_value, to_numbers
from .survey import Extent, Survey

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
HISTOGRAM_BINS = 32
STRETCH = 4  # times the width of the middle 98 %: then a histogram shows these only
FENCE = 3  # interquartile ranges beyond the quartiles: far out, to Tukey
TOP = 10
DIGITS = 9  # of a mean: the last ones depend on the order in which a stream was summed


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram, or a frequent value: its share of the present rows of the sample."""

    label: str
    share: float


@dataclass(frozen=True)
class Shape:
    """Numbers or dates of the sample. Figures that make no sense of a date are None.

    `far_out` is the share beyond Tukey's outer fences; `quantiles` are those of QUANTILES in order.
    """

    quantiles: list[str]
    deviation: float | None
    skewness: float | None
    zeros: float | None
    negative: float | None
    far_out: float | None


@dataclass(frozen=True)
class Texts:
    """Texts of the sample: characters and words of each."""

    shortest: int
    longest: int
    characters: float
    words: float


@dataclass(frozen=True)
class ColumnProfile:
    """One column. `distinct` is right within some percent if the table is sampled; `low`, `high`
    and `mean` are written as people read them.
    """

    name: str
    type: str
    role: str
    is_input: bool
    known_at_decision: bool
    description: str
    missing: int
    missing_share: float
    distinct: int
    low: str | None
    high: str | None
    mean: float | None
    shape: Shape | None
    texts: Texts | None
    histogram: list[Bar]
    is_clipped: bool
    top: list[Bar]


def profile_column(column: Column, survey: Survey) -> ColumnProfile:
    """Profile one column of a survey."""
    extent, values = survey.extents[column.name], values_of(survey.sample, column.name)
    missing = survey.rows - extent.present
    textual = column.type in ("string", "boolean")
    numbers = np.array([]) if textual else to_numbers(values)
    numbers = numbers[~np.isnan(numbers)]
    histogram, is_clipped = ([], False) if textual else draw_histogram(numbers, column)
    return ColumnProfile(
        name=column.name,
        type=column.type,
        role=column.role,
        is_input=column.is_input,
        known_at_decision=column.known_at_decision,
        description=column.description,
        missing=missing,
        missing_share=missing / max(survey.rows, 1),
        distinct=extent.distinct,
        low=write_end(extent, column, "low"),
        high=write_end(extent, column, "high"),
        mean=write_mean(extent.mean),
        shape=describe_shape(numbers, column) if len(numbers) else None,
        texts=describe_texts(values) if column.type == "string" else None,
        histogram=histogram,
        is_clipped=is_clipped,
        top=list_top(values, column),
    )


def write_end(extent: Extent, column: Column, end: str) -> str | None:
    """Write the lowest or highest of all rows; None where there is none."""
    value = getattr(extent, end)
    if value is None:
        return None
    return format_value(float(to_numbers(pl.Series([value]))[0]), column)


def write_mean(mean: float | None) -> float | None:
    """Round a mean; None where there is none, or where it is beyond what a number can hold."""
    return float(f"{mean:.{DIGITS}g}") if mean is not None and np.isfinite(mean) else None


def describe_shape(numbers: Array, column: Column) -> Shape:
    """Describe present numbers, (rows,)."""
    quantiles = np.quantile(numbers, QUANTILES, method="inverted_cdf")
    written = [format_value(value, column) for value in quantiles]
    if column.type not in ("integer", "number"):
        return Shape(written, None, None, None, None, None)
    size = float(np.abs(numbers).max()) or 1.0  # squares of very large or small ones are none
    scaled = numbers / size
    spread = float(scaled.std())
    skewness = float(np.mean(((scaled - scaled.mean()) / spread) ** 3)) if spread else 0.0
    low, high = find_fences(numbers)
    return Shape(
        quantiles=written,
        deviation=spread * size,
        skewness=skewness,
        zeros=float(np.mean(numbers == 0)),
        negative=float(np.mean(numbers < 0)),
        far_out=float(np.mean((numbers < low) | (numbers > high))),
    )


def find_fences(numbers: Array) -> tuple[float, float]:
    """Find Tukey's outer fences of present numbers."""
    first, third = np.quantile(numbers, [0.25, 0.75])
    return float(first - FENCE * (third - first)), float(third + FENCE * (third - first))


def describe_texts(values: pl.Series) -> Texts | None:
    """Describe texts; None where there are none."""
    texts = values.drop_nulls()
    if texts.is_empty():
        return None
    lengths, words = texts.str.len_chars(), texts.str.count_matches(r"\S+")
    shortest, longest = lengths.min(), lengths.max()
    return Texts(int(shortest), int(longest), float(lengths.mean()), float(words.mean()))  # type: ignore[arg-type]


def draw_histogram(numbers: Array, column: Column) -> tuple[list[Bar], bool]:
    """Count present numbers in bins of one width, or a bin each; tell whether the ends were cut.

    A few far values would press the others into one bar: then the ends gather what is beyond.
    """
    distinct = np.unique(numbers)
    if len(distinct) <= BINS:
        shares = [float(np.mean(numbers == one)) for one in distinct]
        labels = [format_value(one, column) for one in distinct]
        return [Bar(*pair) for pair in zip(labels, shares, strict=True)], False
    low, high = (float(end) for end in (distinct[0], distinct[-1]))
    inner = [float(end) for end in np.quantile(numbers, [0.01, 0.99])]
    is_clipped = high - low > STRETCH * (inner[1] - inner[0]) > 0
    if is_clipped:
        low, high = inner
    if column.type == "integer":  # bins of whole width, or some would hold more numbers
        width = max(1.0, np.ceil((high - low + 1) / HISTOGRAM_BINS))
        edges = np.arange(np.floor(low), high + 1 + width, width)
    else:
        edges = np.linspace(low, high, HISTOGRAM_BINS + 1)
    counts, _ = np.histogram(np.clip(numbers, edges[0], edges[-1]), edges)
    ends = [format_value(edge, column) for edge in edges]
    bars = [
        Bar(f"{ends[place]} to {ends[place + 1]}", float(count / len(numbers)))
        for place, count in enumerate(counts)
    ]
    while bars and not bars[-1].share:
        bars.pop()
    return bars, is_clipped


def list_top(values: pl.Series, column: Column) -> list[Bar]:
    """List the most frequent values, of those that come often enough to be named."""
    if column.type in ("string", "boolean"):
        counts = count_texts(values.cast(pl.String))
    else:
        counts = values.drop_nulls().value_counts(name="rows")
        counts = counts.sort("rows", "value", descending=[True, False])
    total = max(int(counts["rows"].sum()), 1)
    common = counts.filter(pl.col("rows") >= LEAST_NAMED).head(TOP)
    if column.type in ("string", "boolean"):
        labels = common["value"].to_list()
    else:
        labels = [format_value(one, column) for one in to_numbers(common["value"])]
    return [Bar(*pair) for pair in zip(labels, (common["rows"] / total).to_list(), strict=True)]
