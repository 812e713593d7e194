"""The review as Markdown, for the summary of a job and for reports/review.md."""

from pathlib import Path
from typing import Any

from ..core.formatting import listed, number, signed
from ..core.paths import GATE_REPORT, REPORTS, replacing
from ..evaluation.cards import escaped
from ..evaluation.reports import Report, Reports, environment
from ..gates.gates import Verdict
from . import change_summary
from .base import Base
from .limits import Weaker, weaker
from .model_comparison import compared, verdicts

PAGE = REPORTS / "review.md"


def review(ref: str, summary: Path | None = None) -> tuple[list[str], list[str]]:
    """Write what this working tree changes since `ref`, also at the end of `summary`; return it in
    short, and what stands in its way: each gate that failed, and that the model before was better
    or worth more, beyond chance and the limits.
    """
    reports, base = Reports.read(), Base.find(ref)
    found = compared(reports, base) if base and reports.evaluation else None
    judged = [Verdict(**gate) for gate in reports.gate["gates"]]
    loose = weaker(base, reports.problem, reports.params, judged) if base else []
    judged += verdicts(found, base, reports) if base and found else []
    said = headline(reports, base, found)
    agree = [(one.owner, to_agree(one, base)) for one in loose]
    text = page(reports, base, said=said, found=found, judged=judged, loose=agree)
    with replacing(PAGE) as scratch:
        scratch.write_text(text, encoding="utf-8")
    if summary:
        with summary.open("a", encoding="utf-8") as stream:
            stream.write(text)
    failed = [verdict.sentence() for verdict in judged if not verdict.passed]
    told = [said, *([found["how"]] if found else []), *(line for _, line in agree)]
    return [*told, f"{PAGE} tells more."], failed


def to_agree(one: Weaker, base: Base | None) -> str:
    before, now = (
        "no limit" if limit is None else number(limit) for limit in (one.before, one.now)
    )
    return f"{one.place} is weaker than on {base} ({before}, now {now}): {one.owner} has to agree."


def headline(reports: Reports, base: Base | None, found: Report | None) -> str:
    """What there is to say to the business."""
    if not reports.evaluation:
        failed = listed(gate["name"] for gate in reports.failed)
        return f"No model was made: the run stopped at the gate {failed}."
    value, unit = reports.evaluation["value"]["model"], reports.problem.value.unit
    beside = beside_before(found["worth"], base) if found else nothing_before(base)
    return f"A thousand decisions are worth {number(value)} {unit or 'units of value'}{beside}."


def nothing_before(base: Base | None) -> str:
    before = f"{base} has no model yet" if base else "nothing was here before"
    return f"; {before}, so there is nothing to compare with"


def beside_before(gap: Report, base: Base | None) -> str:
    if gap["value"] is None:
        return f"; that cannot be compared with {base}"
    if not any((gap["value"], gap["low"], gap["high"])):
        return f", as much as on {base}"
    more = f", {number(abs(gap['value']))} {'more' if gap['value'] > 0 else 'less'} than on {base}"
    if gap["low"] is None:
        return f"{more}; whether by chance cannot be told"
    by_chance = gap["low"] <= 0 <= gap["high"]
    return f"{more}, {'which may be chance' if by_chance else 'beyond chance'} ({bounds(gap)})"


def bounds(gap: Report) -> str:
    return f"{signed(gap['low'])} to {signed(gap['high'])}"


def difference(gap: Report) -> str:
    """+12 (-3 to +27), as far as it can be told."""
    told = "" if gap["value"] is None else signed(gap["value"])
    return told if gap["low"] is None else f"{told} ({bounds(gap)})"


def page(reports: Reports, base: Base | None, **found: Any) -> str:
    markdown = environment(Path(__file__).parent, finalize=escaped)
    markdown.filters["difference"] = difference
    told: Report = {**found, "base": base, "before": {}, "was": {}}
    if base:
        earlier = base.json(GATE_REPORT).get("gates", ())
        told |= {
            "before": {gate["name"]: gate["measured"] for gate in earlier},
            "was": base.json(REPORTS / "metrics.json"),
            "columns": change_summary.columns(base.contract, reports.contract),
            "records": change_summary.records(base),
            "settings": change_summary.settings(base),
            "code": change_summary.code(base),
            "storage": change_summary.storage(base),
        }
    return markdown.get_template("review.md").render(**vars(reports), **told)
