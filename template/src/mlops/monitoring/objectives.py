"""What users were promised: how fast failures use up what the objectives allow.

Burn rates over several windows (Beyer et al., The Site Reliability Workbook, 2018, chapter 5): 1
uses up the whole allowance in the period of the objective, 14.4 two per cent of it in an hour. The
long window says that it matters, the short one that it goes on.
"""

from ..core.formatting import number
from ..core.params import seconds
from ..core.settings import Objectives
from ..core.team import package_name
from .alerts import Alert, Rule, Severity
from .promql import WORK, series, total

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
SPEEDS: dict[Severity, tuple[tuple[float, str, str], ...]] = {
    "page": ((14.4, "1h", "5m"), (6, "6h", "30m")),
    "ticket": ((3, "1d", "2h"), (1, "3d", "6h")),
}
# Fewer failures than that say nothing, however few requests there are.
LEAST = 10


def recordings(promised: Objectives) -> list[Rule]:
    """Rates of requests a second, of those that break each objective, and burn rates."""
    allowed = {
        "availability": round(1 - promised.availability, 9),
        "latency": round(1 - promised.latency_share, 9),
    }
    made = []
    for window in WINDOWS:
        requests = f"service:requests:rate{window}"
        asked = total(series("requests_total", path=WORK), window)
        made.append({"record": requests, "expr": asked, "labels": {"job": package_name()}})
        for objective, expr in broken(promised, window).items():
            labels = {"job": package_name(), "objective": objective}
            bad = f"objective:bad_requests:rate{window}"
            made.append({"record": bad, "expr": expr, "labels": labels})
            share = (
                f"{series(bad, objective=objective)}\n"
                f"/ on (job) group_left () ({series(requests)} > 0)\n/ {allowed[objective]}"
            )
            burnt = f"objective:burn_rate:{window}"
            made.append({"record": burnt, "expr": share, "labels": labels})
    return made


def broken(promised: Objectives, window: str) -> dict[str, str]:
    """Requests a second that were not answered, and that took too long."""
    failed = total(series("requests_total", path=WORK, status="~5.."), window)
    fast = series("request_seconds_bucket", path=WORK, le=str(promised.latency_ms / 1000))
    every = total(series("request_seconds_count", path=WORK), window)
    return {
        "availability": f"{failed} or vector(0)",
        "latency": f"{every} - {total(fast, window)}",
    }


def alerts(promised: Objectives) -> list[Alert]:
    failing = (
        "RequestsFail",
        "availability",
        "Requests are not answered",
        f"Of the requests, {number(100 * promised.availability)} % are to be answered; now "
        "{{ $value | printf `%.1f` }} times as many fail as that allows.",
    )
    slow = (
        "RequestsSlow",
        "latency",
        "Answers take too long",
        f"Of the requests, {number(100 * promised.latency_share)} % are to take at most "
        f"{promised.latency_ms} ms; now {{{{ $value | printf `%.1f` }}}} times as many are slower.",
    )
    return [
        Alert(name, "devops_engineer", severity, burning(objective, severity), summary, said)
        for name, objective, summary, said in (failing, slow)
        for severity in SPEEDS
    ]


def burning(objective: str, severity: Severity) -> str:
    def faster(window: str, speed: float) -> str:
        return f"{series(f'objective:burn_rate:{window}', objective=objective)} > {speed}"

    def enough(window: str) -> str:
        bad = series(f"objective:bad_requests:rate{window}", objective=objective)
        return f"{bad} * {seconds(window)} >= {LEAST}"

    return "\nor\n".join(
        f"(\n  {faster(long, speed)}\n  and {faster(short, speed)}\n  and {enough(long)}\n)"
        for speed, long, short in SPEEDS[severity]
    )
