"""Git repositories read through one `git cat-file` each, bare or not. Nothing is written."""

import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from .errors import UserError

# Git sets these for its hooks; they would lead every other repository astray.
LOCAL = ("DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "COMMON_DIR", "PREFIX", "NAMESPACE")
AT_ONCE = 500  # names sent before an answer is read: far less than a pipe holds
KEPT_TREES = 100_000
SHA1 = 40  # letters of a hash

LINK = "120000"
EXECUTABLE = "100755"
FOLDER = "40000"
SUBMODULE = "160000"


# Of git alone: a Python started so cannot read a path with an umlaut.
ENGLISH = {"LC_ALL": "C"}


def environment() -> dict[str, str]:
    """Of a git command that must neither ask nor follow the repository of a hook."""
    own = {f"GIT_{name}" for name in LOCAL}
    return {
        **{name: text for name, text in os.environ.items() if name not in own},
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def git(
    *arguments: str | Path, cwd: Path, text: str | None = None, index: Path | None = None
) -> str:
    """What a git command prints. Raises UserError with git's own words.

    `index` is a file to use in place of the repository's own index.
    """
    try:
        done = subprocess.run(
            ["git", *map(str, arguments)],
            cwd=cwd,
            env=environment() | ENGLISH | ({"GIT_INDEX_FILE": str(index)} if index else {}),
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=True,
        )
    except FileNotFoundError as error:
        raise UserError("git is not installed: install it and run this again.") from error
    except subprocess.CalledProcessError as error:
        raise UserError(f"git {arguments[0]} failed: {words(error.stderr)}") from error
    return done.stdout


def words(text: str) -> str:
    """What git said, on one line."""
    return " ".join(text.split()).removeprefix("fatal: ").rstrip(".") or "it gave no reason"


def git_folder(repository: Path) -> Path:
    """Where a clone or a bare repository keeps its objects. Raises UserError if it is neither."""
    if not repository.is_dir():
        raise UserError(f"There is no folder {repository}: check the path.")
    if (repository / ".git").exists():
        return repository / ".git"
    if (repository / "HEAD").is_file() and (repository / "objects").is_dir():
        return repository
    raise UserError(f"{repository} is no git repository: give the path of a clone or a bare one.")


@dataclass(frozen=True)
class Entry:
    """A file of a commit: its mode as git writes it, and the hash of its content."""

    mode: str
    blob: str


class Objects:
    """The objects of one repository, for as long as the `with` block lasts."""

    _trees: dict[str, list[tuple[str, str, str]]] = {}  # noqa: RUF012 - for all repositories

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self._git_folder = git_folder(repository)

    def __enter__(self) -> Self:
        try:
            self._process = subprocess.Popen(
                ["git", f"--git-dir={self._git_folder}", "cat-file", "--batch-command"],
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except FileNotFoundError as error:
            raise UserError("git is not installed: install it and run this again.") from error
        self._requests = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def read_all(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Hash and content of each object, in order. Raises UserError for one that is missing."""
        for found, size in self._headers("contents", list(names)):
            yield found, self._answers.read(size + 1)[:-1]

    def sizes(self, names: Iterable[str]) -> Iterator[int]:
        """How many bytes each object has, in order."""
        return (size for _, size in self._headers("info", list(names)))

    def read(self, name: str) -> tuple[str, bytes]:
        return next(self.read_all([name]))

    def files(self, revision: str) -> dict[str, Entry]:
        """Every file of a commit by its path. Submodules are left out."""
        self._ask("contents", [f"{revision}^{{tree}}"])
        header = self._header()
        if header is None:
            at = "has no commit yet" if revision == "HEAD" else f"has no commit {revision}"
            raise UserError(f"{self.repository} {at}: there is nothing to check.")
        root, content = header[0], self._answers.read(header[1] + 1)[:-1]
        if len(root) != SHA1:
            raise UserError(f"{self.repository} names objects by SHA-256, which is not read here.")
        self._keep(root, content)
        found: dict[str, Entry] = {}
        level = [("", root)]
        while level:
            unknown = {tree for _, tree in level} - self._trees.keys()
            for tree, content in self.read_all(unknown):
                self._keep(tree, content)
            below = []
            for folder, tree in level:
                for mode, name, target in self._trees[tree]:
                    if mode == FOLDER:
                        below.append((f"{folder}{name}/", target))
                    elif mode != SUBMODULE:
                        found[folder + name] = Entry(mode, target)
            level = below
        return found

    def _keep(self, tree: str, content: bytes) -> None:
        if len(self._trees) > KEPT_TREES:
            self._trees.clear()
        self._trees[tree] = list(entries(content))

    def _ask(self, command: str, names: list[str]) -> None:
        try:
            self._requests.write("".join(f"{command} {name}\n" for name in names).encode())
            self._requests.flush()
        except BrokenPipeError as error:
            raise self._died() from error

    def _headers(self, command: str, names: list[str]) -> Iterator[tuple[str, int]]:
        """Asked for some at a time: a pipe that is full both ways would stand still."""
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            self._ask(command, some)
            for name in some:
                header = self._header()
                if header is None:
                    raise UserError(
                        f"{self.repository} is damaged: git misses object {name}; "
                        "run git fsck there, or clone it anew."
                    )
                yield header

    def _header(self) -> tuple[str, int] | None:
        """Hash and size of the next object; None: there is none of that name."""
        header = self._answers.readline().split()
        if not header:
            raise self._died()
        if len(header) != 3 or not header[2].isdigit():
            return None
        return header[0].decode(), int(header[2])

    def _died(self) -> UserError:
        _, said = self._process.communicate()
        return UserError(
            f"{self.repository} cannot be read: {words(said.decode(errors='replace'))}."
        )


def entries(tree: bytes) -> Iterator[tuple[str, str, str]]:
    """Mode, name and hash of what a tree object holds."""
    at = 0
    while at < len(tree):
        blank = tree.index(b" ", at)
        end = tree.index(b"\0", blank)
        yield (
            tree[at:blank].decode(),
            os.fsdecode(tree[blank + 1 : end]),
            tree[end + 1 : end + 21].hex(),
        )
        at = end + 21


def blob_hash(content: bytes) -> str:
    """The name that git gives this content."""
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
