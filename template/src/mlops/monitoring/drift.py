"""How live values differ from those that the model learned from, and which break the contract.

The population stability index is that of Prometheus (the recording rule `input:psi`): over the bins
in the model's file, the sum of (live - expected) * ln(live / expected), with no share below FLOOR.
The distances, of scipy, are beside it: Jensen and Shannon's, of the bins (0 alike, 1 apart); where
the rows that the model learned from are at hand, also Kolmogorov and Smirnov's (the same range),
and Wasserstein's (by how much a value would have to move on average, in its own unit).
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

from ..core.paths import MODEL, TEST, TRAIN, VALID, sha256
from ..data.contract import Contract
from ..data.row_rules import list_rules
from ..model.bins import MISSING, OTHER
from ..model.inputs import Input, frame, misfit
from ..model.value import Array
from ..registry import registry
from ..scoring.predictor import SCORE, Predictor

Report = dict[str, Any]
FLOOR = 0.0001
EXAMPLES = 3


def drift(rows: pl.DataFrame, contract: Contract) -> Report:
    """Of rows as `truths.joined` gives them, with all inputs.

    {rows, version (of the champion, which alone counts if it answered any of them), scored_by (the
    versions that did), fault (why nothing can be compared, or ""), inputs: see `compared`,
    broken: see `faults`}.
    """
    version, path = registry.champion() or (None, MODEL)
    model = Predictor(path)
    ours = rows.filter(pl.col("version") == version)
    live = ours if ours.height else rows
    found: Report = {"rows": live.height, "version": version, "fault": "", "inputs": []}
    found["scored_by"] = live["version"].drop_nulls().unique().sort().to_list()
    why = misfit(model.meta, contract)
    if why or "bins" not in model.meta:
        found["fault"] = f"the model in use {why or 'was packaged by an older version'}"
    elif live.height:
        entries = [Input(**entry) for entry in model.meta["inputs"]]
        values = frame(live["inputs"].struct.unnest(), entries)
        values = values.with_columns(live["score"].alias(SCORE))
        found["inputs"] = compared(values, model, learned_from(path, model, entries))
    return found | {"broken": faults(live, contract)}


def compared(values: pl.DataFrame, model: Predictor, learned: dict[str, pl.Series]) -> list[Report]:
    """Most drifted first: {input, kind, psi, jensen_shannon, kolmogorov_smirnov, wasserstein,
    missing and unseen (shares: {live, expected}; unseen None for numbers),
    bins: [{label, live, expected}]}.
    """
    found = []
    for entry in model.meta["bins"]:
        name, labels, expected = entry["input"], entry["labels"], np.array(entry["shares"])
        live = shares(values[name], entry)
        pairs = {
            label: {"live": float(one), "expected": float(other)}
            for label, one, other in zip(labels, live, expected, strict=True)
        }
        told = {"input": name, "kind": entry["kind"], "psi": psi(live, expected)}
        told |= {"jensen_shannon": float(jensenshannon(live, expected, base=2))}
        told |= apart(values[name], learned.get(name))
        told |= {"missing": pairs[MISSING], "unseen": pairs.get(OTHER)}
        found.append(told | {"bins": [{"label": label} | pair for label, pair in pairs.items()]})
    return sorted(found, key=lambda told: -told["psi"])


def psi(live: Array, expected: Array) -> float:
    """Population stability index of two distributions over the same bins, (bins,)."""
    live, expected = np.maximum(live, FLOOR), np.maximum(expected, FLOOR)
    return float(np.sum((live - expected) * np.log(live / expected)))


def beyond_chance(live: float, expected: float, rows: int) -> float:
    """By how much a share exceeds the expected one, less three standard errors of it among rows."""
    return live - expected - 3 * float(np.sqrt(expected * (1 - expected) / rows))


def shares(values: pl.Series, entry: Report) -> Array:
    """Of the values in each bin, (bins,), by the rule of model/bins.py."""
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


def apart(live: pl.Series, learned: pl.Series | None) -> Report:
    """Distances of numbers from those in training; None where they cannot be told."""
    found: Report = {"kolmogorov_smirnov": None, "wasserstein": None}
    if learned is None or live.dtype == pl.String:
        return found
    one, other = (values.cast(pl.Float64).drop_nans().to_numpy() for values in (live, learned))
    if len(one) and len(other):
        found["kolmogorov_smirnov"] = float(ks_2samp(one, other, method="asymp").statistic)
        found["wasserstein"] = float(wasserstein_distance(one, other))
    return found


def learned_from(path: Path, model: Predictor, entries: list[Input]) -> dict[str, pl.Series]:
    """The values that the model learned from, and its scores on the test rows; {} if what the
    pipeline left here is of another model.
    """
    here = all(file.exists() for file in (MODEL, TRAIN, VALID, TEST))
    if not here or sha256(MODEL) != sha256(path):
        return {}
    rows = pl.concat([pl.read_parquet(TRAIN), pl.read_parquet(VALID)])
    answers = model.answers(model.scores(pl.read_parquet(TEST)))
    scores = pl.Series(SCORE, answers["score"].astype(float))
    return {column.name: column for column in (*frame(rows, entries), scores)}


def faults(rows: pl.DataFrame, contract: Contract) -> list[Report]:
    """Rules of the contract that values break which were scored all the same, most often first:
    {column, rule, rows, share, examples (the commonest values)}.
    """
    if not rows.height or "inputs" not in rows.columns:
        return []
    table, found = rows["inputs"].struct.unnest(), []
    for condition, name, rule in list_rules(
        contract.model_copy(update={"columns": contract.inputs})
    ):
        values = table.filter(condition)[name]
        if len(values):
            often = values.drop_nulls().value_counts(sort=True)[name].head(EXAMPLES)
            told = {"column": name, "rule": rule, "rows": len(values)}
            told |= {"share": len(values) / rows.height}
            found.append(told | {"examples": often.cast(pl.String).to_list()})
    return sorted(found, key=lambda told: -told["rows"])
