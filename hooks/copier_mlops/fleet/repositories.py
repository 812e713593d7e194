"""Where the repositories of a fleet are: in folders, in lists, or named one by one."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..git import git
from ..git_place import ANSWERS

DEPTH = 3
"""How far below a folder repositories are looked for: a host, an organisation, a repository."""


@dataclass(frozen=True)
class Repository:
    """A repository, or a path that ought to be one, and what people call it."""

    name: str
    path: Path


def find_repositories(places: Iterable[Path], besides: Path | None = None) -> list[Repository]:
    """Find all repositories at `places`, each once, in the order of their names; none at `besides`.

    A place is a clone, a bare repository, a folder of them or a text file that lists them, one path
    a line. What a list names but is not there is kept: the check reports it, and goes on.

    Raises UserError for a place that is not there itself, or holds no repository.
    """
    repositories: dict[Path, None] = {}
    left_out = besides and _make_absolute(besides)
    for place in places:
        if not place.exists():
            raise UserError(f"{place}: there is no such file or folder.")
        listed = _read_list(place) if place.is_file() else _find_below(place)
        inside = [path for path in listed if path != left_out]
        if not inside:
            raise UserError(
                f"{place}: there is no Git repository here; name clones, bare repositories, "
                "a folder of them or a text file with one path a line."
            )
        repositories.update(dict.fromkeys(inside))
    return _name_all(list(repositories))


def is_repository(path: Path) -> bool:
    """Tell whether `path` looks like a clone or a bare repository, be it a broken one."""
    return (path / ".git").exists() or ((path / "objects").is_dir() and (path / "refs").is_dir())


def _read_list(file: Path) -> Iterator[Path]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{file}: byte {error.start + 1} is not UTF-8 text; a list has one path a line."
        ) from error
    for line in lines:
        if entry := line.partition("#")[0].strip():
            yield _make_absolute(file.parent / Path(entry).expanduser())


def _find_below(folder: Path, depth: int = DEPTH) -> Iterator[Path]:
    """Find repositories in a folder; one right inside it without any ought to be one itself."""
    if is_repository(folder):
        yield from map(_make_absolute, _list_projects(folder))
    elif depth:
        for child in sorted(folder.iterdir()):
            if not child.is_dir() or child.name.startswith("."):
                continue
            inside = list(_find_below(child, depth - 1))
            yield from inside or ([_make_absolute(child)] if depth == DEPTH else [])


def _list_projects(repository: Path) -> list[Path]:
    """List the folders of a clone that projects lie in; without any it is to be one itself."""
    if not (repository / ".git").exists() or (repository / ANSWERS).exists():
        return [repository]
    try:
        listed = git("ls-files", "-z", "--", f"**/{ANSWERS}", cwd=repository).split("\0")
    except UserError:  # a broken clone, which the check reports
        return [repository]
    projects = [(repository / name).parent for name in filter(None, listed)]
    return projects or [repository]


def _make_absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


def _name_all(paths: list[Path]) -> list[Repository]:
    """Name each by what is left of its path below the folder that all are in."""
    top = Path(os.path.commonpath([path.parent for path in paths]))
    names = {path: path.relative_to(top).as_posix() for path in paths}
    short = {path: name.removesuffix(".git") for path, name in names.items()}
    taken = Counter(short.values())
    repositories = (
        Repository(short[path] if taken[short[path]] == 1 else names[path], path) for path in paths
    )
    return sorted(repositories, key=lambda repository: repository.name)
