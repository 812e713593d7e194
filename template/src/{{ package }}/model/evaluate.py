"""Stage evaluate: how good the packaged model is, on rows that nothing was chosen by.

It is held against no model at all, against today's decisions, and against the champion.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..data.contract import Contract
from ..files import MODEL, REPORTS, TEST, replacing, write_json
from ..settings import Baseline, Params, Problem, Task, Value
from .bootstrap import SEED, interval
from .comparison import against_champion
from .inputs import Input, feed, frame, truth
from .metrics import Metric, primary, report
from .predictor import Predictor
from .slices import score_of, slices
from .value import PER, Array, constant_value, decisions, usual, value_per_thousand

EVALUATION = REPORTS / "evaluation.json"
METRICS = REPORTS / "metrics.json"
PLOTS = REPORTS / "plots"
BINS = 10
MOST_ROWS_PERMUTED = 5000


def run() -> None:
    contract, problem, params = Contract.load(), Problem.read(), Params.read()
    model, test = Predictor(MODEL), pl.read_parquet(TEST)
    found = evaluation(model, test, contract, problem, params)
    champion, note = against_champion(model, test, contract, problem, params)
    found |= {"champion": champion, "champion_note": note}
    found["value"]["champion"] = champion["value"] if champion else None
    write(rounded(found))
    metric = found["primary_metric"]
    print(
        f"evaluate: {metric['name']} {metric['value']:.4f} ({metric['low']:.4f} to "
        f"{metric['high']:.4f}) on {test.height:,} test rows"
    )


def evaluation(
    model: Predictor, test: pl.DataFrame, contract: Contract, problem: Problem, params: Params
) -> dict[str, Any]:
    """Everything about the model but the comparison with the champion; figures unrounded."""
    task, threshold = contract.task, model.meta.get("threshold")
    true, scores = truth(test, contract), model.scores(test)
    metric = primary(task, params.train.metric)
    reached = interval(score_of(metric.score, true, scores), len(true), params.evaluate)
    return {
        "task": task,
        "target": contract.target.name,
        "rows": test.height,
        "contract": {"id": contract.id, "version": contract.version},
        "primary_metric": {"name": metric.name, **vars(reached)},
        "metrics": report(task, true, scores, threshold),
        "baseline": baseline(true, contract, metric, problem.baseline),
        "threshold": threshold,
        "confusion": confusion(true, decisions(scores, threshold, task), contract),
        "calibration": calibration(true, scores, task),
        "importance": importance(model, test, true, metric),
        "slices": slices(test, contract, true, scores, metric=metric, params=params.evaluate),
        "value": worth_of(true, scores, threshold, problem.value, contract),
    }


def baseline(true: Array, contract: Contract, metric: Metric, today: Baseline) -> dict[str, Any]:
    """What a model must beat: today's score, or the best that any constant answer could reach.

    The constant is taken from the test rows themselves, which is the hardest one to beat.
    """
    if contract.task == "regression":
        constant = np.full(len(true), np.median(true) if metric.name == "neg_mae" else true.mean())
    else:
        shares = np.bincount(true, minlength=len(contract.classes)) / len(true)
        constant = np.tile(shares, (len(true), 1))
        constant = constant[:, 1] if contract.task == "binary" else constant
    naive = metric.score(true, constant)
    if today.score is not None and not today.score < naive:
        return {"name": metric.name, "value": today.score, "source": "problem.yaml"}
    return {"name": metric.name, "value": naive, "source": "the same answer for every row"}


def confusion(true: Array, decided: Array, contract: Contract) -> dict[str, Any] | None:
    """`counts[i][j]`: rows that are labels[i] and were taken for labels[j]; None for a number."""
    if contract.task == "regression":
        return None
    size = len(contract.classes)
    cells = np.bincount(true * size + decided.astype(int), minlength=size * size)
    return {"labels": list(contract.classes), "counts": cells.reshape(size, size).tolist()}


def calibration(true: Array, scores: Array, task: Task) -> dict[str, Any]:
    """Up to ten equally filled bins of the score: its mean, and the mean of what came true.

    Several classes: of the likeliest class's probability, and how often that class was right
    (Guo et al., 2017). `error` is the mean distance of the two, weighted by rows (expected
    calibration error; Naeini et al., 2015), in the target's unit for a number.
    """
    told, came = scores.astype(float), true.astype(float)
    if task == "multiclass":
        told, came = told.max(axis=1), (scores.argmax(axis=1) == true).astype(float)
    edges = np.unique(np.quantile(told, np.linspace(0, 1, BINS + 1)[1:-1]))
    place = np.searchsorted(edges, told, side="left")
    inside = [place == each for each in np.unique(place)]
    bins = [
        {"predicted": told[rows].mean(), "observed": came[rows].mean(), "rows": int(rows.sum())}
        for rows in inside
    ]
    distance = [abs(entry["predicted"] - entry["observed"]) for entry in bins]
    return {"bins": bins, "error": np.average(distance, weights=[rows.sum() for rows in inside])}


def importance(
    model: Predictor, test: pl.DataFrame, true: Array, metric: Metric
) -> list[dict[str, Any]]:
    """By how much the metric drops when one input is shuffled among the rows, most first.

    Permutation importance (Breiman, 2001), on at most 5000 rows.
    """
    random = np.random.default_rng(SEED)
    rows = np.sort(random.permutation(len(true))[:MOST_ROWS_PERMUTED])
    entries = [Input(**entry) for entry in model.meta["inputs"]]
    given, true = feed(frame(test[rows], entries)), true[rows]
    whole, order = metric.score(true, model.run(given)), random.permutation(len(rows))
    drops = [
        {"input": name, "drop": whole - metric.score(true, model.run({**given, name: one[order]}))}
        for name, one in given.items()
    ]
    return sorted(drops, key=lambda entry: -entry["drop"])


def worth_of(
    true: Array, scores: Array, threshold: float | None, value: Value, contract: Contract
) -> dict[str, Any]:
    """Value per thousand decisions of the model, and of policies that need none."""
    task, always = contract.task, usual(true, contract.task)
    policy = {
        "binary": "never acting",
        "multiclass": "always the most frequent class",
        "regression": "always the median",
    }
    return {
        "unit": value.unit,
        "per": PER,
        "model": value_per_thousand(true, scores, threshold, value, task),
        "do_nothing": constant_value(true, always, value, task),
        "do_nothing_means": policy[task],
        "always_act": constant_value(true, 1, value, task) if task == "binary" else None,
    }


def rounded(content: Any) -> Any:
    """Six decimals, and None for what is not a number: JSON knows no NaN."""
    if isinstance(content, dict):
        return {name: rounded(part) for name, part in content.items()}
    if isinstance(content, list):
        return [rounded(part) for part in content]
    if isinstance(content, float | np.floating):
        return round(float(content), 6) if np.isfinite(content) else None
    return content


def write(found: dict[str, Any]) -> None:
    """The report, a compact file for `dvc metrics`, and tables for `dvc plots`."""
    write_json(EVALUATION, found)
    metric, value = found["primary_metric"], found["value"]
    write_json(
        METRICS, {metric["name"]: metric["value"], **found["metrics"], "value": value["model"]}
    )
    plots = {
        "calibration": (found["calibration"]["bins"], ["predicted", "observed", "rows"]),
        "importance": (found["importance"], ["input", "drop"]),
        "slices": (found["slices"], ["column", "value", "rows", "metric", "gap", "low", "high"]),
    }
    for name, (rows, columns) in plots.items():
        table(PLOTS / f"{name}.csv", rows, columns)


def table(target: Path, rows: list[dict[str, Any]], columns: list[str]) -> None:
    with replacing(target) as scratch:
        pl.DataFrame(rows or {name: [] for name in columns}).select(columns).write_csv(scratch)
