"""The limits that live traffic is judged by, as the service and `monitor watch` tell Prometheus."""

from typing import Any

from ..core.params import Params, seconds
from ..core.paths import REPORTS, write_json
from ..core.problem import Problem

LIMITS = REPORTS / "limits.json"
DAY = 86400
# How long one look of the watch may take beside training.
SPARE = 900


def write_limits(
    problem: Problem, params: Params, evaluation: dict[str, Any], passed: bool
) -> None:
    """Write reports/limits.json, which the image of the service holds; `passed`: all gates."""
    project = {
        "decision": problem.decision,
        "kpi": problem.kpi,
        "before": problem.baseline.description,
        "unit": problem.value.unit,
    }
    write_json(LIMITS, {"project": project, "limits": limits(problem, params, evaluation, passed)})


def limits(
    problem: Problem, params: Params, evaluation: dict[str, Any], passed: bool
) -> dict[str, float | None]:
    """Each limit by its name, in shares, seconds or bytes; None: there is none."""
    promised, live = problem.objectives, params.monitoring
    reached, loss = in_use(evaluation, passed), live.max_performance_loss
    silence = None if live.max_silence is None else seconds(live.max_silence)
    return {
        "availability": promised.availability,
        "latency_share": promised.latency_share,
        "latency_seconds": promised.latency_ms / 1000,
        "reject_rate": params.data.max_reject_rate,
        "psi": live.max_psi,
        "missing": live.max_missing,
        "unseen": live.max_unseen,
        "min_rows": live.min_rows,
        "performance": None if reached is None or loss is None else round(reached - loss, 6),
        "value": round(evaluation["value"]["do_nothing"] + params.gates.min_value, 6),
        "model_age_seconds": days(live.max_model_age_days),
        "data_age_seconds": days(live.max_data_age_days),
        "silence_seconds": silence,
        "watch_silence_seconds": 2 * seconds(live.watch.every) + params.budgets.seconds + SPARE,
        "memory_bytes": params.budgets.memory_mb * 1e6,
    }


def days(many: float | None) -> float | None:
    """In seconds."""
    return None if many is None else many * DAY


def in_use(evaluation: dict[str, Any], passed: bool) -> float | None:
    """What the model in use reached on the test rows: where a gate blocked, the champion's."""
    champion = evaluation["champion"]
    found = champion["score"] if champion and not passed else evaluation["primary_metric"]["value"]
    return None if found is None else float(found)
