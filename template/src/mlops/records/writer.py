"""Changing the table: one writer at a time, and all of a change or nothing of it.

What a change brings is prepared in a scratch folder and renamed into data/raw; the line in the log,
written last, makes it so. The scratch folder is called after the first version it prepares, so the
next writer knows what a killed one left, and takes it away. A `dvc add` that was stopped is made up
for by the next change.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock, Timeout

from ..core.errors import UserError
from ..core.git_command import git
from ..core.paths import RAW, replacing, sha256
from ..data import change_log
from ..data.change_log import ANEW, EMPTY, LOG, Change, Operation
from ..data.column_names import ROW
from ..data.contract import CONTRACT, Contract
from . import table
from .table import Effect

LOCK = Path("data/.lock")
PATIENCE = 10  # seconds that a second writer waits
SETTINGS = (CONTRACT, Path("problem.yaml"))  # what a start changes too
UNDO = "settings"


class Writer:
    """The table while it is changed: the log so far, and a scratch folder for what comes."""

    def __init__(self, scratch: Path, changes: list[Change]) -> None:
        self.scratch = scratch
        self.changes = changes

    def land(self, path: Path, name: str) -> str:
        """Rename a file of the scratch folder into data/raw, numbered by its version."""
        landed = f"{len(self.changes) + 1:04}-{name}"
        os.replace(path, RAW / landed)
        return landed

    def retire(self, numbers: pl.DataFrame, name: str) -> str:
        """Land the numbers of rows that are taken out; "" if there are none, else the file."""
        if numbers.is_empty():
            return ""
        file = self.scratch / "retired.parquet"
        numbers.select(ROW).sort(ROW).write_parquet(file)
        return self.land(file, f"{name}.retired.parquet")

    def content_hash(self, contract: Contract) -> str:
        """Return the content hash, made anew if the contract is another than at the last change."""
        if not self.changes:
            return EMPTY
        last = self.changes[-1]
        if last.contract == contract.digest():
            return last.after
        parts = change_log.locate_parts(self.changes)
        with table.open_content(parts, contract, self.scratch) as clean:
            return table.hash_content(clean, contract)

    def log(
        self, operation: Operation, effect: Effect, before: str, contract: Contract, **facts: Any
    ) -> list[str]:
        """Note a change, and return the line that tells it; it holds once `end` has written it."""
        change = Change(
            version=len(self.changes) + 1,
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            who=find_user(),
            operation=operation,
            contract=contract.digest(),
            before=before,
            after=effect.apply_to(before),
            **(effect.counts() | facts),
        )
        self.changes.append(change)
        return [f"version {change.version}: {change.counts()}"]

    def keep_settings(self) -> None:
        """Copy what a start changes besides the table, to put it back if the start fails."""
        with replacing(self.scratch / UNDO) as undo:
            undo.mkdir()
            for path in filter(Path.exists, SETTINGS):
                shutil.copyfile(path, undo / path.name)

    def end(self, lines: list[str], dry_run: bool) -> list[str]:
        """Make the changes hold, unless it is a dry run. Returns the lines to print."""
        if dry_run:
            return [*lines, "this is what it would do; nothing changed"]
        if len(self.changes) > len(change_log.read_log()):
            change_log.write_log(self.changes)
        return lines


@contextmanager
def change_table() -> Iterator[Writer]:
    """Change the table, alone. Raises UserError if another writer does not come to an end."""
    check_ready()
    RAW.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(LOCK, timeout=PATIENCE):
            _clear_scratch()
            changes = change_log.read_log()
            change_log.check_strays(changes)
            scratch = RAW / f".landing-{len(changes) + 1:04}"
            scratch.mkdir()
            try:
                yield Writer(scratch, changes)
            finally:
                _clear_scratch()
            _track_in_dvc()
    except Timeout:
        raise UserError(
            "another command is changing the table: wait until it is done, and try again."
        ) from None


def check_ready() -> None:
    """Raise UserError in a project that was not set up."""
    here = Path.cwd()
    if Path(".dvc").is_dir() and not any((up / ".git").exists() for up in (here, *here.parents)):
        command = "uv run mlops setup"
        raise UserError(f"this folder is not a git repository yet: run '{command}' first.")


def is_own(changes: list[Change]) -> bool:
    """Tell whether the table is the team's: not the bundled sample as it was shipped."""
    stand = change_log.select_in_effect(changes)
    shipped = [change for change in stand if change.operation == "sample"]
    touched = any(sha256(RAW / c.file) != c.sha256 for c in shipped if (RAW / c.file).exists())
    return touched or len(stand) > len(shipped)


def find_user() -> str:
    """Return git's user, or the machine's."""
    with suppress(UserError):
        return git("config", "user.email") or getuser()
    return getuser()


def _clear_scratch() -> None:
    """Take away scratch folders, with all that an unfinished change had done already, and the
    files of a table that was started over or compacted.
    """
    for written in (LOG, *SETTINGS):
        for unfinished in written.parent.glob(f".{written.name}.*.tmp"):
            shutil.rmtree(unfinished, ignore_errors=True)
    changes = change_log.read_log()
    known = {path for change in changes for path in change.files}
    for scratch in RAW.glob(".landing-*"):
        first = int(scratch.name.partition("-")[2])
        if first > len(changes):
            for path in RAW.glob("[0-9]*-*"):
                if int(path.name.partition("-")[0]) >= first and path not in known:
                    path.unlink()
            if (scratch / UNDO).exists():
                _put_back(scratch / UNDO)
        shutil.rmtree(scratch)
    starts = [change.version for change in changes if change.operation in ANEW]
    for path in (p for c in changes if c.version < max(starts, default=0) for p in c.files):
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.dvc").unlink(missing_ok=True)


def _put_back(undo: Path) -> None:
    """Restore what a start that failed has changed besides the table."""
    for path in SETTINGS:
        if (undo / path.name).exists():
            with replacing(path) as scratch:
                shutil.copyfile(undo / path.name, scratch)
        else:
            path.unlink(missing_ok=True)


def _track_in_dvc() -> None:
    """Have DVC keep the files that it does not keep yet. Raises UserError if it refuses."""
    changes = change_log.read_log()
    if not (Path(".dvc").is_dir() and is_own(changes)):
        return
    files = [
        path
        for c in change_log.select_in_effect(changes)
        for path in c.files
        if c.operation != "sample"
    ]
    new = [str(path) for path in files if not path.with_name(f"{path.name}.dvc").exists()]
    if not new:
        return
    command = [sys.executable, "-m", "dvc", "add", *new]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines()]
        reason = " ".join(" ".join(lines).split())
        raise UserError(f"{', '.join(new)} has landed, but 'dvc add' refused it: {reason}")
    subprocess.run(["git", "add", "--", str(LOG)], capture_output=True, check=False)
