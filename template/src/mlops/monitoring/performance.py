"""Measure how good the answers were, and what they were worth, once the ground truth has come.

The metric is that of the evaluation, on the scores that were given; the value is that of the
decisions that were taken. Of several classes the journal keeps only the likeliest one: there the
metric is the share of right answers.
"""

from datetime import datetime, timedelta
from typing import NamedTuple, Self

import numpy as np
import polars as pl

from ..business.prices import cost_of_running
from ..core.params import Params, convert_to_seconds
from ..core.paths import round_figures
from ..core.problem import Problem
from ..data.contract import Contract
from ..evaluation.evaluation_report import Evaluation
from ..evaluation.slices import compare_slices, make_score, measure_interval
from ..model.metrics import Metric, find_primary_metric
from ..model.value import (
    PER,
    Array,
    compute_gain_per_thousand,
    compute_value_per_thousand,
    find_usual_decision,
)
from ..registry.champion import read_evaluation_in_use
from .ground_truth import count_unmatched, join_ground_truth
from .performance_report import LiveSlice, Part, Performance, ReachedMetric, ReachedValue
from .repeated_requests import count_once

QUANTILES = (0.5, 0.9, 0.99)
# The longest stretch, in days, that is told by the day and by the week.
BY_DAY, BY_WEEK = 14, 120
PERIODS = {"day": "1d", "week": "1w", "month": "1mo"}


class Project(NamedTuple):
    """What the answers are held against. `evaluation` is that of the model in use."""

    contract: Contract
    problem: Problem
    params: Params
    evaluation: Evaluation

    @classmethod
    def read(cls) -> Self:
        """Read it all. Raises UserError if no model was evaluated yet."""
        return cls(Contract.load(), Problem.read(), Params.read(), read_evaluation_in_use()[0])

    @property
    def metric(self) -> Metric:
        """The one that can be told from what the journal keeps."""
        if self.contract.task == "multiclass":
            return Metric("accuracy", lambda truth, named: float(np.mean(truth == named)))
        return find_primary_metric(self.contract.task, self.params.train.metric)


def measure_performance(journal: str, since: datetime, until: datetime) -> Performance:
    """Measure the predictions from `since` up to `until`; figures are rounded.

    Raises UserError if there is no journal, or no evaluation.
    """
    project = Project.read()
    watched = [c.name for c in project.contract.inputs if c.protected or c.slice]
    answers = join_ground_truth(journal, since, until, project.contract, watched)
    within = convert_to_seconds(project.params.monitoring.count_once_within)
    rows = count_once(answers, timedelta(seconds=within))
    first = rows["at"].dt.to_string("iso:strict").item(0) if rows.height else None
    lasted = until - datetime.fromisoformat(first) if first else timedelta(0)
    performance: Performance = {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "first": first,
        **measure_rows(rows, project),
        "repeats": answers.height - rows.height,
        "strays": count_unmatched(journal, since),
        "cost": cost_of_running(lasted / timedelta(days=1)) if first else None,
    }
    return round_figures(performance)


def measure_rows(rows: pl.DataFrame, project: Project) -> Performance:
    """Measure rows as `join_ground_truth` gives them, without what only the journal knows."""
    known, period = rows.drop_nulls("truth"), choose_period(rows)
    begins = pl.col("at").dt.truncate(PERIODS[period])
    starts = pl.datetime_range(begins.min(), pl.col("at").max(), PERIODS[period])
    usual, policy = 0.0, project.evaluation["value"]["do_nothing_means"]
    if known.height:
        truth, _, _ = to_arrays(known, project.contract)
        usual, policy = find_usual_decision(truth, project.contract.task)
    versions = {v: pl.col("version").eq_missing(v) for v in rows["version"].unique().sort()}
    return {
        "task": project.contract.task,
        "predictions": rows.height,
        "rows": known.height,
        "coverage": known.height / rows.height if rows.height else None,
        "delay_seconds": {str(share): known["delay"].quantile(share) for share in QUANTILES},
        "contradictions": int(rows["contradicted"].sum()),
        "metric": measure_metric(known, project),
        "slices": measure_slices(known, project),
        "slices_not_live": [
            column.name
            for column in project.contract.columns
            if (column.protected or column.slice) and not column.is_input
        ],
        "value": measure_value(known, usual, policy, project),
        "versions": [
            {"version": version, **measure_part(rows.filter(of_version), usual, project)}
            for version, of_version in versions.items()
        ],
        "period": period,
        "trend": [
            {
                "start": start.date().isoformat(),
                **measure_part(rows.filter(begins == start), usual, project),
            }
            for start in (rows.select(starts).to_series() if rows.height else ())
        ],
    }


