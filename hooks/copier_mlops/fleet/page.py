"""One page about the fleet that opens offline: nothing is loaded, the script is the page's own."""

import base64
import hashlib
from collections import Counter
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

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
    headline,
    levels,
    urgency,
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


def page(
    *,
    summary: Summary,
    rows: list[Row],
    runs: list[Run],
    came: dict[str, list[str]],
    tool: str,
    seconds: float,
) -> str:
    """HTML of the last of `runs`; `came` says which repositories changed since the one before."""
    *earlier, now = runs
    script = _file("page.js")
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
    return (
        _environment()
        .get_template("page.html")
        .render(
            style=_file("page.css"),
            script=script,
            script_hash=f"sha256-{digest}",
            headline=headline(summary),
            when=_moment(now.when),
            figures=[_figure(state, runs) for state in TITLES],
            last=earlier[-1] if earlier else None,
            came=[(CAME[state], names) for state in CAME if (names := came.get(state))],
            summary=summary,
            versions=_versions(rows),
            rules=_rules(rows, summary),
            rows=sorted(rows, key=urgency),
            states=STATES,
            tool=tool,
            seconds=seconds,
        )
    )


def _figure(state: str, runs: list[Run]) -> dict[str, Any]:
    counts = [run.states.get(state, 0) for run in runs][-SHOWN:]
    return {
        "title": TITLES[state],
        "number": counts[-1],
        "kind": KINDS[state],
        "change": _change(*counts[-2:]) if len(counts) > 1 else "",
        "spark": _spark(counts),
    }


def _change(before: int, now: int) -> str:
    if now == before:
        return "as before"
    return f"{now - before:+,} since the last run".replace("-", "\N{MINUS SIGN}")


def _spark(counts: list[int]) -> Markup:
    """The course over the runs, from zero; the figures beside it say what it ends with."""
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


def _versions(rows: list[Row]) -> list[tuple[str, int, int | None]]:
    """Each version with its repositories and how far it is behind, the newest first."""
    counts = Counter((row.version, row.behind) for row in rows if row.version)
    ordered = sorted(counts.items(), key=lambda it: (it[0][1] is None, it[0][1] or 0, it[0][0]))
    return [(version, count, behind) for (version, behind), count in ordered]


def _rules(rows: list[Row], summary: Summary) -> list[dict[str, Any]]:
    """The rules by how many repositories do not keep them, with the worst level of each."""
    level = levels(rows)
    return [
        {
            "id": rule,
            "count": count,
            "severity": level[rule],
            "asks": RULES[rule].asks.replace("`", "") if rule in RULES else "",
        }
        for rule, count in summary.rules.items()
    ]


def _moment(when: str) -> str:
    moment = datetime.fromisoformat(when)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _file(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8").strip()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=DictLoader({"page.html": _file("page.html")}),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["number"] = "{:,}".format
    environment.filters["moment"] = _moment
    return environment
