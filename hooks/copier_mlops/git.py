"""Git repositories read through one `git cat-file` each, bare or not. Nothing is written."""

import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self, cast

from .errors import UserError, fold_lines
from .git_place import find_git_place
from .git_trees import ALL_TREES, TreeCache, TreeItem, parse_tree

# Git sets these for its hooks; they would lead every other repository astray.
LOCAL = ("DIR", "WORK_TREE", "INDEX_FILE", "OBJECT_DIRECTORY", "COMMON_DIR", "PREFIX", "NAMESPACE")
AT_ONCE = 500  # names sent before an answer is read: far less than a pipe holds
NO_GIT = "git is not installed: install it and run this again."
SHA1 = 40  # letters of a hash

LINK = "120000"
REGULAR = "100644"
EXECUTABLE = "100755"
FOLDER = "40000"
SUBMODULE = "160000"

# Of git alone: a Python started so cannot read a path with an umlaut.
ENGLISH = {"LC_ALL": "C"}


def make_git_environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Make the environment of git commands that neither ask nor follow a hook's repository.

    `settings` of git hold besides those that the environment of this process names.
    """
    left_out = {f"GIT_{name}" for name in LOCAL}
    environment = {name: text for name, text in os.environ.items() if name not in left_out}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    if settings:
        start = int(environment.get("GIT_CONFIG_COUNT", 0))
        for number, (name, text) in enumerate(settings.items(), start):
            environment[f"GIT_CONFIG_KEY_{number}"] = name
            environment[f"GIT_CONFIG_VALUE_{number}"] = text
        environment["GIT_CONFIG_COUNT"] = str(start + len(settings))
    return environment


def git(
    *arguments: str | Path, cwd: Path, text: str | None = None, index: Path | None = None
) -> str:
    """Run a git command and return what it prints. Raises UserError with git's own words.

    `text` is its standard input, `index` a file to use in place of the repository's own index.
    """
    environment = make_git_environment() | ENGLISH
    if index:
        environment["GIT_INDEX_FILE"] = str(index)
    try:
        process = subprocess.run(
            ["git", *map(str, arguments)],
            cwd=cwd,
            env=environment,
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=True,
        )
    except FileNotFoundError as error:
        raise UserError(NO_GIT) from error
    except subprocess.CalledProcessError as error:
        raise UserError(f"git {arguments[0]} failed: {explain_failure(error.stderr)}") from error
    return process.stdout


def list_changes(folder: Path, *options: str) -> dict[str, str]:
    """List what is not committed in a folder: paths from there, and two letters for each.

    `options` are those of `git status`.
    """
    inside = git("rev-parse", "--show-prefix", cwd=folder).removesuffix("\n")
    shown = options or ("--untracked-files=normal",)  # whatever git is set to
    command = ("status", "--porcelain", "-z", "--no-renames", *shown, "--", ".")
    lines = filter(None, git(*command, cwd=folder).split("\0"))
    return {line[3:].removeprefix(inside): line[:2] for line in lines}


def explain_failure(stderr: str) -> str:
    """Put what git said on one line."""
    return fold_lines(stderr).removeprefix("fatal: ").rstrip(".") or "it gave no reason"


@dataclass(frozen=True)
class Entry:
    """A file of a commit: its mode as git writes it, and the hash of its content."""

    mode: str
    blob: str


class Objects:
    """The objects of one repository, for as long as the `with` block lasts.

    Raises UserError if `repository` is no git repository, or git cannot read it.
    """

    def __init__(self, repository: Path, trees: TreeCache = ALL_TREES) -> None:
        self._trees = trees
        self.repository = repository
        self.place = find_git_place(repository)

    def __enter__(self) -> Self:
        try:
            self._process = subprocess.Popen(
                ["git", f"--git-dir={self.place.git_folder}", "cat-file", "--batch-command"],
                env=make_git_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except FileNotFoundError as error:
            raise UserError(NO_GIT) from error
        self._requests = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def read_all(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Read hash and content of each object, in order. Raises UserError if one is missing."""
        for name, size in self._headers("contents", list(names)):
            yield name, self._answers.read(size + 1)[:-1]

    def sizes(self, names: Iterable[str]) -> Iterator[int]:
        """Read how many bytes each object has, in order. Raises UserError if one is missing."""
        return (size for _, size in self._headers("info", list(names)))

    def read(self, name: str) -> tuple[str, bytes]:
        """Read hash and content of an object. Raises UserError if it is missing."""
        return next(self.read_all([name]))

    def list_folder(self, revision: str, folder: str) -> dict[str, str]:
        """List the files right in a folder of a commit by their names, with their hashes.

        `folder` begins at the root of the repository. One that is not there has none.
        """
        self._ask("contents", [f"{revision}:{folder}"])
        header = self._header()
        if header is None:
            return {}
        content = self._answers.read(header[1] + 1)[:-1]
        return {
            name: blob for mode, name, blob in parse_tree(content) if mode in (REGULAR, EXECUTABLE)
        }

    def files(self, revision: str) -> dict[str, Entry]:
        """List every file of a commit by its path, of a folder only those in it.

        Submodules are left out. Raises UserError if there is no such commit, or an object of it is
        missing.
        """
        folder = self.place.folder
        self._ask("contents", [f"{revision}:{folder}" if folder else f"{revision}^{{tree}}"])
        header = self._header()
        if header is None:
            at = "has no commit yet" if revision == "HEAD" else f"has no commit {revision}"
            raise UserError(f"{self.repository} {at}: there is nothing to check.")
        root, content = header[0], self._answers.read(header[1] + 1)[:-1]
        if len(root) != SHA1:
            raise UserError(f"{self.repository} names objects by SHA-256, which is not read here.")
        self._trees.add(root, parse_tree(content))
        files: dict[str, Entry] = {}
        level = [("", root)]
        while level:
            trees = self._read_trees({tree for _, tree in level})
            below = []
            for folder, tree in level:
                for mode, name, target in trees[tree]:
                    if mode == FOLDER:
                        below.append((f"{folder}{name}/", target))
                    elif mode != SUBMODULE:
                        files[folder + name] = Entry(mode, target)
            level = below
        return files

    def _read_trees(self, names: set[str]) -> dict[str, list[TreeItem]]:
        """Read what trees hold, by their hashes. The cache may drop any of them meanwhile."""
        trees = {name: items for name in names if (items := self._trees.get(name)) is not None}
        for name, content in self.read_all(names - trees.keys()):
            trees[name] = parse_tree(content)
            self._trees.add(name, trees[name])
        return trees

    def _ask(self, command: str, names: list[str]) -> None:
        try:
            self._requests.write("".join(f"{command} {name}\n" for name in names).encode())
            self._requests.flush()
        except BrokenPipeError as error:
            raise self._died() from error

    def _headers(self, command: str, names: list[str]) -> Iterator[tuple[str, int]]:
        """Ask for a batch at a time: a pipe that is full both ways would stand still."""
        for start in range(0, len(names), AT_ONCE):
            batch = names[start : start + AT_ONCE]
            self._ask(command, batch)
            for name in batch:
                header = self._header()
                if header is None:
                    raise UserError(
                        f"{self.repository} is damaged: git misses object {name}; "
                        "run git fsck there, or clone it again."
                    )
                yield header

    def _header(self) -> tuple[str, int] | None:
        """Read hash and size of the next object; None: there is none of that name."""
        header = self._answers.readline().split()
        if not header:
            raise self._died()
        if len(header) != 3 or not header[2].isdigit():
            return None
        return header[0].decode(), int(header[2])

    def _died(self) -> UserError:
        _, stderr = self._process.communicate()
        return UserError(
            f"{self.repository} cannot be read: {explain_failure(stderr.decode(errors='replace'))}."
        )


def hash_blob(content: bytes) -> str:
    """Compute the name that git gives this content."""
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