def to_arrays(known: pl.DataFrame, contract: Contract) -> tuple[Array, Array, Array]:
    """Return truth, score and decision of each row, (rows,), as model/value.py wants them.

    Of several classes the score is the place of the one that was predicted.
    """
    if contract.task == "regression":
        scores = known["score"].to_numpy()
        return known["truth"].to_numpy(), scores, scores
    places = {name: place for place, name in enumerate(contract.classes)}
    truth, predicted = (
        known[name].replace_strict(places, default=-1, return_dtype=pl.Int64).to_numpy()
        for name in ("truth", "prediction")
    )
    if contract.task == "multiclass":
        return truth, predicted, predicted
    return truth, known["score"].to_numpy(), known["decision"].cast(pl.Int64).to_numpy()


def measure_metric(known: pl.DataFrame, project: Project) -> ReachedMetric:
    """Measure the metric with its interval, beside what the evaluation found."""
    metric, before = project.metric, project.evaluation["primary_metric"]
    reached = dict.fromkeys(("value", "low", "high"))
    if known.height:
        truth, scores, _ = to_arrays(known, project.contract)
        score = make_score(metric, truth, scores)
        reached |= measure_interval(score, known.height, project.params.evaluate)
    expected = project.evaluation["metrics"] | {before["name"]: before["value"]}
    return {
        "name": metric.name,
        "value": reached["value"],
        "low": reached["low"],
        "high": reached["high"],
        "expected": expected.get(metric.name),
    }


def measure_slices(known: pl.DataFrame, project: Project) -> list[LiveSlice]:
    """Measure the slices by columns that the model reads: the journal has no others."""
    if "inputs" not in known.columns or not known.height:
        return []
    table, contract = known["inputs"].struct.unnest(), project.contract
    columns = tuple(column for column in contract.columns if column.name in table.columns)
    metric, evaluation = project.metric, project.evaluation
    truth, scores, _ = to_arrays(known, contract)
    measured = compare_slices(
        table,
        contract.model_copy(update={"columns": columns}),
        truth,
        scores,
        metric=metric,
        params=project.params.evaluate,
    )
    same = evaluation["primary_metric"]["name"] == metric.name
    before = {(s["column"], s["value"]): s["metric"] for s in evaluation["slices"] if same}
    return [{**each, "expected": before.get((each["column"], each["value"]))} for each in measured]


def measure_value(known: pl.DataFrame, usual: float, policy: str, project: Project) -> ReachedValue:
    """Measure what the decisions were worth, beside doing nothing on the same rows: the decision
    that is `usual` in them, which `policy` says in words.
    """
    promise, value = project.evaluation["value"], project.problem.value
    reached: ReachedValue = {
        "unit": value.unit,
        "per": PER,
        "realised": None,
        "do_nothing": None,
        "do_nothing_means": policy,
        "gained": None,
        "low": None,
        "high": None,
        "expected": promise["model"] - promise["do_nothing"],
        "total": None,
    }
    if not known.height:
        return reached
    task = project.contract.task
    truth, _, decided = to_arrays(known, project.contract)
    gain = measure_interval(
        lambda rows: compute_gain_per_thousand(truth[rows], decided[rows], usual, value, task),
        known.height,
        project.params.evaluate,
    )
    return reached | {
        "realised": compute_value_per_thousand(truth, decided, value, task),
        "do_nothing": compute_value_per_thousand(truth, usual, value, task),
        "gained": gain["value"],
        "low": gain["low"],
        "high": gain["high"],
        "total": gain["value"] * known.height / PER,
    }


def choose_period(rows: pl.DataFrame) -> str:
    """Return whether to tell of days, weeks or months, by how long the rows stretch."""
    days = rows.select((pl.col("at").max() - pl.col("at").min()).dt.total_days()).item() or 0
    return "day" if days <= BY_DAY else "week" if days <= BY_WEEK else "month"


def measure_part(rows: pl.DataFrame, usual: float, project: Project) -> Part:
    """Measure a period or a version beside the decision that is usual in all rows.

    Few rows say nothing of the metric.
    """
    known, task = rows.drop_nulls("truth"), project.contract.task
    truth, scores, decided = to_arrays(known, project.contract)
    enough = known.height >= project.params.evaluate.min_slice_rows
    gained = (
        compute_gain_per_thousand(truth, decided, usual, project.problem.value, task)
        if known.height
        else None
    )
    return {
        "predictions": rows.height,
        "rows": known.height,
        "metric": project.metric.measure(truth, scores) if enough else None,
        "gained": gained,
        "total": None if gained is None else gained * known.height / PER,
    }
