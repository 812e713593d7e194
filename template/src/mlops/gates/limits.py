"""The limits that live traffic is judged by, as the service and `monitor watch` tell Prometheus."""

from typing import TYPE_CHECKING, TypedDict

from ..core.params import Params, convert_to_seconds
from ..core.paths import REPORTS, write_json
from ..core.problem import Problem

if TYPE_CHECKING:
    from ..evaluation.evaluation_report import Evaluation

LIMITS = REPORTS / "limits.json"
DAY = 86400
# How long one look of the watch may take beside training.
SPARE = 900


class ProjectFacts(TypedDict):
    """What the model is for, in the words of problem.yaml."""

    decision: str
    kpi: str
    before: str
    unit: str


class LimitsReport(TypedDict):
    """What reports/limits.json holds: `limits` by name in shares, seconds or bytes; None: none."""

    project: ProjectFacts
    limits: dict[str, float | None]


def write_limits(problem: Problem, params: Params, evaluation: "Evaluation", passed: bool) -> None:
    """Write reports/limits.json, which the image of the service holds; `passed`: all gates."""
    project: ProjectFacts = {
        "decision": problem.decision,
        "kpi": problem.kpi,
        "before": problem.baseline.description,
        "unit": problem.value.unit,
    }
    limits = list_limits(problem, params, evaluation, passed)
    report: LimitsReport = {"project": project, "limits": limits}
    write_json(LIMITS, report)


def list_limits(
    problem: Problem, params: Params, evaluation: "Evaluation", passed: bool
) -> dict[str, float | None]:
    """List each limit by its name, in shares, seconds or bytes; None: there is none."""
    promised, live = problem.objectives, params.monitoring
    score, loss = find_score_in_use(evaluation, passed), live.max_performance_loss
    silence = None if live.max_silence is None else convert_to_seconds(live.max_silence)
    return {
        "availability": promised.availability,
        "latency_share": promised.latency_share,
        "latency_seconds": promised.latency_ms / 1000,
        "reject_rate": params.data.max_reject_rate,
        "psi": live.max_psi,
        "missing": live.max_missing,
        "unseen": live.max_unseen,
        "min_rows": live.min_rows,
        "performance": None if score is None or loss is None else round(score - loss, 6),
        "value": params.gates.min_value,
        "model_age_seconds": convert_days(live.max_model_age_days),
        "data_age_seconds": convert_days(live.max_data_age_days),
        "silence_seconds": silence,
        "watch_silence_seconds": 2 * convert_to_seconds(live.watch.every)
        + params.budgets.seconds
        + SPARE,
        "memory_bytes": params.budgets.memory_mb * 1e6,
    }


def convert_days(days: float | None) -> float | None:
    """Convert days to seconds; None, no limit, stays None."""
    return None if days is None else days * DAY


def find_score_in_use(evaluation: "Evaluation", passed: bool) -> float | None:
    """Find the primary metric of the model in use on the test rows: the champion's where a gate
    blocked the new one.
    """
    champion = evaluation["champion"]
    score = champion["score"] if champion and not passed else evaluation["primary_metric"]["value"]
    return None if score is None else float(score)
