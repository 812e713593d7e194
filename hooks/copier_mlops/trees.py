"""The files of a repository, as a commit has them or as they lie in a folder."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from .errors import UserError
from .git import EXECUTABLE, LINK, REGULAR, Entry, Objects, git, hash_blob
from .git_place import ANSWERS, find_root
from .unfinished_update import find_mark

LARGEST = 1_000_000  # bytes of a file that is looked into: code and settings are smaller


class Tree(ABC):
    """Files by their path with slashes. Never changes once it is read."""

    files: Mapping[str, Entry]
    folder = ""  # of a project in a larger repository, from its root, with a slash at its end

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Read one file. Raises KeyError if there is no such file."""

    @abstractmethod
    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Read the files that are not too large to be looked into."""

    def read_at_root(self, folder: str) -> dict[str, bytes]:
        """Read the files right in a folder at the root of the repository, by their names."""
        return {}

    @contextmanager
    def open_before(self) -> Iterator[tuple["Tree | None", str]]:
        """Open the files as they were before, and name their commit; None: there are none."""
        yield None, ""

    @property
    def unfinished(self) -> bool:
        """Whether an update was stopped half-way there."""
        return False

    @property
    def committed(self) -> Mapping[str, Entry]:
        """The files of the last commit."""
        return self.files

    def __deepcopy__(self, memo: object) -> "Tree":
        return self


class CommitTree(Tree):
    """The files of a commit, read from git's objects while those are open."""

    def __init__(self, objects: Objects, revision: str) -> None:
        self._objects = objects
        self._revision = revision
        self._known: dict[str, bytes] = {}
        self.files = objects.files(revision)
        self.folder = objects.place.folder

    @contextmanager
    def open_before(self) -> Iterator[tuple[Tree | None, str]]:
        name = f"{self._revision}^"
        try:
            before = self._objects.list_folder(name, self.folder.rstrip("/"))
        except UserError:
            before = {}
        changed = ANSWERS in before and before[ANSWERS] != self.files[ANSWERS].blob
        yield (CommitTree(self._objects, name) if changed else None), name

    def read(self, path: str) -> bytes:
        if path not in self._known:
            self._known[path] = self._objects.read(self.files[path].blob)[1]
        return self._known[path]

    def read_at_root(self, folder: str) -> dict[str, bytes]:
        blobs = self._objects.list_folder(self._revision, folder)
        return {name: self._objects.read(blob)[1] for name, blob in blobs.items()}

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted = list(paths)
        sizes = self._objects.sizes(self.files[path].blob for path in wanted)
        small = [path for path, size in zip(wanted, sizes, strict=True) if size <= LARGEST]
        contents = self._objects.read_all(self.files[path].blob for path in small)
        for path, (_, content) in zip(small, contents, strict=True):
            self._known[path] = content
            yield path, content


class FolderTree(Tree):
    """The files as they lie in a folder, without those that git ignores."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.is_dir():
            raise UserError(f"There is no folder {folder}: check the path.")
        self._in_git = True
        self._root, self.folder = find_root(folder)
        try:
            listed = git(
                "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=folder
            ).split("\0")
        except UserError:
            self._in_git = False
            listed = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*"))]
        rejects = [f"{path}.rej" for path in listed if path]  # also those that git ignores
        every = dict.fromkeys(filter(None, [*listed, *rejects]))
        paths = [path for path in every if self._is_file(path)]
        self.files = dict(zip(paths, self._entries(paths), strict=True))

    @property
    def unfinished(self) -> bool:
        return self._in_git and find_mark(self._folder).exists()

    def read_at_root(self, folder: str) -> dict[str, bytes]:
        files = (self._root / folder).glob("*")
        return {file.name: file.read_bytes() for file in files if file.is_file()}

    @contextmanager
    def open_before(self) -> Iterator[tuple[Tree | None, str]]:
        try:
            with Objects(self._folder) as objects:
                yield CommitTree(objects, "HEAD"), "HEAD"
        except UserError:
            yield None, ""

    @cached_property
    def committed(self) -> Mapping[str, Entry]:
        try:
            with Objects(self._folder) as objects:
                return objects.files("HEAD")
        except UserError:
            return {}

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise KeyError(path)
        return self._read(path, self.files[path].mode)

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for path in paths:
            if (self._folder / path).lstat().st_size <= LARGEST:
                yield path, self.read(path)

    def _is_file(self, path: str) -> bool:
        full = self._folder / path
        return full.is_symlink() or full.is_file()

    def _entries(self, paths: list[str]) -> Iterator[Entry]:
        """Make entries as git would: line ends and filters are those of the repository."""
        plain = [path for path in paths if self._mode(path) != LINK and "\n" not in path]
        hashes: dict[str, str] = {}
        if self._in_git and plain:
            lines = "".join(f"{self.folder}{path}\n" for path in plain)
            names = git("hash-object", "--stdin-paths", cwd=self._root, text=lines).split()
            hashes = dict(zip(plain, names, strict=True))
        for path in paths:
            mode = self._mode(path)
            yield Entry(mode, hashes.get(path) or hash_blob(self._read(path, mode)))

    def _read(self, path: str, mode: str) -> bytes:
        """Read a file as git has it: of a link, where it leads."""
        full = self._folder / path
        return os.fsencode(full.readlink()) if mode == LINK else full.read_bytes()

    def _mode(self, path: str) -> str:
        full = self._folder / path
        if full.is_symlink():
            return LINK
        return EXECUTABLE if full.stat().st_mode & 0o100 else REGULAR
