"""How good the answers were, and what they were worth, once the truth has come.

The metric is that of the evaluation, on the scores that were given; the value is that of the
decisions that were taken. Of several classes the journal keeps only the likeliest one: there the
metric is the share of right answers.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

import numpy as np
import polars as pl

from ..business.prices import spent
from ..core.params import Params
from ..core.problem import Problem
from ..data.contract import Contract
from ..evaluation.evaluate import rounded
from ..evaluation.slices import interval, score_of, slices
from ..model.metrics import Metric, primary
from ..model.value import PER, Array, usual, value_per_thousand
from ..registry.champion import promised
from .truths import joined, strays

Report = dict[str, Any]
QUANTILES = (0.5, 0.9, 0.99)
# The longest stretch, in days, that is told by the day and by the week.
BY_DAY, BY_WEEK = 14, 120
PERIODS = {"day": "1d", "week": "1w", "month": "1mo"}


class Project(NamedTuple):
    """What the answers are held against. `evaluation` is that of the model in use."""

    contract: Contract
    problem: Problem
    params: Params
    evaluation: Report

    @classmethod
    def read(cls) -> Self:
        """Raises UserError if no model was evaluated yet."""
        return cls(Contract.load(), Problem.read(), Params.read(), promised()[0])

    @property
    def metric(self) -> Metric:
        """The one that can be told from what the journal keeps."""
        if self.contract.task == "multiclass":
            return Metric("accuracy", lambda truth, said: float(np.mean(truth == said)))
        return primary(self.contract.task, self.params.train.metric)


def performance(journal: str, since: datetime, until: datetime) -> Report:
    """What is known of the predictions from `since` up to `until`; None is what cannot be told.

    {since, until, first (prediction), cost (of running since then, in the currency of prices.yaml),
    task, predictions, rows (with a truth), coverage (their share),
    delay_seconds: {quantile: seconds}, contradictions, strays (truths that fit no prediction),
    metric: {name, value, low, high, expected}, slices: see slices.slices, with `expected`,
    slices_not_live: columns by which the pipeline alone judges, as the model does not read them and
    the journal keeps what it reads,
    value: {unit, per, realised, expected, do_nothing, do_nothing_means, total (of rows)},
    versions: [{version (null: not registered), predictions, rows, metric, value, total}],
    period (day, week or month), trend: the same with `start` for `version`}.

    Raises UserError if there is no journal, or no evaluation.
    """
    project = Project.read()
    watched = [c.name for c in project.contract.inputs if c.protected or c.slice]
    rows = joined(journal, since, until, project.contract, watched)
    found: Report = {"since": since.isoformat(), "until": until.isoformat(), "first": None}
    found |= measured(rows, project) | {"strays": strays(journal, since), "cost": None}
    if rows.height:
        first = rows["at"].dt.to_string("iso:strict").item(0)
        found["first"], lasted = first, until - datetime.fromisoformat(first)
        found["cost"] = spent(lasted / timedelta(days=1))
    return dict(rounded(found))


def measured(rows: pl.DataFrame, project: Project) -> Report:
    """The same of rows as `joined` gives them; figures unrounded."""
    known, period = rows.drop_nulls("truth"), length(rows)
    begins = pl.col("at").dt.truncate(PERIODS[period])
    starts = pl.datetime_range(begins.min(), pl.col("at").max(), PERIODS[period])
    return {
        "task": project.contract.task,
        "predictions": rows.height,
        "rows": known.height,
        "coverage": known.height / rows.height if rows.height else None,
        "delay_seconds": {str(share): known["delay"].quantile(share) for share in QUANTILES},
        "contradictions": int(rows["contradicted"].sum()),
        "metric": reached(known, project),
        "slices": sliced(known, project),
        "slices_not_live": [
            column.name
            for column in project.contract.columns
            if (column.protected or column.slice) and not column.is_input
        ],
        "value": worth(known, project),
        "versions": [
            {"version": name} | in_short(rows.filter(pl.col("version").eq_missing(name)), project)
            for name in rows["version"].unique().sort()
        ],
        "period": period,
        "trend": [
            {"start": start.date().isoformat()} | in_short(rows.filter(begins == start), project)
            for start in (rows.select(starts).to_series() if rows.height else ())
        ],
    }


def arrays(known: pl.DataFrame, contract: Contract) -> tuple[Array, Array, Array]:
    """Truth, score and decision of each row, (rows,), as model/value.py wants them; of several
    classes the score is the place of the one that was said.
    """
    if contract.task == "regression":
        scores = known["score"].to_numpy()
        return known["truth"].to_numpy(), scores, scores
    places = {name: place for place, name in enumerate(contract.classes)}
    truth, said = (
        known[name].replace_strict(places, default=-1, return_dtype=pl.Int64).to_numpy()
        for name in ("truth", "prediction")
    )
    if contract.task == "multiclass":
        return truth, said, said
    return truth, known["score"].to_numpy(), known["decision"].cast(pl.Int64).to_numpy()


def reached(known: pl.DataFrame, project: Project) -> Report:
    """The metric with its interval, beside what the evaluation found."""
    metric, before = project.metric, project.evaluation["primary_metric"]
    same = before["name"] == metric.name
    expected = before["value"] if same else project.evaluation["metrics"].get(metric.name)
    found: Report = {"name": metric.name, "value": None, "low": None, "high": None}
    if known.height:
        truth, scores, _ = arrays(known, project.contract)
        score = score_of(metric, truth, scores)
        found |= interval(score, known.height, project.params.evaluate)
    return found | {"expected": expected}


def sliced(known: pl.DataFrame, project: Project) -> list[Report]:
    """The slices that can be told: those by columns that the model reads."""
    if "inputs" not in known.columns or not known.height:
        return []
    table, contract = known["inputs"].struct.unnest(), project.contract
    columns = tuple(column for column in contract.columns if column.name in table.columns)
    metric, evaluation = project.metric, project.evaluation
    truth, scores, _ = arrays(known, contract)
    found = slices(
        table,
        contract.model_copy(update={"columns": columns}),
        truth,
        scores,
        metric=metric,
        params=project.params.evaluate,
    )
    same = evaluation["primary_metric"]["name"] == metric.name
    before = {(s["column"], s["value"]): s["metric"] for s in evaluation["slices"] if same}
    return [each | {"expected": before.get((each["column"], each["value"]))} for each in found]


def worth(known: pl.DataFrame, project: Project) -> Report:
    """What the decisions were worth, beside doing nothing and what the evaluation promised."""
    expected, value = project.evaluation["value"], project.problem.value
    told = {"unit": value.unit, "per": PER, "do_nothing_means": expected["do_nothing_means"]}
    found: Report = told | dict.fromkeys(("realised", "do_nothing", "total"))
    if known.height:
        task = project.contract.task
        truth, _, decided = arrays(known, project.contract)
        usually, found["do_nothing_means"] = usual(truth, task)
        found["realised"] = value_per_thousand(truth, decided, value, task)
        found["do_nothing"] = value_per_thousand(truth, usually, value, task)
        found["total"] = found["realised"] * known.height / PER
    return found | {"expected": expected["model"]}


def length(rows: pl.DataFrame) -> str:
    """Of the periods to tell of: a day, week or month, by how long the rows stretch."""
    days = rows.select((pl.col("at").max() - pl.col("at").min()).dt.total_days()).item() or 0
    return "day" if days <= BY_DAY else "week" if days <= BY_WEEK else "month"


def in_short(rows: pl.DataFrame, project: Project) -> Report:
    """Of a period or a version; few rows say nothing of the metric."""
    known = rows.drop_nulls("truth")
    found, enough = worth(known, project), project.params.evaluate.min_slice_rows
    truth, scores, _ = arrays(known, project.contract)
    return {
        "predictions": rows.height,
        "rows": known.height,
        "metric": project.metric.measure(truth, scores) if known.height >= enough else None,
        "value": found["realised"],
        "total": found["total"],
    }
