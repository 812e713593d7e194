"""`copier update`, after which every line that the team wrote is still there."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .answers import read_answers
from .conflicts import find_conflicts
from .errors import UserError
from .findings import Finding
from .git import Objects, git, list_changes, make_git_environment
from .git_place import ANSWERS
from .lost_lines import REJECT, save_lost_lines
from .package_move import move_package, remove_empty_folders, rename
from .template import Template, Templates
from .trees import CommitTree, FolderTree
from .unfinished_update import UNDO, mark_until_finished, require_finished

# Settings of a person's git with which Copier's use of it drops edits, and exits with 0.
SAFE = {
    "apply.whitespace": "nowarn",
    "core.attributesFile": os.devnull,
    "status.showUntrackedFiles": "normal",
}


@dataclass(frozen=True)
class Updated:
    """What an update did besides what Copier does, by path.

    `saved` are files of which lines had to be saved in a reject, `removed` seeded files that the
    team had removed and Copier made anew, `moved` the team's files in their package's new folder.
    """

    saved: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)


def update(project: Path, options: list[str], templates: Templates | None = None) -> Updated:
    """Update a project, so that each line and each choice of the team's is kept.

    `options` are those of `copier update`. What Copier dropped is in a patch beside the file, named
    as git names rejects, that makes the team's file of the one the template gave. Raises UserError
    if work is not committed, the project has no template, or Copier does not finish.
    """
    require_finished(project)
    if list_changes(project):
        raise UserError(f"{project} has work that is not committed: commit it, then update again.")
    recorded = read_answers(FolderTree(project))
    template = (templates or Templates()).get(recorded["_src_path"])
    given = read_given(template, recorded)
    mine = read_committed(project) | read_ignored(project, template, recorded)
    missing = list(list_removed_seeds(project, template, recorded))
    with mark_until_finished(project):
        run_copier(project, options)
        names = [name for name in sorted(mine) if name != ANSWERS]
        saved = [
            name
            for name in names
            if save_lost_lines(project, name, given.get(name, b""), mine[name])
        ]
        before = str(recorded.get("package", ""))
        after = str(read_answers(FolderTree(project)).get("package", ""))
        removed = remove_again(project, [rename(path, before, after) for path in missing])
        return Updated(saved, removed, move_package(project, before, after))


def list_removed_seeds(
    project: Path, template: Template, recorded: Mapping[str, Any]
) -> Iterator[str]:
    """List the seeded files that came with the project and that the team has removed."""
    version = template.version(recorded["_commit"])
    for name in version.render(recorded).files:
        if template.owner(version, name) == "seeded" and not (project / name).exists():
            yield name


def remove_again(project: Path, names: list[str]) -> list[str]:
    """Remove files that an update made anew; returns those that were there."""
    there = [name for name in names if (project / name).is_file()]
    for name in there:
        (project / name).unlink()
        remove_empty_folders(project, name)
    return there


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
        raise UserError(f"Copier did not finish, for the reason above; {UNDO}.")
