"""Stage evaluate: how good the packaged model is, on rows that nothing was chosen by.

It is held against no model at all, against today's decisions, the champion and the best so far.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..core.params import Params
from ..core.paths import (
    EVALUATION,
    METRICS,
    MODEL,
    REPORTS,
    TEST,
    TRAIN,
    VALID,
    replacing,
    round_figures,
    write_json,
)
from ..core.problem import Problem, Task
from ..data.contract import Contract
from ..model.inputs import Input, explain_misfit, make_feed, select_inputs
from ..model.metrics import Metric, UnmeasurableError, measure_all_metrics
from ..model.value import PER, Array, find_usual_decision
from ..registry import registry
from ..scoring.predictor import Predictor
from .evaluation_report import (
    FORECAST,
    BaselineScore,
    Calibration,
    ChampionDifference,
    Confusion,
    Evaluation,
    InputImportance,
)
from .naive_forecasts import forecast_naively
from .paired_comparison import Answers, Judge
from .slices import SEED, compare_slices

PLOTS = REPORTS / "plots"
BINS = 10
MOST_ROWS_PERMUTED = 5000
SAME = "the same answer for every row"


def run() -> None:
    """Write the report, a compact file for `dvc metrics`, and tables for `dvc plots`."""
    model, test, contract = Predictor(MODEL), pl.read_parquet(TEST), Contract.load()
    past = pl.concat(pl.scan_parquet(part) for part in (TRAIN, VALID))
    report = round_figures(
        evaluate_model(model, test, contract, Problem.read(), Params.read(), past=past)
    )
    metric, worth = report["primary_metric"], report["value"]["model"]
    write_json(EVALUATION, report)
    write_json(METRICS, {metric["name"]: metric["value"], **report["metrics"], "value": worth})
    write_plot("calibration", report["calibration"]["bins"], ["predicted", "observed", "rows"])
    write_plot("importance", report["importance"], ["input", "drop"])
    write_plot(
        "slices", report["slices"], ["column", "value", "rows", "metric", "gap", "low", "high"]
    )
    score = f"{metric['name']} {metric['value']} ({metric['low']} to {metric['high']})"
    print(f"evaluate: {score} on {test.height:,} test rows")
    if report["baseline"]["forecast"]:
        print(f"evaluate: {FORECAST}")


def evaluate_model(
    model: Predictor,
    test: pl.DataFrame,
    contract: Contract,
    problem: Problem,
    params: Params,
    *,
    past: pl.LazyFrame,
) -> Evaluation:
    """Evaluate the model on the test rows; figures are unrounded, NaN where they cannot be told.

    `past` are the rows of the other parts, which a naive forecast may know.
    """
    task, threshold = contract.task, model.meta.get("threshold")
    judge = Judge(test, contract, problem, params)
    true, metric, answers = judge.true, judge.metric, judge.ask(model)
    usually, policy = find_usual_decision(true, task)
    naive = forecast_naively(past, test, contract)
    champion, best, note = compare_with_rivals(judge, answers, contract)
    return {
        "task": task,
        "target": contract.target.name,
        "rows": test.height,
        "contract": {"id": contract.id, "version": contract.version},
        "primary_metric": {"name": metric.name, **judge.interval(judge.score(answers))},
        "metrics": measure_all_metrics(task, true, answers.scores, threshold),
        "baseline": find_baseline(true, contract, metric, problem.baseline.score, naive),
        "threshold": threshold,
        "confusion": count_confusion(true, answers.decisions, contract),
        "calibration": measure_calibration(true, answers.scores, task),
        "importance": rank_inputs(model, test, true, metric),
        "slices": compare_slices(
            test, contract, true, answers.scores, metric=metric, params=params.evaluate
        ),
        "value": {
            "unit": problem.value.unit,
            "per": PER,
            "model": judge.worth(answers.decisions),
            "do_nothing": judge.worth(usually),
            "do_nothing_means": policy,
            "always_act": judge.worth(1) if task == "binary" else None,
            "champion": champion["value"] if champion else None,
            "drafted": "value.unit" in problem.list_drafted(),
        },
        "champion": champion,
        "best": best,
        "champion_note": note,
    }


def compare_with_rivals(
    judge: Judge, answers: Answers, contract: Contract
) -> tuple[ChampionDifference | None, ChampionDifference | None, str | None]:
    """Compare the model's answers with those of the champion and of the best so far.

    Returns both differences, one for both if they are the same version; None for what cannot be
    compared, and then why.
    """
    version, old, note = load_rival(registry.fetch_champion, "the champion", contract)
    if old is None:
        return None, None, note or "there is no champion yet"
    champion: ChampionDifference = {"version": version, **judge.compare(answers, judge.ask(old))}
    version, old, note = load_rival(registry.fetch_best, "the best so far", contract)
    if old is None or version == champion["version"]:
        return champion, None if note else champion, note
    return champion, {"version": version, **judge.compare(answers, judge.ask(old))}, None


def load_rival(
    fetch: Callable[[], tuple[int, Path] | None], name: str, contract: Contract
) -> tuple[int, Predictor | None, str | None]:
    """Load the model that `fetch` finds. Returns its version, itself, and why not to compare.
    Nothing is found where there is none of this table: a new table starts anew.
    """
    try:
        version, file = fetch() or (0, None)
    except registry.ModelGoneError as gone:
        return 0, None, f"{name} cannot answer, {gone}"
    model = Predictor(file) if file else None
    if model is None or model.meta["contract"]["id"] != contract.id:
        return 0, None, None
    if why := explain_misfit(model.meta, contract, for_comparison=True):
        return version, None, f"{name}, version {version}, {why}"
    return version, model, None


def find_baseline(
    true: Array,
    contract: Contract,
    metric: Metric,
    today: float | None,
    naive: dict[str, Array],
) -> BaselineScore:
    """Find what a model must beat: today's score, the best that the same answer for all rows could
    reach, or a naive forecast (naive_forecasts.py).

    The same answers are taken from the test rows themselves, which makes them the hardest to beat.
    """
    guesses = [(SAME, same) for same in constant_scores(true, contract)]
    scores = []
    for source, guess in [*guesses, *naive.items()]:
        with suppress(UnmeasurableError):  # a loss may be infinite for an answer that is too sure
            scores.append((metric.measure(true, guess), source))
    known = [one for one in scores if not np.isnan(one[0])]
    best, source = max(known, key=lambda one: one[0], default=(float("nan"), SAME))
    if today is not None and not today < best:
        best, source = today, "problem.yaml"
    return {"name": metric.name, "value": best, "source": source, "forecast": bool(naive)}


def constant_scores(true: Array, contract: Contract) -> list[Array]:
    """Return scores that say the same of each row: a middle, or the classes' shares and each class.

    Each is (rows,), or (rows, classes) for more than two classes.
    """
    if contract.task == "regression":
        return [np.full(len(true), middle) for middle in (true.mean(), np.median(true))]
    size = len(contract.classes)
    shares = np.bincount(true, minlength=size) / len(true)
    same = [np.tile(each, (len(true), 1)) for each in (shares, *np.eye(size))]
    return [each[:, 1] for each in same] if contract.task == "binary" else same


def count_confusion(true: Array, decided: Array, contract: Contract) -> Confusion | None:
    """Count rows by what they are and what they were taken for; None for a number."""
    if contract.task == "regression":
        return None
    size = len(contract.classes)
    counts = np.bincount(true * size + decided, minlength=size * size).reshape(size, size)
    return {"labels": list(contract.classes), "counts": counts.tolist()}


def measure_calibration(true: Array, scores: Array, task: Task) -> Calibration:
    """Cut the score into up to ten equally filled bins: the mean of each, and of what came true.

    Several classes: of the likeliest class's probability, and how often that class was right
    (Guo et al., 2017). `error` is the mean distance of the two, weighted by rows (expected
    calibration error; Naeini et al., 2015), in the target's unit for a number.
    """
    if task == "multiclass":
        scores, true = scores.max(axis=1), scores.argmax(axis=1) == true
    predicted, observed = scores.astype(float), true.astype(float)
    ends = np.unique(np.quantile(predicted, np.arange(1, BINS) / BINS))
    numbers = np.searchsorted(ends, predicted)
    rows = pl.DataFrame({"bin": numbers, "predicted": predicted, "observed": observed})
    means = pl.col("predicted", "observed").mean()
    bins = rows.group_by("bin").agg(means, rows=pl.len()).sort("bin").drop("bin")
    distance = (bins["predicted"] - bins["observed"]).abs()
    return {"bins": bins.to_dicts(), "error": np.average(distance, weights=bins["rows"])}


def rank_inputs(
    model: Predictor, test: pl.DataFrame, true: Array, metric: Metric
) -> list[InputImportance]:
    """Measure by how much the metric drops when one input is shuffled among the rows, most first.

    Permutation importance (Breiman, 2001), on at most 5000 rows.
    """
    random = np.random.default_rng(SEED)
    rows = np.sort(random.permutation(len(true))[:MOST_ROWS_PERMUTED])
    given = make_feed(select_inputs(test[rows], [Input(**entry) for entry in model.meta["inputs"]]))
    whole, order = metric.measure(true[rows], model.run(given)), random.permutation(len(rows))
    ranking: list[InputImportance] = []
    for name, values in given.items():
        shuffled = metric.measure(true[rows], model.run({**given, name: values[order]}))
        ranking.append({"input": name, "drop": whole - shuffled})
    return sorted(ranking, key=lambda entry: -entry["drop"])


def write_plot(name: str, rows: Sequence[Any], columns: list[str]) -> None:
    """Write a table for `dvc plots`; `rows` are dictionaries."""
    with replacing(PLOTS / f"{name}.csv") as scratch:
        pl.DataFrame(rows, schema=columns, infer_schema_length=None).write_csv(scratch)
