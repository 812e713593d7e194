"""Is the new model better, and what is that worth? Both answer the same rows, if both are here."""

from typing import Any

import polars as pl

from ..core.formatting import metric, signed
from ..core.paths import EVALUATION, MODEL, TEST
from ..evaluation.comparison import Judge
from ..evaluation.evaluate import rounded
from ..evaluation.reports import Report, Reports
from ..gates.gates import Finding, Verdict, judged
from ..model.inputs import misfit
from ..scoring.predictor import Predictor
from .base import Base, here

SPLIT = "data/split"
NOT_TOLD = dict.fromkeys(("before", "value", "low", "high"))


def compared(reports: Reports, base: Base) -> Report | None:
    """{how, score, worth}: what was compared, in words, and of the primary metric and of the value
    of a thousand decisions what it was `before`, and by how much it is more now: `value`, between
    `low` and `high`. What cannot be told is None. None if the base has no model.
    """
    if MODEL.as_posix() not in base.outs and not base.text(EVALUATION):
        return None
    model = base.model()
    if model is None:
        return by_figures(reports, base, "is neither in DVC's cache nor in its remote")
    old = Predictor(model)
    if why := misfit(old.meta, reports.contract):
        return by_figures(reports, base, why)
    rows = pl.read_parquet(TEST)
    judge = Judge(rows, reports.contract, reports.problem, reports.params)
    found = rounded(judge.apart(judge.answers(Predictor(MODEL)), judge.answers(old)))
    how = f"Both models answered the same {rows.height:,} test rows."
    if base.outs.get(SPLIT) != here().get(SPLIT):
        how += (
            " The one before was judged on other rows then: it may have learned from some of "
            "these, which flatters it."
        )
    score = {"before": found["score"], "value": found["difference"]}
    score |= {bound: found[bound] for bound in ("low", "high")}
    return {"how": how, "score": score, "worth": {"before": found["value"], **found["gain"]}}


def by_figures(reports: Reports, base: Base, why: str) -> Report:
    """By what both evaluations say. Bounds of the metric are as wide as both intervals allow; those
    of the value cannot be told.
    """
    ours, theirs = reports.evaluation, base.json(EVALUATION)
    how = f"The model of {base} {why}, so that these are the figures that each was judged by."
    found: Report = {"how": how, "score": NOT_TOLD, "worth": NOT_TOLD}
    if not theirs or kind(theirs) != kind(ours):
        return found | {"how": f"{how} They are of another kind, and cannot be compared."}
    now, before = ours["primary_metric"], theirs["primary_metric"]
    if None not in (*now.values(), *before.values()):
        found["score"] = {"before": before["value"], "value": now["value"] - before["value"]}
        found["score"] |= {"low": now["low"] - before["high"], "high": now["high"] - before["low"]}
    worth = theirs["value"]["model"]
    found["worth"] = NOT_TOLD | {"before": worth, "value": ours["value"]["model"] - worth}
    return dict(rounded(found))


def kind(evaluation: Report) -> tuple[Any, ...]:
    """What two evaluations must agree on for their figures to be compared."""
    metric, unit = evaluation["primary_metric"]["name"], evaluation["value"]["unit"]
    return evaluation["contract"]["id"], evaluation["task"], metric, unit


def verdicts(found: Report, base: Base, reports: Reports) -> list[Verdict]:
    """Each blocks if the model before is better by more than its limit, beyond chance."""
    limits, problem = reports.params.gates, reports.problem
    of_metric = f"of {metric(reports.evaluation['primary_metric']['name'])} against {base}"
    of_value = f"{problem.value.unit or 'units of value'} for a thousand decisions against {base}"
    better = finding(found["score"], of_metric, "max_loss", limits.max_loss)
    pays = finding(found["worth"], of_value, "max_value_loss", limits.max_value_loss)
    return [
        judged(problem, "metric", better, room="review"),
        judged(problem, "worth", pays, room="review"),
    ]


def finding(gap: Report, what: str, name: str, max_loss: float) -> Finding:
    limit = 0.0 - max_loss
    if gap["value"] is None:
        return Finding(True, None, limit, f"no difference {what} can be told", "")
    told = signed(gap["value"])
    if gap["high"] is None:
        return Finding(True, gap["value"], limit, f"{told} {what}, which may be chance", "")
    meaning = f"{told} ({signed(gap['low'])} to {signed(gap['high'])}) {what}"
    advice = (
        "Undo what made it worse (reports/review.md lists what changed), or agree to it: raise "
        f"gates.{name} in params.yaml."
    )
    return Finding(gap["high"] >= limit, gap["value"], limit, meaning, advice)
