"""Whether some rows are served worse than the whole, and how sure that and other figures are.

Bounds come from the bootstrap, which draws the test rows again and again (B. Efron and
R. Tibshirani, An Introduction to the Bootstrap, 1993). Seeded: same rows, same bounds.
"""

from bisect import bisect_left
from collections.abc import Callable
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import polars as pl

from ..core.params import EvaluateParams
from ..data.column_names import values_of
from ..data.contract import Column, Contract
from ..model.metrics import Metric
from ..model.value import Array
from .evaluation_report import Interval, SliceFigures, SliceScore

Score = Callable[[Array], float]  # of the rows at these positions

SEED = 13
DRAWS_FOR_AN_ERROR = 50  # are enough (Efron and Tibshirani, 6.4); an interval needs more
# Larger tables are drawn from in part, and the spread shrunk to that of the whole
# (m out of n: Bickel, Goetze and van Zwet, 1997).
MOST_ROWS = 10_000
MOST_VALUES = 50
MANY_NUMBERS = 20
# Fewer rows of a class say nothing of how well it is told from the others.
LEAST_OF_A_CLASS = 10


def measure_interval(score: Score, rows: int, params: EvaluateParams) -> Interval:
    """Measure the score of all rows, with percentile bounds; NaN is what they cannot tell.

    Two models are compared in pairs by a `score` that is their difference on the same rows.
    """
    value, tail = score(np.arange(rows)), (1 - params.confidence) / 2
    apart = draw_deviations(score, value, rows, params.resamples)
    low, high = np.quantile(apart, [tail, 1 - tail]) if len(apart) else (np.nan, np.nan)
    return {"value": value, "low": value + float(low), "high": value + float(high)}


def draw_deviations(score: Score, value: float, rows: int, draws: int) -> Array:
    """Draw rows with replacement, and return how far from `value` the score is on each draw.

    Returns (draws,), or fewer: draws on which the score cannot be told are left out.
    """
    random, size = np.random.default_rng(SEED), min(rows, MOST_ROWS)
    scores = np.array([score(random.integers(0, rows, size)) for _ in range(draws)])
    return np.asarray(np.sqrt(size / rows) * (scores[np.isfinite(scores)] - value))


def make_score(metric: Metric, truth: Array, scores: Array) -> Score:
    """Make of a metric a function of the positions of rows, (rows,)."""
    return lambda rows: metric.measure(truth[rows], scores[rows])


def compare_slices(
    table: pl.DataFrame,
    contract: Contract,
    truth: Array,
    scores: Array,
    *,
    metric: Metric,
    params: EvaluateParams,
) -> list[SliceFigures]:
    """Compare slices with the whole, by the columns of the contract marked protected or slice.

    The bounds, metric -+ z * standard error,
    hold for all slices at once (Bonferroni's correction; Dunn, 1961), so that many slices raise no
    false alarm: one is behind for certain only if even `high` is. What cannot be told is NaN.
    """
    metric, errors = make_comparable(metric, truth), list[float]()
    whole, slices = metric.measure(truth, scores), list[SliceScore]()
    for column in (column for column in contract.columns if column.protected or column.slice):
        names = label_rows(values_of(table, column.name), column)
        sizes = names.value_counts(name="rows").sort(["rows", "name"], descending=[True, False])
        for value, size in sizes.head(MOST_VALUES).iter_rows():
            rows = np.flatnonzero(names == value)
            score = make_score(metric, truth[rows], scores[rows])
            classes = np.unique(truth[rows], return_counts=True)[1] >= LEAST_OF_A_CLASS
            has_contrast = contract.task == "regression" or classes.sum() >= 2
            is_judged = has_contrast and size >= params.min_slice_rows
            inside = score(np.arange(size))
            apart = draw_deviations(score, inside, size, DRAWS_FOR_AN_ERROR * is_judged)
            errors.append(apart.std(ddof=1) if len(apart) > DRAWS_FOR_AN_ERROR / 2 else np.nan)
            slices.append(
                {
                    "column": column.name,
                    "protected": column.protected,
                    "value": value,
                    "rows": size,
                    "metric": inside,
                    "gap": whole - inside,
                }
            )
    tests = max(1, int(np.isfinite(errors).sum()))
    z = NormalDist().inv_cdf(1 - (1 - params.confidence) / (2 * tests))
    return [
        {**each, "low": each["metric"] - z * error, "high": each["metric"] + z * error}
        for each, error in zip(slices, errors, strict=True)
    ]


def label_rows(values: pl.Series, column: Column) -> pl.Series:
    """Label each row with its slice: its value, its month, or its quarter of many numbers."""
    if column.type in ("date", "timestamp"):
        values = values.dt.strftime("%Y-%m")
    elif column.type in ("integer", "number") and values.n_unique() > MANY_NUMBERS:
        ends = sorted({float(f"{values.quantile(share):.6g}") for share in (0.25, 0.5, 0.75)})
        between = [f"{low:g} to {high:g}" for low, high in pairwise(ends)]
        bands = [f"up to {ends[0]:g}", *between, f"above {ends[-1]:g}"]
        values = pl.Series(
            [None if one is None else bands[bisect_left(ends, one)] for one in values],
            dtype=pl.String,
        )
    return values.cast(pl.String).fill_null("missing").alias("name")


def make_comparable(metric: Metric, truth: Array) -> Metric:
    """Make the metric fit to compare slices with the whole.

    R2 in a slice would be measured against the slice's own spread, and call a slice of much alike
    rows badly served. Against the spread of all rows, the slices' R2 average to that of the whole.
    """
    if metric.name != "r2":
        return metric
    spread = float(np.var(truth)) or float("nan")
    return Metric("r2", lambda true, score: 1 - float(np.square(true - score).mean()) / spread)
