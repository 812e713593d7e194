"""What earlier runs found, as the output folder has it: counts and last states."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import UserError
from .summary import Row, Summary

HISTORY = "history.jsonl"
RESULT = "fleet.json"
NEW, GONE = "new", "no longer listed"


@dataclass(frozen=True)
class Run:
    """One run: when it was (UTC, ISO 8601) and what it counted."""

    when: str
    repositories: int
    states: dict[str, int]
    newest: str | None

    @classmethod
    def of(cls, when: str, summary: Summary) -> "Run":
        """Take what is kept of a run from its summary."""
        return cls(when, summary.repositories, summary.states, summary.newest)

    def line(self) -> str:
        """Write the line of the history file."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"


def read_runs(folder: Path) -> list[Run]:
    """Read the runs so far, the oldest first.

    Raises UserError, with file and line, for what no run has written.
    """
    file = folder / HISTORY
    runs: list[Run] = []
    for number, text in enumerate(_read_text(file).splitlines(), start=1):
        try:
            runs.append(Run(**json.loads(text)))
        except (ValueError, TypeError) as error:
            raise UserError(
                f"{file}:{number}: no run wrote this ({error}); remove the line."
            ) from error
    return runs


def read_last_states(folder: Path) -> dict[str, set[str]]:
    """Read the states of each repository, by its path, in the last run; none before the first.

    Raises UserError for a file that no run has written.
    """
    file = folder / RESULT
    if not (text := _read_text(file)):
        return {}
    try:
        return {row["path"]: set(row["states"]) for row in json.loads(text)["repositories"]}
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{file}: no run wrote this ({error}); remove it.") from error


def find_changes(before: dict[str, set[str]], rows: Iterable[Row]) -> dict[str, list[str]]:
    """Find the repositories that came into a state since the last run, are new, or are gone.

    `before` are the states by path in the last run. Returns names by state.
    """
    changed: dict[str, list[str]] = {}
    gone = dict(before)
    for row in rows:
        states = gone.pop(row.path, None)
        if states is None:
            new_states = [NEW]
        else:
            new_states = [state for state in row.states if state not in states]
        for state in new_states:
            changed.setdefault(state, []).append(row.name)
    return changed | ({GONE: list(gone)} if gone else {})


def _read_text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
