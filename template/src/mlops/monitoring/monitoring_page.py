"""How the model does in service, for people: reports/monitoring.html, and the same as JSON."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ..core.errors import UserError
from ..core.formatting import sentence
from ..core.params import Params, check_duration, convert_to_seconds
from ..core.paths import MONITORING, REPORTS, write_json, write_text
from ..core.problem import Problem
from ..gates.requirements import read_headings
from ..pages.charts import label_trend
from ..pages.environment import html
from .ground_truth import journal_url
from .observation import Observation, observe

PAGE = REPORTS / "monitoring.html"


def write_report(since: str | None = None) -> list[str]:
    """Look at the journal, write both files, and return what they say in short.

    `since`: see `parse_since`; without it performance is judged over monitoring.truth_days, and
    drift over monitoring.window. Raises UserError if there is no journal, or nothing in it.
    """
    now = datetime.now(UTC)
    begin = parse_since(since, now) if since else None
    observation = observe(journal_url(), now, performance_since=begin, drift_since=begin)
    if not observation["performance"]["predictions"]:
        day = observation["performance"]["since"][:10]
        raise UserError(
            f"The journal holds no prediction since {day}: send the service "
            "requests, or look further back with --since 2020-01-31."
        )
    write_json(MONITORING, observation)
    write_text(PAGE, render_page(observation))
    tasks = [
        sentence(f"{check['meaning']}. {check['what_to_do']} (for {check['owner']})")
        for check in observation["checks"]
        if not check["passed"]
    ]
    return [observation["headline"], *tasks, f"{PAGE} has the details."]


def parse_since(since: str, now: datetime) -> datetime:
    """Return the moment so long ago (7d, 12h), or the beginning of a day in UTC (2026-01-31).

    Raises UserError for anything else, and for a day that lies in the future.
    """
    try:
        return now - timedelta(seconds=convert_to_seconds(check_duration(since)))
    except ValueError:
        pass
    try:
        day = datetime.combine(date.fromisoformat(since), datetime.min.time(), UTC)
    except ValueError as error:
        expected = "write how long ago (7d, 12h; a century at most) or a day (2020-01-31)"
        raise UserError(f"--since {since}: {expected}.") from error
    if day > now:
        raise UserError(f"--since {since} lies in the future: write a day that has been.")
    return day


def render_page(observation: Observation) -> str:
    """Return the page's HTML; the same figures give the same bytes."""
    template = html(Path(__file__).parent).get_template("monitoring.html")
    return template.render(
        **observation,
        trend=label_trend(observation["performance"]),
        problem=Problem.read(),
        params=Params.read(),
        names=read_headings("service"),
    )
