"""Measure how live values differ from those the model learned from, and which break the contract.

The population stability index is that of Prometheus (the recording rule `input:psi`): over the bins
in the model's file, the sum of (live - expected) * ln(live / expected), with no share below FLOOR.
The distances, of scipy, are beside it: Jensen and Shannon's, of the bins (0 alike, 1 apart); where
the rows that the model learned from are at hand, also Kolmogorov and Smirnov's (the same range),
and Wasserstein's (by how much a value would have to move on average, in its own unit).
"""

from collections.abc import Callable
from pathlib import Path
from typing import NotRequired, TypedDict

import numpy as np
import polars as pl
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

from ..core.paths import MODEL, TEST, TRAIN, VALID, sha256
from ..data.column_names import values_of
from ..data.contract import Contract
from ..data.row_rules import list_rules
from ..model.bins import MISSING
from ..model.inputs import Input, explain_misfit, select_inputs
from ..model.metadata import InputBins
from ..model.seen_values import recall_values
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
    """How one input has drifted; distances that are not known are None, as is `unseen` for numbers
    and for texts of which training met too many to tell.
    """

    input: str
    kind: str
    psi: float
    jensen_shannon: float
    kolmogorov_smirnov: float | None
    wasserstein: float | None
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
    version, path = registry.fetch_champion() or (None, MODEL)
    model = Predictor(path)
    ours = rows.filter(pl.col("version") == version)
    live = ours if ours.height else rows
    mismatch = explain_misfit(model.meta, contract)
    if "bins" not in model.meta:
        mismatch = mismatch or "was packaged by an older version"
    return {
        "rows": live.height,
        "version": version,
        "fault": f"the model in use {mismatch}" if mismatch else "",
        "inputs": compare_inputs(live, model, path) if live.height and not mismatch else [],
        "scored_by": live["version"].drop_nulls().unique().sort().to_list(),
        "broken": find_broken_rules(live, contract),
    }


def compare_inputs(live: pl.DataFrame, model: Predictor, path: Path) -> list[InputDrift]:
    """Compare each input, and the score, with those in training; the model's file is at `path`."""
    entries = [Input(**entry) for entry in model.meta["inputs"]]
    values = select_inputs(live["inputs"].struct.unnest(), entries)
    values = values.with_columns(live["score"].alias(SCORE))
    learned = read_training_values(path, model, entries)
    inputs = [
        compare_input(values[entry["input"]], entry, learned.get(entry["input"]))
        for entry in model.meta["bins"]
    ]
    return sorted(inputs, key=lambda each: -each["psi"])


def compare_input(values: pl.Series, entry: InputBins, learned: pl.Series | None) -> InputDrift:
    """Compare live values with their entry of model/bins.py, and with those that were learned."""
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
        "kolmogorov_smirnov": measure_distance(values, learned, kolmogorov_smirnov),
        "wasserstein": measure_distance(values, learned, wasserstein_distance),
        "missing": shares[MISSING],
        "unseen": measure_unseen(values, entry),
        "bins": bins,
    }


def measure_unseen(values: pl.Series, entry: InputBins) -> Shares | None:
    """Return the share of the values that training never met, beside the share to expect.

    Those that the filter takes for seen, by its stated error, are reckoned in.
    """
    if "seen" not in entry:
        return None
    was_seen, counts = recall_values(entry["seen"]), values.value_counts(name="rows")
    new = sum(rows for text, rows in counts.iter_rows() if text and not was_seen(text))
    share = new / len(values) / (1 - entry["seen"]["error"])
    return {"live": min(1.0, share), "expected": entry["seen"]["expected"]}


def population_stability_index(live: Array, expected: Array) -> float:
    """Return the index of two distributions over the same bins, (bins,)."""
    live, expected = np.maximum(live, FLOOR), np.maximum(expected, FLOOR)
    return float(np.sum((live - expected) * np.log(live / expected)))


def kolmogorov_smirnov(live: Array, learned: Array) -> float:
    """Return the largest difference of the two distribution functions, 0 to 1."""
    return float(ks_2samp(live, learned, method="asymp").statistic)


def measure_distance(
    live: pl.Series, learned: pl.Series | None, distance: Callable[[Array, Array], float]
) -> float | None:
    """Return the distance of numbers from those in training; None where there are none."""
    if learned is None or live.dtype == pl.String:
        return None
    numbers = [values.cast(pl.Float64).drop_nans().to_numpy() for values in (live, learned)]
    return float(distance(*numbers)) if all(map(len, numbers)) else None


def read_training_values(
    path: Path, model: Predictor, entries: list[Input]
) -> dict[str, pl.Series]:
    """Read what the model learned from, and its scores on the test rows, by the input's name.

    Returns {} if what the pipeline left here is of another model.
    """
    here = all(file.exists() for file in (MODEL, TRAIN, VALID, TEST))
    if not here or sha256(MODEL) != sha256(path):
        return {}
    rows = pl.concat([pl.read_parquet(TRAIN), pl.read_parquet(VALID)])
    answers = model.answers(model.scores(pl.read_parquet(TEST)))
    scores = pl.Series(SCORE, answers["score"].astype(float))
    return {column.name: column for column in (*select_inputs(rows, entries), scores)}


def excess_beyond_chance(shares: Shares, rows: int) -> float:
    """Return by how much the live share exceeds the expected one, less three standard errors."""
    live, expected = shares["live"], shares["expected"]
    return live - expected - 3 * float(np.sqrt(expected * (1 - expected) / rows))


def measure_shares(values: pl.Series, entry: InputBins) -> Array:
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
    inputs = contract.model_copy(update={"columns": contract.inputs})
    for condition, name, rule in list_rules(inputs):
        values = values_of(table.filter(condition), name)
        if len(values):
            commonest = values.drop_nulls().value_counts(sort=True)["value"].head(EXAMPLES)
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
