"""The review as Markdown, for the summary of a job and for reports/review.md."""

from pathlib import Path
from typing import Any

from ..core.formatting import listed, number, signed
from ..core.paths import GATE_REPORT, METRICS, REPORTS, write_text
from ..evaluation.cards import escape_markdown
from ..evaluation.reports import Reports
from ..gates.gates import Verdict
from ..pages.environment import make_environment
from . import change_summary
from .base import Base
from .base_comparison import BaseComparison, Gap, compare_with_base, judge_comparison
from .limits import Weaker, list_weaker_limits

PAGE = REPORTS / "review.md"


def review(ref: str, summary: Path | None = None) -> tuple[list[str], list[str]]:
    """Write what this working tree changes since `ref` to reports/review.md, also at the end of
    `summary`.

    Returns it in short, and what stands in its way: each gate that failed, and that the model
    before was better or worth more, beyond chance and the limits. Raises UserError if git does not
    know `ref`, or no gate has been judged yet.
    """
    reports, base = Reports.read(), Base.find(ref)
    comparison = compare_with_base(reports, base) if base and reports.evaluation else None
    verdicts = [Verdict(**gate) for gate in reports.gate["gates"]]
    limits = list_weaker_limits(base, reports.problem, reports.params, verdicts) if base else []
    verdicts += judge_comparison(comparison, base, reports) if base and comparison else []
    consents = [(limit.owner, write_consent(limit, base)) for limit in limits]
    headline = write_headline(reports, base, comparison)
    text = render_page(reports, base, comparison, verdicts, headline=headline, consents=consents)
    write_text(PAGE, text)
    if summary:
        with summary.open("a", encoding="utf-8") as stream:
            stream.write(text)
    failed = [verdict.sentence() for verdict in verdicts if not verdict.passed]
    how = [comparison.how] if comparison else []
    return [headline, *how, *(line for _, line in consents), f"{PAGE} has the details."], failed


def write_consent(limit: Weaker, base: Base | None) -> str:
    """Say who has to agree to a limit that is weaker than before."""
    before, now = (
        "no limit" if figure is None else number(figure) for figure in (limit.before, limit.now)
    )
    weaker_now = f"{limit.place} is weaker than on {base} ({before}, now {now})"
    return f"{weaker_now}: {limit.owner} has to agree."


def write_headline(reports: Reports, base: Base | None, comparison: BaseComparison | None) -> str:
    """Write what there is to say to the business, in one sentence."""
    if not reports.evaluation:
        failed = listed(gate["name"] for gate in reports.failed)
        return f"No model was made: the run stopped at the gate {failed}."
    value, unit = reports.evaluation["value"], reports.problem.value.unit or "units of value"
    gained = signed(value["model"] - value["do_nothing"])
    before = f"{base} has no model yet" if base else "nothing was here before"
    beside = f"; {before}, so there is nothing to compare with"
    if comparison:
        beside = write_gain(comparison.worth, base)
    gains = f"{gained} {unit} against {value['do_nothing_means']}"
    return f"A thousand decisions are worth {gains}{beside}."


def write_gain(gap: Gap, base: Base | None) -> str:
    """Continue a sentence with how much more it is than at the base."""
    if gap.value is None:
        return f"; that cannot be compared with {base}"
    if not any((gap.value, gap.low, gap.high)):
        return f", as much as on {base}"
    more = f", {number(abs(gap.value))} {'more' if gap.value > 0 else 'less'} than on {base}"
    if gap.low is None or gap.high is None:
        return f"{more}; whether that is chance is not known"
    by_chance = gap.low <= 0 <= gap.high
    return f"{more}, {'which may be chance' if by_chance else 'beyond chance'} ({bounds(gap)})"


def bounds(gap: Gap) -> str:
    """Write the bounds of a gap: -3 to +27."""
    return f"{signed(gap.low)} to {signed(gap.high)}"


def difference(gap: Gap) -> str:
    """Write a gap as far as it can be told: +12 (-3 to +27)."""
    value = "" if gap.value is None else signed(gap.value)
    return value if gap.low is None else f"{value} ({bounds(gap)})"


def render_page(
    reports: Reports,
    base: Base | None,
    comparison: BaseComparison | None,
    verdicts: list[Verdict],
    *,
    headline: str,
    consents: list[tuple[str, str]],
) -> str:
    """Render the review as Markdown; `consents` are (owner, sentence)."""
    markdown = make_environment(Path(__file__).parent, finalize=escape_markdown)
    markdown.filters["difference"] = difference
    changes: dict[str, Any] = {"before": {}, "was": {}}
    if base:
        earlier = base.json(GATE_REPORT).get("gates", ())
        changes = {
            "before": {gate["name"]: gate["measured"] for gate in earlier},
            "was": base.json(METRICS),
            "columns": change_summary.compare_columns(base.contract, reports.contract),
            "records": change_summary.list_new_records(base),
            "settings": change_summary.compare_settings(base),
            "code": change_summary.group_changed_files(base),
            "storage": change_summary.compare_storage(base),
        }
    return markdown.get_template("review.md").render(
        **vars(reports),
        **changes,
        base=base,
        comparison=comparison,
        verdicts=verdicts,
        headline=headline,
        consents=consents,
    )
