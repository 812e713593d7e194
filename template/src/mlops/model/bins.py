"""How values were distributed in training: the bins that live values are counted in.

Numbers fall into the tenths of the training rows, texts into their commonest values. The rule is
so small that a service can follow it in plain Python (serving/tally.py).
"""

from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from .inputs import WORDS
from .metadata import InputBins
from .seen_values import remember_values

OTHER, MISSING = "__other__", "__missing__"
TENTHS = np.arange(1, 10) / 10
MOST_TEXTS = 20
# A text as rare as that may name a person, and is never written into a model.
LEAST_SHARE, LEAST_ROWS = 0.005, 10


def make_bins(values: pl.DataFrame) -> list[InputBins]:
    """Make the bins of each column, in which a missing value is NaN or "".

    The words of a free text have none: they hardly come again. Its length is a number. Edges and
    shares are as precise as their six first digits.
    """
    return [
        _bin_texts(each) if each.dtype == pl.String else _bin_numbers(each)
        for each in values
        if not each.name.startswith(WORDS)
    ]


def _bin_numbers(values: pl.Series) -> InputBins:
    known = values.cast(pl.Float64).to_numpy()
    known = known[~np.isnan(known)]
    tenths = np.quantile(known, TENTHS, method="inverted_cdf") if len(known) else [0.0]
    edges = sorted({float(f"{edge:.6g}") for edge in tenths})
    between = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    labels = [f"up to {edges[0]:g}", *between, f"above {edges[-1]:g}", MISSING]
    counts = np.bincount(np.searchsorted(edges, known), minlength=len(edges) + 1)
    return {
        "input": values.name,
        "kind": "number",
        "edges": edges,
        "labels": labels,
        "shares": _measure_shares([*counts, values.len() - len(known)]),
    }


def _bin_texts(values: pl.Series) -> InputBins:
    known = values.filter(values != "")
    counts = known.value_counts(name="rows").sort("rows", known.name, descending=[True, False])
    least = max(LEAST_ROWS, LEAST_SHARE * values.len())
    common = counts.filter(pl.col("rows") >= least).head(MOST_TEXTS)
    categories, rows = common[known.name].to_list(), common["rows"].to_list()
    others, alone = known.len() - sum(rows), counts.filter(rows=1).height
    bins: InputBins = {
        "input": values.name,
        "kind": "text",
        "categories": categories,
        "labels": [*categories, OTHER, MISSING],
        "shares": _measure_shares([*rows, others, values.len() - known.len()]),
    }
    if seen := remember_values(counts[known.name].to_list(), alone, values.len()):
        bins["seen"] = seen
    return bins


def _measure_shares(counts: list[Any]) -> list[float]:
    total = max(1, sum(counts))
    return [float(f"{count / total:.6g}") for count in counts]
