"""Stage report: the page a business owner understands first and an engineer can dig into.

reports/index.html is one file without scripts that loads nothing. Every text in it that comes from
the team or the data is escaped by the template engine.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .. import resources
from ..files import REPORTS, replacing
from ..model import cards
from ..model.reports import Report, Reports
from ..words import (
    count,
    duration,
    listed,
    metric,
    number,
    percent,
    places,
    score,
    sentence,
    signed,
)
from . import origins, performance, sections

PAGE = REPORTS / "index.html"


def run() -> None:
    """Write reports/index.html, the cards and reports/resources.json."""
    reports = Reports.read()
    text = page(reports, resources.total(without=("report",)) if reports.evaluation else {})
    with replacing(PAGE) as scratch:
        scratch.write_text(text, encoding="utf-8")
    written = [PAGE, *cards.write(reports)]
    resources.write_total()
    print(f"report: {recommendation(reports)['headline']} See {listed(map(str, written))}")


def page(reports: Reports, spent: Report) -> str:
    """The page's HTML; the same reports give the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(number=number, sentence=sentence)
    return environment.get_template("report.html").render(
        reports=reports,
        problem=reports.problem,
        recommendation=recommendation(reports),
        figures=figures(reports, spent),
        worth=sections.worth(reports),
        gates=sections.gates(reports),
        performance=performance.performance(reports),
        calibrated=performance.calibrated(reports),
        confusion=performance.confusion(reports),
        slices=sections.slices(reports),
        importance=sections.importance(reports),
        candidates=sections.candidates(reports),
        quality=origins.quality(reports),
        spent=origins.spent(spent, reports),
        lineage=origins.lineage(reports),
    )


def recommendation(reports: Reports) -> Report:
    """Release or not, and why, in words."""
    failed = [f"“{sections.check(gate['name']).lower()}”" for gate in reports.failed]
    judged = len(reports.gate["gates"])
    if not failed:
        why = [f"All {judged} checks passed.", *merits(reports), *standing(reports)]
        return {"state": "go", "word": "Passed", "headline": "Release this model.", "why": why}
    if not reports.evaluation:
        why = [
            f"The run stopped before a model was made: {listed(failed)} failed.",
            "What is in use today stays in use.",
        ]
        return {
            "state": "stop",
            "word": "Stopped",
            "headline": "There is no new model.",
            "why": why,
        }
    why = [
        f"{count(len(failed), 'check')} of {judged} failed: {listed(failed)}.",
        *merits(reports),
        *standing(reports),
    ]
    headline = "Do not release this model."
    return {"state": "stop", "word": "Blocked", "headline": headline, "why": why}


def standing(reports: Reports) -> list[str]:
    """What has become of the model."""
    made = reports.registration
    if not made:
        return []
    if made["champion"]:
        return [f"It is registered as version {made['version']} and is the champion now."]
    return [f"It is kept as version {made['version']}, a candidate; the champion stays as it is."]


def merits(reports: Reports) -> list[str]:
    """What the model is worth, and how it does beside what is done today."""
    told = []
    value = reports.evaluation.get("value")
    if value:
        gain = value["model"] - value["do_nothing"]
        told.append(
            f"A thousand of its decisions are worth {number(abs(gain), places([gain]))} "
            f"{value['unit'] or 'units'} "
            f"{'more' if gain >= 0 else 'less'} than {value['do_nothing_means']}."
        )
    if reports.evaluation:
        main, base = reports.evaluation["primary_metric"], reports.evaluation["baseline"]
        told.append(
            f"Its {metric(main['name'])} on unseen data is {score(main['value'])}; "
            f"the baseline reaches {score(base['value'])}."
        )
    return told


def figures(reports: Reports, spent: Report) -> list[tuple[str, str, str]]:
    """The few figures to remember: (what, figure, how to take it)."""
    found, evaluation = [], reports.evaluation
    value = evaluation.get("value")
    if value:
        gain = value["model"] - value["do_nothing"]
        note = f"{value['unit'] or 'units'} per {value['per']:,} decisions"
        found.append((f"Beside {value['do_nothing_means']}", signed(gain, places([gain])), note))
    if evaluation:
        main = evaluation["primary_metric"]
        interval = f"between {score(main['low'])} and {score(main['high'])}"
        found.append((sentence(metric(main["name"]), ""), score(main["value"]), interval))
    if reports.validation:
        rate = f"{percent(reports.validation['reject_rate'])} broke the contract"
        found.append(("Rows fit for use", number(reports.validation["clean"]), rate))
    if spent:
        budget = f"of {duration(reports.params.budgets.seconds)} allowed"
        found.append(("Time to make", duration(spent["total"]["seconds"]), budget))
    return found
