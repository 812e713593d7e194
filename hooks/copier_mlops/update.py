"""`copier update`, after which every line that the team wrote is still there."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .answers import read_answers
from .conflicts import find_conflicts
from .errors import UserError
from .findings import Finding
from .git import Objects, git, list_changes, make_git_environment
from .git_place import ANSWERS
from .template import Template, Templates
from .trees import CommitTree, FolderTree

# Settings of a person's git with which Copier's use of it drops edits, and exits with 0.
SAFE = {
    "apply.whitespace": "nowarn",
    "core.attributesFile": os.devnull,
}
REJECT = ".rej"


def update(project: Path, options: list[str], templates: Templates | None = None) -> list[str]:
    """Update a project; returns the files of which lines had to be saved in a reject.

    `options` are those of `copier update`. What Copier dropped is in a patch beside the file, named
    as git names rejects, that makes the team's file of the one the template gave. Raises UserError
    if work is not committed, the project has no template, or Copier does not finish.
    """
    if list_changes(project):
        raise UserError(f"{project} has work that is not committed: commit it, then update again.")
    recorded = read_answers(FolderTree(project))
    template = (templates or Templates()).get(recorded["_src_path"])
    given = read_given(template, recorded)
    mine = read_committed(project) | read_ignored(project, template, recorded)
    run_copier(project, options)
    names = [name for name in sorted(mine) if name != ANSWERS]
    return [
        name for name in names if save_lost_lines(project, name, given.get(name, b""), mine[name])
    ]


def find_unsolved(project: Path) -> list[Finding]:
    """Find conflicts and rejects in the files that an update changed, and rejects git ignores."""
    touched = set(list_changes(project, "-uall"))
    rejects = set(git("ls-files", "-z", "--others", "--", f"*{REJECT}", cwd=project).split("\0"))
    tree = FolderTree(project)
    contents = dict(tree.read_all(touched & set(tree.files)))
    return list(find_conflicts(sorted(touched | rejects), contents))


def read_given(template: Template, recorded: Mapping[str, Any]) -> dict[str, bytes]:
    """Render the files that the template gave the project, at the version it is at."""
    version = template.version(recorded["_commit"])
    render = version.render(recorded, "update")
    with Objects(template.folder) as objects:
        return {
            name: version.content(file.source, render.values, objects)
            for name, file in render.files.items()
        }


def read_committed(project: Path) -> dict[str, bytes]:
    """Read the files of the last commit."""
    with Objects(project) as objects:
        tree = CommitTree(objects, "HEAD")
        return {name: tree.read(name) for name in tree.files}


def read_ignored(
    project: Path, template: Template, recorded: Mapping[str, Any]
) -> dict[str, bytes]:
    """Read files that git does not know and that the newest release would write over."""
    newest = template.version(template.newest or "HEAD").render(recorded, "update").files
    tracked = set(git("ls-files", "-z", cwd=project).split("\0"))
    return {
        name: (project / name).read_bytes()
        for name in newest
        if name not in tracked and (project / name).is_file()
    }


def run_copier(project: Path, options: list[str]) -> None:
    """Run Copier's own command with git as it should be set. Raises UserError if it fails."""
    environment = make_git_environment(SAFE)
    command = [sys.executable, "-m", "copier", "update", *options]
    if subprocess.run(command, cwd=project, env=environment, check=False).returncode:
        raise UserError(
            "Copier did not finish, for the reason above; "
            "git restore . and git clean -fd bring back what was committed."
        )


def save_lost_lines(project: Path, name: str, given: bytes, mine: bytes) -> bool:
    """Put a patch beside a file that lost lines of the team's. Returns whether it had to."""
    path = project / name
    reject = path.with_name(path.name + REJECT)
    kept = read_content(path) + b"\n" + read_content(reject)
    if keeps_lines(kept, given, mine):
        return False
    reject.parent.mkdir(parents=True, exist_ok=True)  # gone, if it held nothing else
    with reject.open("ab") as rejects:
        rejects.write(make_patch(name, given, mine))
    return True


def read_content(path: Path) -> bytes:
    """Read a file as git has it: of a link, where it leads; of nothing, nothing."""
    if path.is_symlink():
        return os.fsencode(path.readlink())
    return path.read_bytes() if path.is_file() else b""


def keeps_lines(kept: bytes, given: bytes, mine: bytes) -> bool:
    """Tell whether each line of `mine` that was not `given` is kept; binary files are one line."""
    if b"\0" in mine:
        return mine in (given, kept[: len(mine)])
    return not (count_lines(mine) - count_lines(given)) - count_lines(kept)


def count_lines(text: bytes) -> Counter[bytes]:
    """Count how often a text has each line, however they end."""
    return Counter(line.removeprefix(b"+").rstrip(b"\r") for line in text.split(b"\n") if line)


def make_patch(name: str, given: bytes, mine: bytes) -> bytes:
    """Make the patch by which `git apply` turns `given` into `mine`, of any file."""
    with TemporaryDirectory() as scratch:
        for side, bytes_ in (("a", given), ("b", mine)):
            path = Path(scratch, side, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes_)
        compare = [
            "git",
            "diff",
            "--no-index",
            "--no-prefix",
            "--no-color",
            "--no-ext-diff",
            "--binary",
        ]
        paths = [f"a/{name}", f"b/{name}"]
        process = subprocess.run(
            [*compare, *paths],
            cwd=scratch,
            env=make_git_environment(),
            capture_output=True,
            check=False,
        )
    return process.stdout
