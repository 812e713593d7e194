"""Try an update in a scratch copy: does it work, and which lines will conflict?"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from copier import run_update

from ..errors import fold_lines
from ..git import git, list_changes, make_git_environment
from ..git_place import ANSWERS, find_root

OPENS, ENDS = b"<<<<<<< before updating", b">>>>>>> after updating"
SETTINGS = {
    "apply.whitespace": "nowarn",
    "commit.gpgSign": "false",
    "core.autocrlf": "false",
    "core.hooksPath": os.devnull,
    # A link in a repository would lead the update out of the scratch copy.
    "core.symlinks": "false",
    "user.email": "fleet@localhost",
    "user.name": "copier-mlops fleet",
}


@dataclass(frozen=True)
class Conflict:
    """Lines of a file, counted from 1, that the template and the team have both changed."""

    path: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.path}:{self.first}-{self.last}"


@dataclass(frozen=True)
class Prediction:
    """What the update to release `to` will do, or in `failed` why it cannot be made.

    `unsolved` are files with conflicts or rejects of an earlier update; then no other is tried.
    """

    to: str
    changed: int = 0
    removed: list[str] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    failed: str | None = None
    unsolved: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether it needs no person."""
        return not self.reasons

    @property
    def reasons(self) -> list[str]:
        """Why it needs a person: files, lines of them, or what went wrong."""
        failed = [self.failed] if self.failed is not None else []
        return [*self.unsolved, *map(str, self.conflicts), *failed]

    @property
    def title(self) -> str:
        """What it will do, in one clause."""
        if self.unsolved:
            return f"an earlier update is not solved, and comes before {self.to}"
        if self.failed is not None:
            return f"the update to {self.to} fails"
        if self.conflicts:
            noun = "conflict" if len(self.conflicts) == 1 else "conflicts"
            return f"{len(self.conflicts)} {noun} with {self.to}"
        gone = f", {len(self.removed)} of them go" if self.removed else ""
        files = "one file changes" if self.changed == 1 else f"{self.changed} files change"
        return f"updates to {self.to} without a conflict, {files}{gone}"


def predict(repository: Path, template: str, newest: str) -> Prediction:
    """Update a scratch clone of the repository to release `newest` of `template`, an address.

    The repository itself is only read. The clone is removed again.
    """
    with (
        tempfile.TemporaryDirectory(prefix="copier-mlops-") as folder,
        _isolated(folder),
    ):
        try:
            scratch = _clone_repository(repository, Path(folder) / "scratch", template)
            run_update(
                scratch,
                vcs_ref=newest,
                defaults=True,
                overwrite=True,
                quiet=True,
                skip_answered=True,
            )
            return _read_outcome(scratch, newest)
        except Exception as error:  # a template may raise anything, and the run goes on
            return Prediction(newest, failed=fold_lines(error) or type(error).__name__)


def _clone_repository(repository: Path, clone: Path, template: str) -> Path:
    """Clone with the address of the template to be used, where the answers name another one.

    Returns the project's folder in the clone.
    """
    root, folder = find_root(repository)
    # Kept in the clone: Copier's git does not see the environment of this process.
    plain = ("--config", "core.symlinks=false")
    git("clone", "--quiet", "--shared", *plain, "--", root, clone, cwd=Path.cwd())
    scratch = clone / folder
    answers = scratch / ANSWERS
    recorded = yaml.safe_load(answers.read_text(encoding="utf-8"))
    if recorded["_src_path"] != template:
        answers.write_text(
            yaml.safe_dump(recorded | {"_src_path": template}, allow_unicode=True), encoding="utf-8"
        )
        git(
            "commit",
            "--quiet",
            "--all",
            "--no-verify",
            "--message",
            "The template's place",
            cwd=scratch,
        )
    return scratch


def _read_outcome(scratch: Path, newest: str) -> Prediction:
    """Read from git what the update changed."""
    kinds = list_changes(scratch)
    kinds.pop(ANSWERS, None)
    unmerged = sorted(path for path, kind in kinds.items() if "U" in kind or kind in ("AA", "DD"))
    return Prediction(
        newest,
        changed=len(kinds),
        removed=sorted(
            path for path, kind in kinds.items() if "D" in kind and path not in unmerged
        ),
        conflicts=[conflict for path in unmerged for conflict in _find_conflicts(scratch, path)],
    )


def _find_conflicts(scratch: Path, path: str) -> Iterator[Conflict]:
    first = 1
    for number, line in enumerate((scratch / path).read_bytes().splitlines(), start=1):
        if line.rstrip() == OPENS:
            first = number
        elif line.rstrip() == ENDS:
            yield Conflict(path, first, number)


@contextmanager
def _isolated(folder: str) -> Iterator[None]:
    """Let Copier, in this process, ask nobody by its git, and leave what it leaves in `folder`."""
    before, temporary_folder = dict(os.environ), tempfile.tempdir
    environment = make_git_environment(SETTINGS)
    tempfile.tempdir = folder
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        tempfile.tempdir = temporary_folder
        os.environ.clear()
        os.environ.update(before)
