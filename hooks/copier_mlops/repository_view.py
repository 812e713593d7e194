"""A repository as policies see it: an importlib Traversable with a little more to ask."""

import io
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import IO, Any

from .policy import Policy
from .safe_yaml import YAML_ERRORS, parse_yaml
from .trees import FolderTree, Tree


@dataclass(frozen=True)
class RepositoryView:
    """`changed` are the contents, by path, of files that are not as the template has them;
    `rendered` gives a file's content as it came from the template, None if it did not.
    """

    tree: Tree
    changed: Mapping[str, bytes]
    policy: Policy = field(default_factory=Policy)
    rendered: Callable[[str], bytes | None] = field(default=lambda path: None)

    def yaml(self, path: str) -> dict[str, Any]:
        """Read a file as a table; an empty one if there is no such file, or no table in it."""
        content = self.tree.read(path) if path in self.tree.files else b""
        return parse_table(content)

    def __deepcopy__(self, memo: object) -> "RepositoryView":
        return self


@lru_cache(maxsize=1024)
def parse_table(content: bytes) -> dict[str, Any]:
    """Parse a table; an empty one for anything else, which the rule file.unreadable reports."""
    try:
        settings = parse_yaml(content)
    except YAML_ERRORS:
        return {}
    return settings if isinstance(settings, dict) else {}


class Root(Traversable):
    """A folder or file of a repository, whether it is checked out or not."""

    def __init__(self, repository: RepositoryView, path: str = "") -> None:
        self.repository = repository
        self._path = path

    @property
    def name(self) -> str:
        return self._path.rsplit("/", 1)[-1]

    def is_file(self) -> bool:
        return self._path in self.repository.tree.files

    def is_dir(self) -> bool:
        return any(path.startswith(self._prefix) for path in self.repository.tree.files)

    def iterdir(self) -> Iterator["Root"]:
        inside = (
            path.removeprefix(self._prefix).split("/")[0]
            for path in self.repository.tree.files
            if path.startswith(self._prefix)
        )
        return (Root(self.repository, self._prefix + name) for name in dict.fromkeys(inside))

    def joinpath(self, *parts: Any) -> "Root":
        inside = [part for text in parts for part in str(text).split("/") if part not in ("", ".")]
        return Root(self.repository, self._prefix + "/".join(inside))

    def __truediv__(self, part: Any) -> "Root":
        return self.joinpath(part)

    def read_bytes(self) -> bytes:
        return self._content()

    def read_text(self, encoding: str | None = None) -> str:
        return self._content().decode(encoding or "utf-8")

    def open(self, mode: str = "r", *args: Any, **kwargs: Any) -> IO[Any]:
        binary = io.BytesIO(self._content())
        return binary if "b" in mode else io.TextIOWrapper(binary, encoding="utf-8")

    def __deepcopy__(self, memo: object) -> "Root":
        return self

    def __str__(self) -> str:
        return self._path or "."

    @property
    def _prefix(self) -> str:
        return f"{self._path}/" if self._path else ""

    def _content(self) -> bytes:
        try:
            return self.repository.tree.read(self._path)
        except KeyError as error:
            raise FileNotFoundError(self._path) from error


class EmptyTree(Tree):
    """A tree without files: repo-review lists the checks with it."""

    files: Mapping[str, Any] = {}

    def read(self, path: str) -> bytes:
        raise KeyError(path)

    def read_all(self, paths: Any) -> Iterator[tuple[str, bytes]]:
        yield from ()


# --- Fixtures of repo-review: what a check may ask for by the name of its argument ---


def repository(root: Traversable) -> RepositoryView:
    """Give everything about the repository, also where repo-review itself runs, on a folder."""
    if isinstance(root, Root):
        return root.repository
    tree: Tree = FolderTree(root) if isinstance(root, Path) else EmptyTree()
    return RepositoryView(tree, dict(tree.read_all(tree.files)))


def problem(repository: RepositoryView) -> dict[str, Any]:
    """Read problem.yaml as a table."""
    return repository.yaml("problem.yaml")


def params(repository: RepositoryView) -> dict[str, Any]:
    """Read params.yaml as a table."""
    return repository.yaml("params.yaml")


def pyproject(package: Traversable) -> dict[str, Any]:
    """Read pyproject.toml as a table, an empty one if it is a bad one: unlike repo-review's own."""
    path = package.joinpath("pyproject.toml")
    return parse_toml_table(path.read_bytes()) if path.is_file() else {}


@lru_cache(maxsize=1024)
def parse_toml_table(content: bytes) -> dict[str, Any]:
    """Parse a table; an empty one for anything else."""
    try:
        return tomllib.loads(content.decode())
    except ValueError:
        return {}
