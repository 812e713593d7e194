"""Whether some rows are served worse than the whole, and how sure that and other figures are.

Bounds come from the bootstrap, which draws the test rows again and again (B. Efron and
R. Tibshirani, An Introduction to the Bootstrap, 1993). Seeded: same rows, same bounds.
"""

from bisect import bisect_left
from collections.abc import Callable
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from ..core.params import EvaluateParams
from ..data.column_names import values_of
from ..data.contract import Column, Contract
from ..model.metrics import Metric
from ..model.value import Array

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


def interval(score: Score, rows: int, params: EvaluateParams) -> dict[str, float]:
    """The `value` of all rows, with percentile bounds `low` and `high`; NaN if not to be told.

    Two models are compared in pairs by a `score` that is their difference on the same rows.
    """
    value, tail = score(np.arange(rows)), (1 - params.confidence) / 2
    apart = deviations(score, value, rows, params.resamples)
    low, high = np.quantile(apart, [tail, 1 - tail]) if len(apart) else (np.nan, np.nan)
    return {"value": value, "low": value + float(low), "high": value + float(high)}


def deviations(score: Score, value: float, rows: int, draws: int) -> Array:
    """How far from `value` the score is on rows drawn with replacement, where it can be told."""
    random, size = np.random.default_rng(SEED), min(rows, MOST_ROWS)
    drawn = np.array([score(random.integers(0, rows, size)) for _ in range(draws)])
    return np.asarray(np.sqrt(size / rows) * (drawn[np.isfinite(drawn)] - value))


def score_of(metric: Metric, truth: Array, scores: Array) -> Score:
    return lambda rows: metric.measure(truth[rows], scores[rows])


def slices(
    table: pl.DataFrame,
    contract: Contract,
    truth: Array,
    scores: Array,
    *,
    metric: Metric,
    params: EvaluateParams,
) -> list[dict[str, Any]]:
    """[{column, value, rows, metric, gap, low, high}] by the columns marked protected or slice.

    `gap` is by how much the slice is behind the whole. The bounds, metric -+ z * standard error,
    hold for all slices at once (Bonferroni's correction; Dunn, 1961), so that many slices raise no
    false alarm: one is behind for certain only if even `high` is. What cannot be told is NaN.
    """
    metric, found, errors = comparable(metric, truth), [], []
    whole = metric.measure(truth, scores)
    for column in (column for column in contract.columns if column.protected or column.slice):
        names = labels(values_of(table, column.name), column)
        sizes = names.value_counts(name="rows").sort(["rows", "name"], descending=[True, False])
        for value, size in sizes.head(MOST_VALUES).iter_rows():
            rows = np.flatnonzero(names == value)
            inside = score_of(metric, truth[rows], scores[rows])
            classes = np.unique(truth[rows], return_counts=True)[1] >= LEAST_OF_A_CLASS
            told = contract.task == "regression" or classes.sum() >= 2
            judged = told and size >= params.min_slice_rows
            reached = inside(np.arange(size))
            apart = deviations(inside, reached, size, DRAWS_FOR_AN_ERROR * judged)
            errors.append(apart.std(ddof=1) if len(apart) > DRAWS_FOR_AN_ERROR / 2 else np.nan)
            entry = {"column": column.name, "value": value, "rows": size}
            found.append(entry | {"metric": reached, "gap": whole - reached})
    tests = max(1, int(np.isfinite(errors).sum()))
    z = NormalDist().inv_cdf(1 - (1 - params.confidence) / (2 * tests))
    return [
        entry | {"low": entry["metric"] - z * error, "high": entry["metric"] + z * error}
        for entry, error in zip(found, errors, strict=True)
    ]


def labels(values: pl.Series, column: Column) -> pl.Series:
    """The slice each row belongs to: its value, its month, or its quarter of many numbers."""
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


def comparable(metric: Metric, truth: Array) -> Metric:
    """The metric, made fit to compare slices with the whole.

    R2 in a slice would be measured against the slice's own spread, and call a slice of much alike
    rows badly served. Against the spread of all rows, the slices' R2 average to that of the whole.
    """
    if metric.name != "r2":
        return metric
    spread = float(np.var(truth)) or float("nan")
    return Metric("r2", lambda true, score: 1 - float(np.square(true - score).mean()) / spread)
