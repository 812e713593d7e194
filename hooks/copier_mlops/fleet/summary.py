"""What is kept of each repository, and counted over all of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from ..findings import Finding, Report
from .predict import Prediction

KEPT = 20
"""Findings of a repository that the page shows; the other files have them all."""

UNREAD, BREAKS, DRIFTED, BEHIND, FINE = (
    "cannot be read",
    "breaks a standard",
    "drifted",
    "behind",
    "fine",
)
STATES = (UNREAD, BREAKS, DRIFTED, BEHIND, FINE)
"""The most urgent first. A repository may be in several; `fine` is none of the others."""

LAG = "version.behind"
"""Is told by the state and the number of releases, not again among the rules."""

WORST = ("error", "warning", "note")


@dataclass(frozen=True)
class Row:
    """A repository in the overview. `rules` are those it does not keep, with their levels."""

    name: str
    path: str
    version: str | None
    newest: str | None
    behind: int | None
    broken: str | None
    states: tuple[str, ...]
    rules: dict[str, str]
    errors: int
    warnings: int
    waived: int
    findings: Sequence[Finding]
    prediction: Prediction | None

    @classmethod
    def of(cls, name: str, report: Report, prediction: Prediction | None = None) -> Self:
        """Take what is kept of a report; the findings most grave come first."""
        ordered = sorted(report.findings, key=_rank_severity)
        open_ = [finding for finding in ordered if finding.waived is None and finding.rule != LAG]
        return cls(
            name=name,
            path=report.repository,
            version=report.version,
            newest=report.newest,
            behind=report.behind,
            broken=report.broken,
            states=find_states(report),
            rules={finding.rule: finding.severity for finding in reversed(open_)},
            errors=sum(finding.severity == "error" for finding in open_),
            warnings=sum(finding.severity != "error" for finding in open_),
            waived=sum(finding.waived is not None for finding in ordered),
            findings=[finding for finding in ordered if finding.rule != LAG][:KEPT],
            prediction=prediction,
        )

    @property
    def failed(self) -> bool:
        """Whether it could not be read, or breaks a standard."""
        return self.broken is not None or self.errors > 0

    @property
    def more(self) -> int:
        """Findings that are not kept."""
        return self.errors + self.warnings + self.waived - len(self.findings)


def find_states(report: Report) -> tuple[str, ...]:
    """List the states that a repository is in; waived findings do not count.

    It breaks a standard with each error, so those that break one, or cannot be read, are those that
    make the exit code 1. One that drifted breaks a standard too, unless that is only a warning.
    """
    open_ = [finding for finding in report.findings if finding.waived is None]
    holds_by_state = {
        UNREAD: report.broken is not None,
        BREAKS: any(finding.blocks for finding in open_),
        DRIFTED: any(finding.rule.startswith("managed.") for finding in open_),
        BEHIND: bool(report.behind),
    }
    return tuple(state for state, holds in holds_by_state.items() if holds) or (FINE,)


@dataclass(frozen=True)
class Summary:
    """Counts of repositories: in each state, at each version, and with findings of each rule."""

    repositories: int
    states: dict[str, int]
    versions: dict[str, int]
    rules: dict[str, int]
    newest: str | None
    failed: int

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Self:
        """Count all rows."""
        rows = list(rows)
        in_state = Counter(state for row in rows for state in row.states)
        return cls(
            repositories=len(rows),
            states={state: in_state[state] for state in STATES},
            versions=dict(Counter(row.version for row in rows if row.version).most_common()),
            rules=dict(Counter(rule for row in rows for rule in row.rules).most_common()),
            newest=next((row.newest for row in rows if row.newest), None),
            failed=sum(row.failed for row in rows),
        )

    def as_dict(self) -> dict[str, Any]:
        """Make the object that is written as JSON."""
        return asdict(self)


def write_headline(summary: Summary) -> str:
    """Describe the whole fleet in one clause."""
    phrases = {
        BEHIND: ("is behind", "are behind"),
        DRIFTED: ("drifted", "drifted"),
        BREAKS: ("breaks a standard", "break a standard"),
        UNREAD: ("cannot be read", "cannot be read"),
    }
    parts = [
        f"{count:,} {words[count > 1]}"
        for state, words in phrases.items()
        if (count := summary.states[state])
    ]
    last = parts.pop() if parts else "all are fine"
    phrase = f"{', '.join(parts)} and {last}" if parts else last
    noun = "repository" if summary.repositories == 1 else "repositories"
    return f"{summary.repositories:,} {noun}: {phrase}"


def find_worst_levels(rows: Iterable[Row]) -> dict[str, str]:
    """Find the worst severity of each rule that is not kept, in any repository."""
    pairs = {pair for row in rows for pair in row.rules.items()}
    return dict(sorted(pairs, key=lambda pair: WORST.index(pair[1]), reverse=True))


def rank_urgency(row: Row) -> tuple[int, int, int, str]:
    """Make the key that sorts the most urgent first."""
    return STATES.index(row.states[0]), -row.errors, -(row.behind or 0), row.name


def _rank_severity(finding: Finding) -> tuple[bool, int]:
    return finding.waived is not None, WORST.index(finding.severity)
