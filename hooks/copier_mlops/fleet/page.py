"""One page about the fleet that opens offline: nothing is loaded, the script is the page's own."""

import base64
import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from ..rules import RULES
from .history import GONE, NEW, Run
from .summary import (
    BEHIND,
    BREAKS,
    DRIFTED,
    FINE,
    STATES,
    UNREAD,
    Row,
    Summary,
    find_worst_levels,
    rank_urgency,
    write_headline,
)

SHOWN = 30
"""Runs that a sparkline goes back."""

TITLES = {
    FINE: "Fine",
    BEHIND: "Behind the newest version",
    DRIFTED: "Drifted from the template",
    BREAKS: "Break a standard",
    UNREAD: "Cannot be read",
}
CAME = {
    UNREAD: "Can no longer be read",
    BREAKS: "Broke a standard",
    DRIFTED: "Drifted",
    BEHIND: "Fell behind",
    FINE: "Fine again",
    NEW: "New in the list",
    GONE: "No longer in the list",
}
KINDS = {UNREAD: "bad", BREAKS: "bad", DRIFTED: "bad", BEHIND: "", FINE: "good"}


@dataclass(frozen=True)
class Figure:
    """How many repositories are in a state: `change` since the last run, `spark` over the runs."""

    title: str
    number: int
    kind: str
    change: str
    spark: Markup


@dataclass(frozen=True)
class RuleCount:
    """In how many repositories a rule is not kept, how grave that is, and what it asks for."""

    id: str
    count: int
    severity: str
    asks: str


def render_page(
    *,
    summary: Summary,
    rows: list[Row],
    runs: list[Run],
    came: dict[str, list[str]],
    tool: str,
    seconds: float,
) -> str:
    """Render HTML of the last of `runs`; `came` are names by new state since the one before."""
    *earlier, now = runs
    script = _read_file("page.js")
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
    return (
        _make_environment()
        .get_template("page.html")
        .render(
            style=_read_file("page.css"),
            script=script,
            script_hash=f"sha256-{digest}",
            headline=write_headline(summary),
            when=_format_moment(now.when),
            figures=[_make_figure(state, runs) for state in TITLES],
            last=earlier[-1] if earlier else None,
            came=[(CAME[state], names) for state in CAME if (names := came.get(state))],
            summary=summary,
            versions=_count_versions(rows),
            rules=_count_rules(rows, summary),
            rows=sorted(rows, key=rank_urgency),
            states=STATES,
            tool=tool,
            seconds=seconds,
        )
    )


def _make_figure(state: str, runs: list[Run]) -> Figure:
    counts = [run.states.get(state, 0) for run in runs][-SHOWN:]
    return Figure(
        title=TITLES[state],
        number=counts[-1],
        kind=KINDS[state],
        change=_describe_change(*counts[-2:]) if len(counts) > 1 else "",
        spark=_draw_spark(counts),
    )


def _describe_change(before: int, now: int) -> str:
    if now == before:
        return "as before"
    return f"{now - before:+,} since the last run".replace("-", "\N{MINUS SIGN}")


def _draw_spark(counts: list[int]) -> Markup:
    """Draw the course over the runs, from zero; the figures beside it say what it ends with."""
    if len(counts) < 2:
        return Markup()
    top, step = max(counts) or 1, 100 / (len(counts) - 1)
    points = [
        (round(step * at, 1), round(22 - 20 * count / top, 1)) for at, count in enumerate(counts)
    ]
    line = " ".join(f"{x},{y}" for x, y in points)
    return Markup(
        '<svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">'
        '<polygon points="0,24 {line} 100,24"/><polyline points="{line}"/></svg>'
    ).format(line=line)


def _count_versions(rows: list[Row]) -> list[tuple[str, int, int | None]]:
    """List each version with its repositories and how far it is behind, the newest first."""
    counts = Counter((row.version, row.behind) for row in rows if row.version)
    ordered = sorted(counts.items(), key=lambda it: (it[0][1] is None, it[0][1] or 0, it[0][0]))
    return [(version, count, behind) for (version, behind), count in ordered]


def _count_rules(rows: list[Row], summary: Summary) -> list[RuleCount]:
    """List the rules by how many repositories do not keep them, with the worst level of each."""
    level = find_worst_levels(rows)
    return [
        RuleCount(
            id=rule,
            count=count,
            severity=level[rule],
            asks=RULES[rule].asks.replace("`", "") if rule in RULES else "",
        )
        for rule, count in summary.rules.items()
    ]


def _format_moment(when: str) -> str:
    moment = datetime.fromisoformat(when)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _read_file(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8").strip()


@cache
def _make_environment() -> Environment:
    environment = Environment(
        loader=DictLoader({"page.html": _read_file("page.html")}),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["number"] = "{:,}".format
    environment.filters["moment"] = _format_moment
    return environment
