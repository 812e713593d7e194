"""Stage report: write the page a business owner understands first and an engineer can dig into.

reports/index.html is one file without scripts that loads nothing. Every text in it that comes from
the team or the data is escaped by the template engine.
"""

import csv
from pathlib import Path
from typing import TypedDict

from ..core import resources
from ..core.formatting import listed
from ..core.paths import PROFILE, REPORTS, TRIALS, read_json, write_text
from ..core.resources import RunUsage
from ..evaluation import cards
from ..evaluation.evaluation_report import FORECAST
from ..evaluation.reports import Report, Reports
from ..gates.own_gates import load_own_gates
from ..gates.requirements import read_headings
from ..pages.environment import html

PAGE = REPORTS / "index.html"


class Trial(TypedDict):
    """A trial of the search, and the seconds that it took."""

    candidate: str
    score: float
    seconds: float


def run() -> None:
    """Write reports/index.html, the cards and reports/resources.json."""
    reports = Reports.read()
    usage = resources.sum_usage(without=("report",))
    write_text(PAGE, render_page(reports, usage, read_trials(), read_findings()))
    written = [PAGE, *cards.write_cards(reports)]
    resources.write_total()
    print(f"report: {choose_headline(reports)} See {listed(map(str, written))}")


def render_page(
    reports: Reports,
    spent: RunUsage,
    search: list[Trial],
    findings: list[Report] | None = None,
) -> str:
    """Return the page's HTML; the same reports give the same bytes.

    `findings` are those of the table's profile; None: there is none to be linked.
    """
    template = html(Path(__file__).parent).get_template("report.html")
    return template.render(
        **vars(reports),
        headline=choose_headline(reports),
        failed=reports.failed,
        checks=read_headings("pipeline") | {gate.name: gate.asks for gate in load_own_gates()},
        drafted=reports.problem.list_drafted(),
        spent=spent,
        search=search,
        findings=findings,
        forecast=FORECAST,
    )


def choose_headline(reports: Reports) -> str:
    """Return what to do with the new model, in one sentence."""
    if not reports.evaluation:
        return "There is no new model."
    return "Do not release this model." if reports.failed else "Release this model."


def read_trials() -> list[Trial]:
    """Return the finished trials of the newest search, in order."""
    if not TRIALS.exists():
        return []
    with TRIALS.open(encoding="utf-8", newline="") as stream:
        finished = [trial for trial in csv.DictReader(stream) if trial["score"]]
    return [
        {
            "candidate": trial["candidate"],
            "score": float(trial["score"]),
            "seconds": float(trial["seconds"]),
        }
        for trial in finished
    ]


def read_findings() -> list[Report] | None:
    """Return what the profile of the table found; None if it has not been made."""
    return list(read_json(PROFILE)["findings"]) if PROFILE.exists() else None
