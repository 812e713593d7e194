"""What a plain `copier update` did without a word: the files before it against those after."""

from collections.abc import Iterator
from dataclasses import replace

from .answers import read_answers
from .errors import UserError
from .findings import Finding
from .git_place import ANSWERS
from .lost_lines import REJECT, keeps_lines
from .render import Render
from .rules import make_finding
from .template import Template
from .trees import Tree


def find_traces(tree: Tree, template: Template, render: Render) -> Iterator[Finding]:
    """Find the team's lines that went with a file, and removed files that came back.

    `render` is what the answers ask for now. In a folder the last commit is what was before, for a
    commit the one it follows; there it is a warning, since somebody has committed it knowingly.
    Nothing is said where no update was made between the two.
    """
    with tree.open_before() as (before, name):
        if before is None or before.files.get(ANSWERS) == tree.files.get(ANSWERS):
            return
        severity = "error" if name == "HEAD" else "warning"
        for finding in compare(before, tree, template, render, name):
            yield replace(finding, severity=severity)


def compare(
    before: Tree, after: Tree, template: Template, render: Render, name: str
) -> Iterator[Finding]:
    """Compare two sides of an update; `name` is the commit of the first."""
    try:
        recorded = read_answers(before)
        version = template.version(recorded["_commit"])
        old = version.render(recorded)
    except UserError:  # no answers, or none that can be rendered: other rules say so
        return
    for path, given in old.files.items():
        entry, owner = before.files.get(path), template.owner(version, path)
        if owner == "seeded":
            if entry is None and path in after.files:
                yield make_finding(
                    "update.returned",
                    f"{path} had been removed, and the update made it anew: remove it again with "
                    f"git rm -f --ignore-unmatch {path} && rm -f {path}; copier-mlops update "
                    "leaves it out.",
                    path,
                )
            continue
        untouched = entry is None or entry.blob == given.blob or path == ANSWERS
        if untouched or f"{path}{REJECT}" in after.files:
            continue
        if path not in after.files and path not in render.files:
            yield make_finding(
                "update.lost",
                f"{path} went with the update, and with it lines of the team's: git restore "
                f"--source={name} {path} brings it back; move what is still needed to a file of "
                "yours.",
            )
        elif name == "HEAD" and is_overwritten(path, before, after, render):
            yield make_finding(
                "update.lost",
                f"{path} is as the template has it, and lines of the team's are gone: git diff "
                f"{name} {path} shows them; undo with git restore --source={name} {path}, or "
                "update anew with copier-mlops update.",
                path,
            )


def is_overwritten(path: str, before: Tree, after: Tree, render: Render) -> bool:
    """Tell whether a file is just what the template gives now, without what the team had there."""
    entry, expected = after.files.get(path), render.files.get(path)
    if entry is None or expected is None or entry.blob != expected.blob:
        return False
    return not keeps_lines(after.read(path), after.read(path), before.read(path))
