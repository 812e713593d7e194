"""What a workflow proposes after an update: the text of a pull request, and the outcome."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from .errors import UserError
from .git import make_git_environment

NEXT_STEPS = ("uv run pytest", "uv run dvc repro", "git commit --all")
Outcome = Literal["current", "updated", "conflicts"]


class Proposal(NamedTuple):
    """An update as its pull request presents it.

    `address` is the template's; `before` and `after` are the versions; `unsolved` has a sentence
    for each file that a person has to look at before anybody merges it.
    """

    address: str
    before: str
    after: str
    unsolved: list[str]

    @property
    def outcome(self) -> Outcome:
        return "conflicts" if self.unsolved else "updated"

    @property
    def title(self) -> str:
        title = f"Update the template from {self.before} to {self.after}"
        if not self.unsolved:
            return title
        files = f"{len(self.unsolved)} file{'s' if len(self.unsolved) > 1 else ''}"
        return f"{title}: conflicts in {files}"

    @property
    def text(self) -> str:
        """Markdown whose first line is the title."""
        lines = [f"From {self.address}; its changelog says what is left to do by hand."]
        if self.unsolved:
            lines += ["", "**Not to be merged as it is, and not tried yet.** Solve first:", ""]
            lines += [f"- {sentence}" for sentence in self.unsolved]
        lines += ["", "Then, on this branch:", "", "```", *NEXT_STEPS, "```"]
        return "\n".join([self.title, "", *lines, ""])


def make_proposal(
    before: Mapping[str, Any], after: Mapping[str, Any], unsolved: list[str]
) -> Proposal:
    """Describe an update by the answers recorded before and after it."""
    return Proposal(
        str(after["_src_path"]), str(before["_commit"]), str(after["_commit"]), unsolved
    )


def has_newer_version(project: Path) -> bool:
    """Ask Copier whether the template has a newer version than the project.

    Raises UserError with the last line of what Copier says if it cannot tell.
    """
    command = [sys.executable, "-m", "copier", "check-update", "--output-format", "json"]
    done = subprocess.run(
        command,
        cwd=project,
        env=make_git_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["it failed"]
        raise UserError(f"Copier cannot look for a newer version: {reason[-1].strip()}")
    return bool(json.loads(done.stdout)["update_available"])


def add_outcome(output: Path, outcome: Outcome) -> None:
    """Append the outcome to a file as a step of a GitHub workflow tells it."""
    with output.open("a", encoding="utf-8") as stream:
        stream.write(f"outcome={outcome}\n")
