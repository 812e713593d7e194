"""What a survey found, in a terminal."""

import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .fix import build_commands
from .summary import (
    BEHIND,
    BREAKS,
    DRIFTED,
    FINE,
    UNREAD,
    Row,
    Summary,
    find_worst_levels,
    rank_urgency,
    write_headline,
)

LISTED = 30
"""Repositories that are shown, the most urgent first."""

TOKENS = {"renovate": "RENOVATE_TOKEN", "multi-gitter": "GITHUB_TOKEN or GITLAB_TOKEN"}
NUMBERS = ("Behind", "Errors")
STYLES = {UNREAD: "bold red", BREAKS: "red", DRIFTED: "yellow", BEHIND: "cyan", FINE: "green"}


def show_survey(rows: list[Row], summary: Summary) -> None:
    """Print those with something to do, what fails most, and the whole fleet in one sentence."""
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    urgent = sorted((row for row in rows if row.states != (FINE,)), key=rank_urgency)
    if urgent:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for title in ("Repository", "State", "Version", "Behind", "Errors", "What"):
            table.add_column(
                title, justify="right" if title in NUMBERS else "left", overflow="fold"
            )
        for row in urgent[:LISTED]:
            states = ", ".join(f"[{STYLES[state]}]{state}[/]" for state in row.states)
            behind = "" if row.behind is None else str(row.behind)
            errors = str(row.errors or "")
            table.add_row(
                escape(row.name), states, row.version, behind, errors, escape(_describe(row))
            )
        console.print(table)
    if len(urgent) > LISTED:
        console.print(f"and {len(urgent) - LISTED:,} more; --output FOLDER shows them all.")
    level = find_worst_levels(rows)
    for rule, count in list(summary.rules.items())[:5]:
        console.print(f"{count:>7,}  with the {level[rule]} {rule}")
    console.print(write_headline(summary) + ".")


def _describe(row: Row) -> str:
    """Say what to look at, and what the update will do if it was tried."""
    if row.broken:
        return row.broken
    if row.prediction and not row.prediction.clean:
        return f"{row.prediction.title}: {', '.join(row.prediction.reasons)}"
    tried = [row.prediction.title] if row.prediction else []
    return "; ".join(filter(None, [", ".join(row.rules), *tried]))


def show_fix(tool: str, rows: list[Row]) -> None:
    """Print the commands plain, to be copied into a shell, and all else as comments."""
    fixes, left = build_commands(tool, rows)
    for line in left:
        print("# By hand:", *line.split())
    if fixes:
        print("# The token of the code host is taken from", TOKENS[tool])
    else:
        print("# No repository behind can be updated by a pull request.")
    print(*fixes, sep="\n\n")
