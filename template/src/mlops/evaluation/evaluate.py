"""Stage evaluate: how good the packaged model is, on rows that nothing was chosen by.

It is held against no model at all, against today's decisions, and against the champion.
"""

import json
from contextlib import suppress
from typing import Any

import numpy as np
import polars as pl

from ..core.paths import EVALUATION, MODEL, REPORTS, TEST, replacing, write_json
from ..core.settings import Params, Problem, Task
from ..data.contract import Contract
from ..model.inputs import Input, feed, frame, misfit
from ..model.metrics import Metric, UnmeasurableError, report
from ..model.value import PER, Array, usual
from ..registry import registry
from ..scoring.predictor import Predictor
from .comparison import Judge
from .slices import SEED, slices

METRICS = REPORTS / "metrics.json"
PLOTS = REPORTS / "plots"
BINS = 10
MOST_ROWS_PERMUTED = 5000


def run() -> None:
    """Write the report, a compact file for `dvc metrics`, and tables for `dvc plots`."""
    model, test = Predictor(MODEL), pl.read_parquet(TEST)
    found = rounded(evaluation(model, test, Contract.load(), Problem.read(), Params.read()))
    metric, worth = found["primary_metric"], found["value"]["model"]
    write_json(EVALUATION, found)
    write_json(METRICS, {metric["name"]: metric["value"], **found["metrics"], "value": worth})
    plot("calibration", found["calibration"]["bins"], ["predicted", "observed", "rows"])
    plot("importance", found["importance"], ["input", "drop"])
    plot("slices", found["slices"], ["column", "value", "rows", "metric", "gap", "low", "high"])
    reached = f"{metric['name']} {metric['value']} ({metric['low']} to {metric['high']})"
    print(f"evaluate: {reached} on {test.height:,} test rows")


def evaluation(
    model: Predictor, test: pl.DataFrame, contract: Contract, problem: Problem, params: Params
) -> dict[str, Any]:
    """Everything that is to be said about the model; figures unrounded."""
    task, threshold = contract.task, model.meta.get("threshold")
    judge = Judge(test, contract, problem, params)
    true, metric, ours = judge.true, judge.metric, judge.answers(model)
    usually, policy = usual(true, task)
    version, old, note = champion(contract)
    in_use = {"version": version} | judge.apart(ours, judge.answers(old)) if old else None
    return {
        "task": task,
        "target": contract.target.name,
        "rows": test.height,
        "contract": {"id": contract.id, "version": contract.version},
        "primary_metric": {"name": metric.name, **judge.interval(judge.score(ours))},
        "metrics": report(task, true, ours.scores, threshold),
        "baseline": baseline(true, contract, metric, problem.baseline.score),
        "threshold": threshold,
        "confusion": confusion(true, ours.decided, contract),
        "calibration": calibration(true, ours.scores, task),
        "importance": importance(model, test, true, metric),
        "slices": slices(test, contract, true, ours.scores, metric=metric, params=params.evaluate),
        "value": {
            "unit": problem.value.unit,
            "per": PER,
            "model": judge.worth(ours.decided),
            "do_nothing": judge.worth(usually),
            "do_nothing_means": policy,
            "always_act": judge.worth(1) if task == "binary" else None,
            "champion": in_use["value"] if in_use else None,
        },
        "champion": in_use,
        "champion_note": note,
    }


def champion(contract: Contract) -> tuple[int, Predictor | None, str | None]:
    """Version and model of the champion; no model, and why, if there is none to compare with."""
    in_use = registry.champion()
    if in_use is None:
        return 0, None, "there is no champion yet"
    version, model = in_use[0], Predictor(in_use[1])
    why = misfit(model.meta, contract)
    return version, None if why else model, why and f"the champion, version {version}, {why}"


