"""The platform's files against what the recorded version renders."""

from collections.abc import Callable, Iterator, Mapping

from .findings import Finding
from .git import EXECUTABLE, Entry
from .git_place import ANSWERS
from .render import Render, Rendered
from .rules import make_finding
from .trees import Tree

Owner = Callable[[str], str | None]
ALWAYS = ("problem.yaml", "params.yaml")


def find_drift(render: Render, tree: Tree, owner: Owner, version: str) -> Iterator[Finding]:
    """Find managed files that are missing or differ, and shared ones that are gone."""
    for path, expected in render.files.items():
        entry = tree.files.get(path)
        if entry is not None and is_same(entry, expected):
            continue
        whose = owner(path)
        if whose == "managed":
            yield describe_managed(path, entry, expected, tree.committed, version)
        elif whose == "shared" and entry is None:
            yield make_finding(
                "shared.missing",
                f"{path} is gone, so no update can bring the platform's news to it: "
                f"restore it with copier-mlops restore {path}.",
                path,
            )


def describe_managed(
    path: str,
    entry: Entry | None,
    expected: Rendered,
    committed: Mapping[str, Entry],
    version: str,
) -> Finding:
    """Say what is wrong with a managed file, and how it is put back.

    `entry` is the file as it is, None if it is missing; `committed` are the files of the last
    commit, by which an edit that is not committed yet is told from an older one.
    """
    back = f"put it back with copier-mlops restore {path}"
    if path == ANSWERS:
        back = "take the edit back, and change answers with copier update --data NAME=VALUE"
    if entry is None:
        return make_finding("managed.missing", f"{path} is gone: {back}.", path)
    if path in committed and is_same(committed[path], expected):
        return make_finding(
            "managed.edited",
            f"{path} is being edited, but it is the platform's: take it back with "
            f"git restore {path}, and propose the change to the template.",
            path,
        )
    if entry.blob == expected.blob:
        mode = "is" if entry.mode == EXECUTABLE else "is not"
        return make_finding(
            "managed.changed", f"{path} {mode} executable, against {version}: {back}.", path
        )
    return make_finding("managed.changed", f"{path} is not as {version} renders it: {back}.", path)


def is_same(entry: Entry, expected: Rendered) -> bool:
    """Compare content and mode."""
    return entry.blob == expected.blob and entry.mode == expected.mode


def find_missing(tree: Tree) -> Iterator[Finding]:
    """Find the team's files that are missing and that nothing works without."""
    has_data = any(path.startswith("data/raw/") for path in tree.files)
    for path in (*ALWAYS, "contract.yaml") if has_data else ALWAYS:
        if path not in tree.files:
            yield make_finding(
                "required.missing",
                f"{path} is missing, and the pipeline reads it: restore it from the history.",
                path,
            )
