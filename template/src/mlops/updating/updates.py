"""The newest version of the template, brought in, and what a person has to look at after that."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from ..core.errors import UserError
from ..core.formatting import count
from ..core.git_command import git
from ..core.paths import replacing
from ..core.strict_model import read_yaml

ANSWERS = ".copier-answers.yml"
MARKERS = (b"\n<<<<<<< before updating", b"\n>>>>>>> after updating")
NEXT = ("uv run pytest", "uv run dvc repro", "git commit --all")
Outcome = Literal["current", "unreachable", "updated", "conflicts"]


class News(NamedTuple):
    """What became of it; `todo` is what to solve first, a line each, and `address` the template."""

    outcome: Outcome
    title: str
    todo: list[str]
    address: str

    @property
    def text(self) -> str:
        """Of the pull request, in Markdown; the first line is its title."""
        lines = [f"From {self.address}; its changelog says what is left to do by hand."]
        if self.todo:
            lines += ["", "**Not to be merged as it is, and not tried yet.** Solve first:", ""]
            lines += [f"- {line}" for line in self.todo]
        lines += ["", "Then, on this branch:", "", "```", *NEXT, "```"]
        return "\n".join([self.title, "", *lines, ""])


def update(text: Path | None = None, output: Path | None = None) -> list[str]:
    """Bring the newest version in; the lines to print.

    `text` gets that of the pull request, if something has changed, and `output` the outcome, as
    GitHub reads it. Raises UserError if it cannot be brought in or, unless `output` tells of them,
    if there are conflicts.
    """
    news = brought_in()
    changed = news.outcome in ("updated", "conflicts")
    if text and changed:
        with replacing(text) as scratch:
            scratch.write_text(news.text, encoding="utf-8")
    if output:
        with output.open("a", encoding="utf-8") as stream:
            stream.write(f"outcome={news.outcome}\n")
    elif news.todo:
        raise UserError(f"{news.title}. {'; '.join(news.todo)}.")
    return [news.title, *news.todo, *(NEXT if changed else ())]


def brought_in() -> News:
    """Raises UserError if there is no template, or as Copier refuses."""
    answers = read_yaml(ANSWERS)
    address, before = str(answers["_src_path"]), str(answers["_commit"])
    if here_alone(address) and not Path(address).expanduser().exists():
        title = f"The template is at {address}, where only the machine that copied it has one"
        return News("unreachable", f"{title}: name a server's address in {ANSWERS}", [], address)
    if not json.loads(copier("check-update", "--output-format", "json"))["update_available"]:
        return News("current", f"{before} is the newest version of the template", [], address)
    copier("update", "--defaults", "--quiet")
    title = f"Update the template from {before} to {read_yaml(ANSWERS)['_commit']}"
    todo = left_over()
    if not todo:
        return News("updated", title, [], address)
    return News("conflicts", f"{title}: conflicts in {count(len(todo), 'file')}", todo, address)


def here_alone(address: str) -> bool:
    """Whether it is a path, and no address of a server."""
    return "://" not in address and not address.startswith(("gh:", "gl:", "git@", "git+"))


def copier(*command: str) -> str:
    """What Copier prints. No setting of Git may have it drop lines for the blanks at their end.

    Raises UserError with the last line of what it says if it fails, and if it is not there.
    """
    number = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
    calm = {
        "GIT_CONFIG_COUNT": str(number + 1),
        f"GIT_CONFIG_KEY_{number}": "apply.whitespace",
        f"GIT_CONFIG_VALUE_{number}": "nowarn",
    }
    if find_spec("copier") is None:
        with_it = "uv run --group template mlops project update"
        raise UserError(f"Copier is not installed here: use '{with_it}', or 'uvx copier update'.")
    whole = [sys.executable, "-m", "copier", *command]
    done = subprocess.run(whole, capture_output=True, text=True, env=os.environ | calm, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["it failed"]
        raise UserError(f"the template could not be brought in: {said[-1].strip()}")
    return done.stdout


def left_over() -> list[str]:
    """What an update has left to people, a line for each file; that of an earlier one, too."""
    listed = ("ls-files", "-z", "--cached", "--others")
    names = sorted(set(git(*listed, "--exclude-standard").split("\0")))
    marked = [name for name in names if Path(name).is_file() and has_markers(Path(name))]
    rejected = sorted(filter(None, git(*listed, "--", "*.rej").split("\0")))
    return [f"`{name}`: both sides changed the same lines; choose" for name in marked] + [
        f"`{name}`: a piece that fits nowhere; put it in place and delete this file"
        for name in rejected
    ]


def has_markers(path: Path) -> bool:
    content = b"\n" + path.read_bytes()
    return all(marker in content for marker in MARKERS)
