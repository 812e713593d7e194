"""How the model does in service, for people: reports/monitoring.html, and the same as JSON.

What is told is measured in monitoring/; here it is put into words.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ..business.charts import label
from ..business.report import html
from ..core.errors import UserError
from ..core.formatting import sentence
from ..core.params import Params, duration, seconds
from ..core.paths import REPORTS, replacing, write_json
from ..core.problem import Problem
from ..data.contract import Contract
from ..evaluation.evaluate import rounded
from ..gates.requirements import headings
from .checks import checks, headline
from .drift import drift
from .performance import performance
from .truths import joined, journal_url

PAGE = REPORTS / "monitoring.html"
REPORT = REPORTS / "monitoring.json"
Report = dict[str, Any]


def report(since: str | None = None) -> list[str]:
    """Look at the journal, write both files, and return what they say in short.

    `since`: see `start`; without it performance is judged over monitoring.truth_days, and drift
    over monitoring.window. Raises UserError if there is no journal, or nothing in it.
    """
    found = monitored(journal_url(), datetime.now(UTC), since)
    write_json(REPORT, found)
    with replacing(PAGE) as scratch:
        scratch.write_text(page(found), encoding="utf-8")
    failed = [one for one in found["checks"] if not one["passed"]]
    told = [f"{one['meaning']}. {one['what_to_do']} (for {one['owner']})" for one in failed]
    return [found["headline"], *map(sentence, told), f"{PAGE} tells more."]


def monitored(journal: str, now: datetime, since: str | None = None) -> Report:
    """{headline, passed, checks, performance, drift (with `since`)}."""
    problem, params, contract = Problem.read(), Params.read(), Contract.load()
    limits = params.monitoring
    lived = performance(journal, start(since or f"{limits.truth_days}d", now), now)
    if not lived["predictions"]:
        raise UserError(
            f"The journal holds no prediction since {lived['since'][:10]}: send the service "
            "requests, or look further back with --since 2020-01-31."
        )
    begin = start(since or limits.window, now)
    moved = rounded(drift(joined(journal, begin, now, contract), contract))
    verdicts = checks(lived, moved, problem, params)
    return {
        "headline": headline(verdicts, lived),
        "passed": all(verdict.passed for verdict in verdicts),
        "checks": [verdict.model_dump() for verdict in verdicts],
        "performance": lived,
        "drift": {"since": begin.isoformat()} | moved,
    }


def start(since: str, now: datetime) -> datetime:
    """So long ago (7d, 12h), or the beginning of a day in UTC (2026-01-31). Raises UserError."""
    try:
        return now - timedelta(seconds=seconds(duration(since)))
    except ValueError:
        day = beginning(since)
    if day > now:
        raise UserError(f"--since {since} lies in the future: write a day that has been.")
    return day


def beginning(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    except ValueError as error:
        told = "write how long ago (7d, 12h; a century at most) or a day (2020-01-31)"
        raise UserError(f"--since {day}: {told}.") from error


def page(found: Report) -> str:
    """The page's HTML; the same figures give the same bytes."""
    problem, params = Problem.read(), Params.read()
    lived = found["performance"]
    trend = [each | {"label": label(each["start"], lived["period"])} for each in lived["trend"]]
    found = found | {"performance": lived | {"trend": trend}}
    template = html(Path(__file__).parent).get_template("monitoring.html")
    names = headings("service")
    return template.render(**found, problem=problem, params=params, names=names)
