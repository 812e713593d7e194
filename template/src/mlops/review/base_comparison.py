"""The new model beside the one of the base: which is better, and what is that worth?"""

from typing import Any, NamedTuple

import polars as pl

from ..core.formatting import metric, signed
from ..core.paths import EVALUATION, MODEL, TEST, round_figures
from ..evaluation.paired_comparison import Judge
from ..evaluation.reports import Report, Reports
from ..gates.gates import Finding, Verdict, assign_verdict
from ..model.inputs import explain_misfit
from ..scoring.predictor import Predictor
from .base import Base, read_outs_here

SPLIT = "data/split"


class Gap(NamedTuple):
    """What a figure was `before`, and by how much it is more now: `value`, between `low` and
    `high`. None is what cannot be told.
    """

    before: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None


class BaseComparison(NamedTuple):
    """`how` says in words what was compared; `score` is of the primary metric, `worth` of the value
    of a thousand decisions.
    """

    how: str
    score: Gap = Gap()
    worth: Gap = Gap()


def compare_with_base(reports: Reports, base: Base) -> BaseComparison | None:
    """Have both models answer the same rows, if both are here; else compare their evaluations.

    Returns None if the base has no model.
    """
    if MODEL.as_posix() not in base.outs and not base.text(EVALUATION):
        return None
    content = base.model()
    if content is None:
        return compare_evaluations(reports, base, "is neither in DVC's cache nor in its remote")
    old = Predictor(content)
    if why := explain_misfit(old.meta, reports.contract, for_comparison=True):
        return compare_evaluations(reports, base, why)
    rows = pl.read_parquet(TEST)
    judge = Judge(rows, reports.contract, reports.problem, reports.params)
    apart = round_figures(judge.compare(judge.ask(Predictor(MODEL)), judge.ask(old)))
    how = f"Both models answered the same {rows.height:,} test rows."
    if base.outs.get(SPLIT) != read_outs_here().get(SPLIT):
        how += (
            " The one before was judged on other rows then: it may have learned from some of "
            "these, which flatters it."
        )
    score = Gap(apart["score"], apart["difference"], apart["low"], apart["high"])
    before = apart["value"] - reports.evaluation["value"]["do_nothing"]  # on the same rows
    return BaseComparison(how, score, Gap(*round_figures([before]), **apart["gain"]))


def compare_evaluations(reports: Reports, base: Base, why: str) -> BaseComparison:
    """Compare by what both evaluations say.

    Bounds of the metric are as wide as both intervals allow; those of the value cannot be told.
    """
    ours, theirs = reports.evaluation, base.json(EVALUATION)
    how = f"The model of {base} {why}, so that these are the figures that each was judged by."
    if not theirs or describe_kind(theirs) != describe_kind(ours):
        return BaseComparison(f"{how} They are of another kind, and cannot be compared.")
    now, before = ours["primary_metric"], theirs["primary_metric"]
    score = Gap()
    if None not in (*now.values(), *before.values()):
        low, high = now["low"] - before["high"], now["high"] - before["low"]
        score = Gap(*round_figures([before["value"], now["value"] - before["value"], low, high]))
    gained, worth = (
        each["value"]["model"] - each["value"]["do_nothing"] for each in (ours, theirs)
    )
    return BaseComparison(how, score, Gap(*round_figures([worth, gained - worth])))


def describe_kind(evaluation: Report) -> tuple[Any, ...]:
    """Return what two evaluations must agree on for their figures to be compared."""
    metric, unit = evaluation["primary_metric"]["name"], evaluation["value"]["unit"]
    return evaluation["contract"]["id"], evaluation["task"], metric, unit


def judge_comparison(comparison: BaseComparison, base: Base, reports: Reports) -> list[Verdict]:
    """Judge metric and worth: each blocks if the model before is better by more than its limit,
    beyond chance.
    """
    limits, problem = reports.params.gates, reports.problem
    of_metric = f"of {metric(reports.evaluation['primary_metric']['name'])} against {base}"
    of_value = f"{problem.value.unit or 'units of value'} for a thousand decisions against {base}"
    better = judge_gap(comparison.score, of_metric, "max_loss", limits.max_loss)
    pays = judge_gap(comparison.worth, of_value, "max_value_loss", limits.max_value_loss)
    return [
        assign_verdict(problem, "metric", better, room="review"),
        assign_verdict(problem, "worth", pays, room="review"),
    ]


def judge_gap(gap: Gap, what: str, name: str, max_loss: float) -> Finding:
    """Hold a gap against gates.`name` of params.yaml."""
    limit = 0.0 - max_loss
    if gap.value is None:
        return Finding(True, None, limit, f"no difference {what} can be told", "")
    if gap.low is None or gap.high is None:
        by_chance = f"{signed(gap.value)} {what}, which may be chance"
        return Finding(True, gap.value, limit, by_chance, "")
    meaning = f"{signed(gap.value)} ({signed(gap.low)} to {signed(gap.high)}) {what}"
    advice = (
        "Undo what made it worse (reports/review.md lists what changed), or agree to it: raise "
        f"gates.{name} in params.yaml."
    )
    return Finding(gap.high >= limit, gap.value, limit, meaning, advice)
