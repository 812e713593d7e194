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
        return cls(when, summary.repositories, summary.states, summary.newest)

    def line(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"


def runs(folder: Path) -> list[Run]:
    """The runs so far, the oldest first.

    Raises UserError, with file and line, for what no run has written.
    """
    file = folder / HISTORY
    found: list[Run] = []
    for number, text in enumerate(_text(file).splitlines(), start=1):
        try:
            found.append(Run(**json.loads(text)))
        except (ValueError, TypeError) as error:
            raise UserError(
                f"{file}:{number}: no run wrote this ({error}); remove the line."
            ) from error
    return found


def last_states(folder: Path) -> dict[str, set[str]]:
    """The states of each repository, by its path, in the last run; nothing before the first.

    Raises UserError for a file that no run has written.
    """
    file = folder / RESULT
    if not (text := _text(file)):
        return {}
    try:
        return {it["path"]: set(it["states"]) for it in json.loads(text)["repositories"]}
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{file}: no run wrote this ({error}); remove it.") from error


def changes(before: dict[str, set[str]], rows: Iterable[Row]) -> dict[str, list[str]]:
    """Names of the repositories that came into a state since the last run, are new, or are gone."""
    changed: dict[str, list[str]] = {}
    gone = dict(before)
    for row in rows:
        states = gone.pop(row.path, None)
        came = [NEW] if states is None else [state for state in row.states if state not in states]
        for state in came:
            changed.setdefault(state, []).append(row.name)
    return changed | ({GONE: list(gone)} if gone else {})


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
