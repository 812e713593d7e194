"""An update that was stopped half-way: marked while it runs, told afterwards, and undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import UserError
from .git import git

MARK = "copier-mlops-update"
UNDO = "'copier-mlops update --undo' brings back what was committed"
STASHED = "An update of the template that did not finish"


def find_mark(project: Path) -> Path:
    """Find the place of the mark, which lies among git's own files."""
    return project / git("rev-parse", "--git-path", MARK, cwd=project).strip()


def require_finished(project: Path) -> None:
    """Raise UserError if an update was stopped half-way."""
    if find_mark(project).exists():
        raise UserError(f"An update of {project} was stopped half-way: {UNDO}; then update again.")


@contextmanager
def mark_until_finished(project: Path) -> Iterator[None]:
    """Leave a mark for as long as an update runs, and for good if it does not finish."""
    mark = find_mark(project)
    mark.write_text(f"{project}\n", encoding="utf-8", errors="surrogateescape")
    yield
    mark.unlink()


def undo_update(project: Path) -> str:
    """Bring back what was committed before an update that was stopped; returns what was done.

    What is there now is kept in git's stash. Raises UserError if no update was stopped.
    """
    mark = find_mark(project)
    if not mark.exists():
        raise UserError("No update was stopped half-way: there is nothing to undo.")
    git("add", "--all", "--", ".", cwd=project)
    git("stash", "push", "--quiet", "--message", STASHED, "--", ".", cwd=project)
    mark.unlink()
    return "all is as it was committed; 'git stash pop' brings the stopped update back"
