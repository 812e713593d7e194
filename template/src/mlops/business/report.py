"""Stage report: the page a business owner understands first and an engineer can dig into.

reports/index.html is one file without scripts that loads nothing. Every text in it that comes from
the team or the data is escaped by the template engine.
"""

import csv
from pathlib import Path

from jinja2 import Environment

from ..core import resources
from ..core.formatting import listed
from ..core.paths import REPORTS, replacing
from ..evaluation import cards
from ..evaluation.reports import Report, Reports, environment
from ..gates.own_gates import own_gates
from ..gates.requirements import headings
from .charts import Scale, short

PAGE = REPORTS / "index.html"
TRIALS = REPORTS / "plots" / "trials.csv"


def run() -> None:
    """Write reports/index.html, the cards and reports/resources.json."""
    reports = Reports.read()
    text = page(reports, resources.sum_usage(without=("report",)), trials())
    with replacing(PAGE) as scratch:
        scratch.write_text(text, encoding="utf-8")
    written = [PAGE, *cards.write_cards(reports)]
    resources.write_total()
    print(f"report: {headline(reports)} See {listed(map(str, written))}")


def page(reports: Reports, spent: Report, search: list[Report]) -> str:
    """The page's HTML; the same reports give the same bytes."""
    checks = headings("pipeline") | {gate.name: gate.asks for gate in own_gates()}
    told = {"headline": headline(reports), "failed": reports.failed, "checks": checks}
    told["drafted"] = reports.problem.drafted()
    template = html().get_template("report.html")
    return template.render(**vars(reports), **told, spent=spent, search=search)


def html(*folders: Path) -> Environment:
    """Jinja for the pages here, and for those in other folders, which share what is here."""
    made = environment(Path(__file__).parent, *folders)
    made.filters.update(scale=Scale.over, short=short)
    return made


def headline(reports: Reports) -> str:
    if not reports.evaluation:
        return "There is no new model."
    return "Do not release this model." if reports.failed else "Release this model."


def trials() -> list[Report]:
    """The finished trials of the newest search, in order."""
    if not TRIALS.exists():
        return []
    with TRIALS.open(encoding="utf-8", newline="") as stream:
        finished = [trial for trial in csv.DictReader(stream) if trial["score"]]
    return [{"candidate": trial["candidate"], "score": float(trial["score"])} for trial in finished]
