"""Where the project lies in its git repository: at its root, or in a folder of a larger one."""

from pathlib import Path
from typing import NamedTuple

from .git_command import git


class Place(NamedTuple):
    """The root of the repository, and the folder below it with slashes; "" is the root itself."""

    root: Path
    folder: str = ""

    @property
    def label(self) -> str:
        """The folder as one word, for names that a repository has only once; "" at the root."""
        return self.folder.replace("/", "-").lower()

    def name_environment(self, environment: str) -> str:
        """Name an environment of GitHub as this project has it: flights-staging, or staging."""
        return "-".join(filter(None, [self.label, environment]))

    def name_variable(self, variable: str) -> str:
        """Name a variable of GitHub that this project has for itself: CD_FLIGHTS, or CD."""
        words = "".join(each if each.isalnum() else "_" for each in self.label.upper())
        return "_".join(filter(None, [variable, words]))


def find_place() -> Place:
    """Ask git where this folder lies; a folder in no repository is a root of its own."""
    here = Path.cwd()
    if not any((up / ".git").exists() for up in (here, *here.parents)):
        return Place(here)
    return Place(
        Path(git("rev-parse", "--show-toplevel")),
        git("rev-parse", "--show-prefix").rstrip("/"),
    )
