"""Where a repository keeps its objects, and where in it a project lies."""

from pathlib import Path
from typing import NamedTuple

from .errors import UserError

ANSWERS = ".copier-answers.yml"


class GitPlace(NamedTuple):
    """Where a repository keeps its objects, and a project's folder below its root.

    `folder` has slashes, and one at its end; it is empty at the root.
    """

    git_folder: Path
    folder: str = ""


def find_git_place(repository: Path) -> GitPlace:
    """Find a clone, a bare repository, or a project in a folder of a larger clone.

    Raises UserError if it is none of them.
    """
    if not repository.is_dir():
        raise UserError(f"There is no folder {repository}: check the path.")
    if (repository / ".git").exists():
        return GitPlace(repository / ".git")
    if (repository / "HEAD").is_file() and (repository / "objects").is_dir():
        return GitPlace(repository)
    root, folder = find_root(repository)
    if folder:
        return GitPlace(root / ".git", folder)
    raise UserError(f"{repository} is no git repository: give the path of a clone or a bare one.")


def find_root(project: Path) -> tuple[Path, str]:
    """Find the root of the clone around a project, and the project's folder as GitPlace has it.

    What is no project, or lies in no clone, is its own root.
    """
    if (project / ANSWERS).is_file() and not (project / ".git").exists():
        inside = project.resolve()
        for root in inside.parents:
            if (root / ".git").exists():
                return root, f"{inside.relative_to(root).as_posix()}/"
    return project, ""
