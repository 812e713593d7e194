"""How the model in production does: figures of the journal, each judged by its limit."""

from datetime import datetime, timedelta
from typing import Any, TypedDict

from ..core.formatting import listed, number
from ..core.params import Params, convert_to_seconds
from ..core.paths import round_figures
from ..core.problem import Problem
from ..data.contract import Contract
from .checks import check, choose_headline
from .drift import Drift, measure_drift
from .ground_truth import join_ground_truth
from .performance import measure_performance
from .performance_report import Performance

# Of the checks, those that a new model may mend; of a fault in what comes in, it would learn.
MENDED_BY_TRAINING = ("value", "performance", "drift")
# Those that a fault of the data would fail as well: a person has to tell which it is.
IN_DOUBT = ("missing", "unseen", "drift")


class Observation(TypedDict):
    """What reports/monitoring.json holds; `checks` are verdicts, see gates/gates.py."""

    headline: str
    passed: bool
    checks: list[dict[str, Any]]
    performance: Performance
    drift: Drift


def observe(
    journal: str,
    until: datetime,
    *,
    performance_since: datetime | None = None,
    drift_since: datetime | None = None,
) -> Observation:
    """Measure the model up to a moment, and judge what is measured.

    Performance is of the last monitoring.truth_days of params.yaml, drift of monitoring.window,
    where nothing else is asked for. Raises UserError if there is no journal.
    """
    problem, params, contract = Problem.read(), Params.read(), Contract.load()
    limits = params.monitoring
    performance_since = performance_since or until - timedelta(days=limits.truth_days)
    drift_since = drift_since or until - timedelta(seconds=convert_to_seconds(limits.window))
    performance = measure_performance(journal, performance_since, until)
    rows = join_ground_truth(journal, drift_since, until, contract)
    drift = round_figures(measure_drift(rows, contract))
    verdicts = check(performance, drift, problem, params)
    return {
        "headline": choose_headline(verdicts, performance),
        "passed": all(verdict.passed for verdict in verdicts),
        "checks": [verdict.model_dump() for verdict in verdicts],
        "performance": performance,
        "drift": {"since": drift_since.isoformat(), **drift},
    }


def reasons_to_retrain(observation: Observation) -> list[str]:
    """Return what failed that a new model may mend; nothing is said of too few rows."""
    return list_failed(observation, MENDED_BY_TRAINING)


def doubts_of_data(observation: Observation) -> list[str]:
    """Return what failed that may be a fault of the data, which a new model would learn."""
    return list_failed(observation, IN_DOUBT)


def is_worse(observation: Observation) -> bool:
    """Tell whether decisions are known to be worse than they were, whatever came in."""
    return bool(list_failed(observation, ("value", "performance")))


def list_failed(observation: Observation, names: tuple[str, ...]) -> list[str]:
    """List what the failed checks of these names found."""
    return [
        verdict["meaning"]
        for verdict in observation["checks"]
        if verdict["name"] in names and not verdict["passed"]
    ]


def describe(observation: Observation) -> str:
    """Return in a sentence what calls for a new model, or that nothing does as far as is known."""
    if reasons := reasons_to_retrain(observation):
        return "; ".join(reasons)
    settings = Params.read().monitoring
    truths, records = observation["performance"]["rows"], observation["drift"]["rows"]
    few = {
        f"the ground truth of {number(truths)} decisions is known": truths,
        f"{number(records)} records came in the last {settings.window}": records,
    }
    unknown = [
        f"only {what} ({settings.min_rows} are needed)"
        for what, rows in few.items()
        if rows < settings.min_rows
    ]
    but = f" as far as can be told, but {listed(unknown)}" if unknown else ""
    return f"nothing calls for a new model{but}"