def baseline(
    true: Array, contract: Contract, metric: Metric, today: float | None
) -> dict[str, Any]:
    """What a model must beat: today's score, or the best that the same answer for all could reach.

    Such answers are taken from the test rows themselves, which makes them the hardest to beat.
    """
    scores = []
    for same in constants(true, contract):
        with suppress(UnmeasurableError):  # a loss may be infinite for an answer that is too sure
            scores.append(metric.measure(true, same))
    naive = max((score for score in scores if not np.isnan(score)), default=float("nan"))
    if today is not None and not today < naive:
        return {"name": metric.name, "value": today, "source": "problem.yaml"}
    return {"name": metric.name, "value": naive, "source": "the same answer for every row"}


def constants(true: Array, contract: Contract) -> list[Array]:
    """Scores that say the same of each row: a middle, or the classes' shares and each class."""
    if contract.task == "regression":
        return [np.full(len(true), middle) for middle in (true.mean(), np.median(true))]
    size = len(contract.classes)
    shares = np.bincount(true, minlength=size) / len(true)
    same = [np.tile(each, (len(true), 1)) for each in (shares, *np.eye(size))]
    return [each[:, 1] for each in same] if contract.task == "binary" else same


def confusion(true: Array, decided: Array, contract: Contract) -> dict[str, Any] | None:
    """`counts[i][j]`: rows that are labels[i] and were taken for labels[j]; None for a number."""
    if contract.task == "regression":
        return None
    size = len(contract.classes)
    counts = np.bincount(true * size + decided, minlength=size * size).reshape(size, size)
    return {"labels": list(contract.classes), "counts": counts.tolist()}


def calibration(true: Array, scores: Array, task: Task) -> dict[str, Any]:
    """Up to ten equally filled bins of the score: its mean, and the mean of what came true.

    Several classes: of the likeliest class's probability, and how often that class was right
    (Guo et al., 2017). `error` is the mean distance of the two, weighted by rows (expected
    calibration error; Naeini et al., 2015), in the target's unit for a number.
    """
    if task == "multiclass":
        scores, true = scores.max(axis=1), scores.argmax(axis=1) == true
    told, came = scores.astype(float), true.astype(float)
    place = np.searchsorted(np.unique(np.quantile(told, np.arange(1, BINS) / BINS)), told)
    rows = pl.DataFrame({"bin": place, "predicted": told, "observed": came})
    means = pl.col("predicted", "observed").mean()
    bins = rows.group_by("bin").agg(means, rows=pl.len()).sort("bin").drop("bin")
    distance = (bins["predicted"] - bins["observed"]).abs()
    return {"bins": bins.to_dicts(), "error": np.average(distance, weights=bins["rows"])}


def importance(
    model: Predictor, test: pl.DataFrame, true: Array, metric: Metric
) -> list[dict[str, Any]]:
    """By how much the metric drops when one input is shuffled among the rows, most first.

    Permutation importance (Breiman, 2001), on at most 5000 rows.
    """
    random = np.random.default_rng(SEED)
    rows = np.sort(random.permutation(len(true))[:MOST_ROWS_PERMUTED])
    given = feed(frame(test[rows], [Input(**entry) for entry in model.meta["inputs"]]))
    whole, order = metric.measure(true[rows], model.run(given)), random.permutation(len(rows))
    found = []
    for name, values in given.items():
        shuffled = metric.measure(true[rows], model.run({**given, name: values[order]}))
        found.append({"input": name, "drop": whole - shuffled})
    return sorted(found, key=lambda entry: -entry["drop"])


def rounded(content: dict[str, Any]) -> Any:
    """Six decimals, and None for what is not a number: JSON knows no NaN."""
    return json.loads(
        json.dumps(content),
        parse_float=lambda text: round(float(text), 6),
        parse_constant=lambda _: None,
    )


def plot(name: str, rows: list[dict[str, Any]], columns: list[str]) -> None:
    with replacing(PLOTS / f"{name}.csv") as scratch:
        pl.DataFrame(rows, schema=columns, infer_schema_length=None).write_csv(scratch)
