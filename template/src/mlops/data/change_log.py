"""The audit log: a line in git for every change of the table, from which it can be made again.

data/raw holds what the changes brought, data/log.jsonl says what each of them did. A row keeps one
number (`ROW`) for ever, its place among all rows ever delivered; so a change that takes rows out
names their numbers only, and holds nothing of what they said.
"""

from itertools import accumulate
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl
from pydantic import ValidationError

from ..core.errors import UserError
from ..core.paths import RAW, replacing
from ..core.strict_model import StrictModel
from .column_names import ROW

LOG = Path("data/log.jsonl")
EMPTY = "0" * 32  # the content hash of a table without rows

Operation = Literal["sample", "start", "add", "update", "delete", "restore", "compact", "evolve"]
ANEW: tuple[Operation, ...] = ("start", "compact")  # what was before is no part of the table


class Change(StrictModel):
    """One change of the table.

    It brought `rows` rows in `file`, and took out those whose numbers are in the file `retired`.
    "start" begins with a new table, "compact" with the same one in new files, "restore" goes back
    to the version `restored`, "evolve" changes the contract alone. `sha256` is of the source as it
    was delivered, `query` the digest of the query that a database was asked; `cursor` and `reached`
    say how far it has been read.
    The rows of a `numbered` file bring the numbers that they had before it was compacted.
    `before` and `after` are content hashes (table.py), under the contract of the digest `contract`.
    """

    version: int
    when: str
    who: str
    operation: Operation
    source: str
    query: str = ""
    sha256: str = ""
    file: str = ""
    rows: int = 0
    numbered: bool = False
    retired: str = ""
    restored: int | None = None
    cursor: str = ""
    reached: int | float | str | None = None
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: int = 0
    contract: str
    before: str
    after: str

    @property
    def files(self) -> list[Path]:
        """The files in data/raw that the change brought."""
        return [RAW / name for name in (self.file, self.retired) if name]

    def counts(self) -> str:
        """Say how many records the change touched, and how."""
        kinds = ("added", "updated", "unchanged", "deleted", "rejected")
        counts = [f"{getattr(self, kind):,} {kind}" for kind in kinds if getattr(self, kind)]
        return ", ".join(counts) or "no row changed"


class Part(NamedTuple):
    """A delivered file: how many rows were delivered `before` it, and which numbers are `gone`.

    The rows of an `update` take the place of earlier ones; those of a `numbered` file bring their
    numbers themselves.
    """

    path: Path
    before: int = 0
    gone: pl.Series | None = None
    update: bool = False
    numbered: bool = False


def read_log() -> list[Change]:
    """Read all changes, oldest first. Raises UserError naming the line that cannot be read."""
    if not LOG.exists():
        return []
    changes = []
    for number, line in enumerate(LOG.read_text(encoding="utf-8").splitlines(), 1):
        try:
            changes.append(Change.model_validate_json(line))
        except ValidationError as error:
            raise UserError(
                f"{LOG}: line {number} is not one change; undo what was done to it with git (where "
                "two branches changed the table, keep one and repeat the other's commands)."
            ) from error
    return changes


def write_log(changes: list[Change]) -> None:
    """Write the log anew, a line for each change, whole or not at all."""
    lines = "".join(f"{change.model_dump_json(exclude_defaults=True)}\n" for change in changes)
    with replacing(LOG) as scratch:
        scratch.write_text(lines, encoding="utf-8")


def select_in_effect(
    changes: list[Change], version: int | None = None, anew: tuple[Operation, ...] = ANEW
) -> list[Change]:
    """Select the changes that made the table what it is (or was at a version): without those
    before an operation of `anew`, and those that a restore took back.
    """
    states: dict[int, list[Change]] = {0: []}
    now = states[0]
    for change in changes:
        if change.restored is not None:
            now = states[change.restored]
        else:
            now = [change] if change.operation in anew else [*now, change]
        states[change.version] = now
    if version is not None and version not in states:
        last = max(states)
        raise UserError(f"there is no version {version} of the table; the newest is {last}.")
    return now if version is None else states[version]


def select_lineage(changes: list[Change]) -> list[Change]:
    """Select the changes in effect, and those that were when the table was compacted: all that
    tells which files and which rows of a database have been delivered.
    """
    return select_in_effect(changes, anew=("start",))


def count_delivered_rows(changes: list[Change]) -> int:
    """Count the rows that were ever delivered; the next has the number after."""
    return sum(change.rows for change in changes)


def locate_parts(changes: list[Change], version: int | None = None) -> list[Part]:
    """Locate the files of the table, in order. Raises UserError if one is not on this machine."""
    stand = select_in_effect(changes, version)
    for path in (path for change in stand for path in change.files):
        if not path.exists():
            raise UserError(
                f"{path} is not here: run 'uv run dvc pull' (or, if the table was started over or "
                "compacted since, check out the commit of that version)."
            )
    lists = [pl.read_parquet(RAW / each.retired)[ROW] for each in stand if each.retired]
    gone = pl.concat([pl.Series(ROW, [], pl.Int64), *lists])
    ends = accumulate(change.rows for change in changes)
    end_of = {change.version: end for change, end in zip(changes, ends, strict=True)}
    parts = []
    for change in (change for change in stand if change.file):
        end = end_of[change.version]
        before = 0 if change.numbered else end - change.rows
        own = gone.filter(gone.is_between(before + 1, end))
        is_update = change.operation == "update"
        part = Part(RAW / change.file, before, None, is_update, change.numbered)
        parts.append(part._replace(gone=own) if len(own) else part)
    return parts


def check_strays(changes: list[Change]) -> None:
    """Raise UserError for a file that was put into data/raw by hand."""
    known = {path for change in changes for path in change.files}
    for path in sorted(RAW.glob("[0-9]*-*")):
        if path.suffix != ".dvc" and path not in known:
            raise UserError(
                f"{path} is not in {LOG}: run 'uv run dvc checkout' if it belongs to another "
                "commit; else move it elsewhere, and bring it in with 'data add'."
            )


def locate_landed_parts() -> list[Part]:
    """Locate the files of the table as it is. Raises UserError if there are none, or stray ones."""
    changes = read_log()
    check_strays(changes)
    if parts := locate_parts(changes):
        return parts
    raise UserError(f"{RAW} holds no table: bring one in with 'data add', or run 'dvc pull'.")
