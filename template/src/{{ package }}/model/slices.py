"""Whether some rows are served worse than the whole: by the columns marked protected or slice.

A slice's `metric` comes with bounds that hold for all slices at once: metric -+ z * standard error,
the error by bootstrap, z the normal quantile at 1 - (1 - confidence) / (2 * slices judged)
(Bonferroni's correction; Dunn, 1961). So small slices, and many slices, raise no false alarm: one
is behind for certain only if even its upper bound is.
"""

from collections.abc import Callable
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from ..data.contract import Column, Contract
from ..settings import EvaluateParams, Task
from .bootstrap import standard_error
from .metrics import Metric
from .value import Array

MOST_VALUES = 50
BANDS = 4
# Fewer rows of a class say nothing of how well it is told from the others.
LEAST_OF_A_CLASS = 10


def slices(
    table: pl.DataFrame,
    contract: Contract,
    truth: Array,
    scores: Array,
    *,
    metric: Metric,
    params: EvaluateParams,
) -> list[dict[str, Any]]:
    """[{column, value, rows, metric, gap, low, high}], largest slices of each column first.

    `gap` is by how much the slice is behind the whole. `low` and `high` are None where there are
    too few rows to judge, `metric` and `gap` too where it cannot be told (a single class).
    """
    whole, score = metric.score(truth, scores), comparable(metric, truth)
    found: list[dict[str, Any]] = []
    for column in contract.columns:
        if column.protected or column.slice:
            names = labels(table.get_column(column.name), column)
            for value, rows in positions(names)[:MOST_VALUES]:
                inside = score_of(score, truth[rows], scores[rows])
                entry = {"column": column.name, "value": value, "rows": len(rows)}
                reached = inside(np.arange(len(rows)))
                error = (
                    standard_error(inside, len(rows), params)
                    if judged(truth[rows], contract.task, params)
                    else float("nan")
                )
                found.append(entry | {"metric": reached, "gap": whole - reached, "error": error})
    return bounded(found, params)


def bounded(found: list[dict[str, Any]], params: EvaluateParams) -> list[dict[str, Any]]:
    """Turn each `error` into `low` and `high`; what cannot be told becomes None."""
    tests = max(1, sum(np.isfinite(entry["error"]) for entry in found))
    z = NormalDist().inv_cdf(1 - (1 - params.confidence) / (2 * tests))
    for entry in found:
        margin = z * entry.pop("error")
        figures = {
            "metric": entry["metric"],
            "gap": entry["gap"],
            "low": entry["metric"] - margin,
            "high": entry["metric"] + margin,
        }
        entry |= {k: round(float(v), 6) if np.isfinite(v) else None for k, v in figures.items()}
    return found


def labels(values: pl.Series, column: Column) -> pl.Series:
    """The slice each row belongs to: its value, its month, or its quarter of many numbers."""
    if column.type in ("date", "timestamp"):
        names = values.dt.strftime("%Y-%m")
    elif column.type in ("integer", "number") and values.n_unique() > 5 * BANDS:
        ends = [values.quantile(share / BANDS) for share in range(1, BANDS)]
        edges = {f"{end:.6g}": end for end in ends if end is not None}
        texts = list(edges)
        between = [f"{low} to {high}" for low, high in pairwise(texts)]
        bands = [f"up to {texts[0]}", *between, f"above {texts[-1]}"]
        place = pl.sum_horizontal(pl.lit(values > edge) for edge in edges.values())
        band = pl.when(values.is_not_null()).then(place)
        names = pl.select(band.replace_strict(dict(enumerate(bands)), default=None)).to_series()
    else:
        names = values
    return names.cast(pl.String).fill_null("missing")


def positions(names: pl.Series) -> list[tuple[str, Array]]:
    """(value, row positions) of each slice, largest first."""
    table = pl.DataFrame({"value": names, "row": np.arange(len(names))})
    groups = table.group_by("value").agg("row").with_columns(rows=pl.col("row").list.len())
    ordered = groups.sort(["rows", "value"], descending=[True, False])
    return [(value, np.array(rows)) for value, rows in ordered.select("value", "row").iter_rows()]


def comparable(metric: Metric, truth: Array) -> Callable[[Array, Array], float]:
    """The metric as it may be compared between slices.

    R2 in a slice would be measured against the slice's own spread, and call a slice of much alike
    rows badly served. Against the spread of all rows, the slices' R2 average to that of the whole.
    """
    if metric.name != "r2":
        return metric.score
    spread = float(np.var(truth)) or float("nan")
    return lambda true, score: 1 - float(np.mean(np.square(true - score))) / spread


def score_of(
    score: Callable[[Array, Array], float], truth: Array, scores: Array
) -> Callable[[Array], float]:
    """The score of some of these rows."""
    return lambda rows: score(truth[rows], scores[rows])


def judged(truth: Array, task: Task, params: EvaluateParams) -> bool:
    """Whether there are rows enough to say anything."""
    if len(truth) < params.min_slice_rows:
        return False
    counts = np.unique(truth, return_counts=True)[1]
    return task == "regression" or int((counts >= LEAST_OF_A_CLASS).sum()) >= 2
