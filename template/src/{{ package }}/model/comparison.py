"""The newcomer held against the champion: both on the same rows, where that can be done."""

from typing import Any

import polars as pl

from ..data.contract import Contract
from ..settings import Params, Problem
from . import tracking
from .bootstrap import interval
from .inputs import truth
from .metrics import primary
from .predictor import Predictor
from .slices import score_of
from .value import value_per_thousand


def against_champion(
    new: Predictor,
    test: pl.DataFrame,
    contract: Contract,
    problem: Problem,
    params: Params,
) -> tuple[dict[str, Any] | None, str | None]:
    """How the newcomer differs from the champion on the same rows, or why that cannot be said.

    `difference` is newcomer minus champion, its bounds by paired bootstrap.
    """
    champion = tracking.champion()
    if champion is None:
        return None, "there is no champion yet"
    version, path = champion
    old = Predictor(path)
    why_not = incomparable(old.meta, test, contract)
    if why_not:
        return None, f"the champion, version {version}, {why_not}"
    true, metric = truth(test, contract), primary(contract.task, params.train.metric)
    before, after = old.scores(test), new.scores(test)
    score_before, score_after = (score_of(metric.score, true, each) for each in (before, after))
    apart = interval(
        lambda rows: score_after(rows) - score_before(rows), len(true), params.evaluate
    )
    return {
        "version": version,
        "score": metric.score(true, before),
        "difference": apart.value,
        "low": apart.low,
        "high": apart.high,
        "value": value_per_thousand(
            true, before, old.meta.get("threshold"), problem.value, contract.task
        ),
    }, None


def incomparable(meta: dict[str, Any], test: pl.DataFrame, contract: Contract) -> str | None:
    """Why a model cannot be judged on these rows; None if it can."""
    kinds = {name: "text" if kind == pl.String else "number" for name, kind in test.schema.items()}
    strange = {entry["column"] for entry in meta["inputs"] if entry["column"] not in kinds}
    if meta["contract"]["id"] != contract.id or meta["task"] != contract.task:
        return "was trained for another table"
    if tuple(meta["classes"]) != contract.classes:
        return "tells other classes apart"
    if strange:
        return f"reads columns that are gone: {', '.join(sorted(strange))}"
    if any(entry["kind"] != kinds[entry["column"]] for entry in meta["inputs"]):
        return "reads columns that have another type now"
    return None
