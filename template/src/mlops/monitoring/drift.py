"""Measure how live values differ from those the model learned from, and which break the contract.

The population stability index is that of Prometheus (the recording rule `input:psi`): over the bins
in the model's file, the sum of (live - expected) * ln(live / expected), with no share below FLOOR.
Beside it is the distance of Jensen and Shannon, of the same bins (0 alike, 1 apart).
"""

from typing import Any, NotRequired, TypedDict

import numpy as np
import polars as pl
from scipy.spatial.distance import jensenshannon

from ..core.paths import MODEL
from ..data.contract import Contract
from ..data.row_rules import broken
from ..model.bins import MISSING, OTHER
from ..model.inputs import Input, frame, misfit
from ..model.value import Array
from ..registry import registry
from ..scoring.predictor import SCORE, Predictor

FLOOR = 0.0001
EXAMPLES = 3


class Shares(TypedDict):
    """A share of the live values, and the same in training."""

    live: float
    expected: float


class BinShares(Shares):
    """The shares of the values in a bin."""

    label: str


class InputDrift(TypedDict):
    """How one input has drifted; `unseen` is None for numbers."""

    input: str
    kind: str
    psi: float
    jensen_shannon: float
    missing: Shares
    unseen: Shares | None
    bins: list[BinShares]


class BrokenRule(TypedDict):
    """A rule of the contract broken by values that were scored; the commonest as examples."""

    column: str
    rule: str
    rows: int
    share: float
    examples: list[str]


class Drift(TypedDict):
    """Inputs with the most drifted first, broken rules with the most frequent first.

    `version` is the champion's, which alone counts if it answered any of the rows; `scored_by` are
    the versions that did. `fault` says why nothing can be compared, or is "".
    """

    since: NotRequired[str]
    rows: int
    version: int | None
    fault: str
    inputs: list[InputDrift]
    scored_by: list[int]
    broken: list[BrokenRule]


def measure_drift(rows: pl.DataFrame, contract: Contract) -> Drift:
    """Compare rows with all inputs, as `ground_truth.join_ground_truth` gives them."""
    version, path = registry.champion() or (None, MODEL)
    model = Predictor(path)
    ours = rows.filter(pl.col("version") == version)
    live = ours if ours.height else rows
    mismatch = misfit(model.meta, contract)
    if "bins" not in model.meta:
        mismatch = mismatch or "was packaged by an older version"
    return {
        "rows": live.height,
        "version": version,
        "fault": f"the model in use {mismatch}" if mismatch else "",
        "inputs": compare_inputs(live, model) if live.height and not mismatch else [],
        "scored_by": live["version"].drop_nulls().unique().sort().to_list(),
        "broken": find_broken_rules(live, contract),
    }


def compare_inputs(live: pl.DataFrame, model: Predictor) -> list[InputDrift]:
    """Compare each input, and the score, with the bins in the model's file."""
    entries = [Input(**entry) for entry in model.meta["inputs"]]
    values = frame(live["inputs"].struct.unnest(), entries)
    values = values.with_columns(live["score"].alias(SCORE))
    inputs = [compare_bins(values[entry["input"]], entry) for entry in model.meta["bins"]]
    return sorted(inputs, key=lambda each: -each["psi"])


def compare_bins(values: pl.Series, entry: dict[str, Any]) -> InputDrift:
    """Compare the live values of an input with its entry in model/bins.py."""
    live, expected = measure_shares(values, entry), np.array(entry["shares"])
    bins: list[BinShares] = [
        {"label": label, "live": float(ours), "expected": float(theirs)}
        for label, ours, theirs in zip(entry["labels"], live, expected, strict=True)
    ]
    shares: dict[str, Shares] = {
        each["label"]: {"live": each["live"], "expected": each["expected"]} for each in bins
    }
    return {
        "input": entry["input"],
        "kind": entry["kind"],
        "psi": population_stability_index(live, expected),
        "jensen_shannon": float(jensenshannon(live, expected, base=2)),
        "missing": shares[MISSING],
        "unseen": shares.get(OTHER),
        "bins": bins,
    }


def population_stability_index(live: Array, expected: Array) -> float:
    """Return the index of two distributions over the same bins, (bins,)."""
    live, expected = np.maximum(live, FLOOR), np.maximum(expected, FLOOR)
    return float(np.sum((live - expected) * np.log(live / expected)))


def excess_beyond_chance(shares: Shares, rows: int) -> float:
    """Return by how much the live share exceeds the expected one, less three standard errors."""
    live, expected = shares["live"], shares["expected"]
    return live - expected - 3 * float(np.sqrt(expected * (1 - expected) / rows))


def measure_shares(values: pl.Series, entry: dict[str, Any]) -> Array:
    """Return the shares of the values in each bin, (bins,), by the rule of model/bins.py."""
    if entry["kind"] == "text":
        places = {text: place for place, text in enumerate(entry["categories"])}
        places[""] = len(places) + 1
        other = len(places) - 1
        place = values.replace_strict(places, default=other, return_dtype=pl.Int64).to_numpy()
    else:
        known = values.cast(pl.Float64).to_numpy()
        missing = len(entry["edges"]) + 1
        place = np.where(np.isnan(known), missing, np.searchsorted(entry["edges"], known))
    return np.bincount(place, minlength=len(entry["labels"])) / len(values)


def find_broken_rules(rows: pl.DataFrame, contract: Contract) -> list[BrokenRule]:
    """Find the rules of the contract that values break which were scored all the same."""
    if not rows.height or "inputs" not in rows.columns:
        return []
    table, rules = rows["inputs"].struct.unnest(), list[BrokenRule]()
    for condition, name, rule in broken(contract.model_copy(update={"columns": contract.inputs})):
        values = table.filter(condition)[name]
        if len(values):
            commonest = values.drop_nulls().value_counts(sort=True)[name].head(EXAMPLES)
            rules.append(
                {
                    "column": name,
                    "rule": rule,
                    "rows": len(values),
                    "share": len(values) / rows.height,
                    "examples": commonest.cast(pl.String).to_list(),
                }
            )
    return sorted(rules, key=lambda each: -each["rows"])
