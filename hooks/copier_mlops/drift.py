"""The platform's files against what the recorded version renders."""

from collections.abc import Callable, Iterator, Mapping

from .findings import Finding
from .git import EXECUTABLE, Entry
from .render import ANSWERS, Render, Rendered
from .rules import finding
from .trees import Tree

Owner = Callable[[str], str | None]
ALWAYS = ("problem.yaml", "params.yaml")


def drift(render: Render, tree: Tree, owner: Owner, version: str) -> Iterator[Finding]:
    """Managed files that are missing or differ, and shared ones that are gone."""
    for path, expected in render.files.items():
        entry = tree.files.get(path)
        if entry is not None and same(entry, expected):
            continue
        whose = owner(path)
        if whose == "managed":
            yield managed(path, entry, expected, tree.committed, version)
        elif whose == "shared" and entry is None:
            yield finding(
                "shared.missing",
                f"{path} is gone, so no update can bring the platform's news to it: "
                f"restore it with copier-mlops restore {path}.",
                path,
            )


def managed(
    path: str,
    entry: Entry | None,
    expected: Rendered,
    committed: Mapping[str, Entry],
    version: str,
) -> Finding:
    back = f"put it back with copier-mlops restore {path}"
    if path == ANSWERS:
        back = "take the edit back, and change answers with copier update --data NAME=VALUE"
    if entry is None:
        return finding("managed.missing", f"{path} is gone: {back}.", path)
    if path in committed and same(committed[path], expected):
        return finding(
            "managed.edited",
            f"{path} is being edited, but it is the platform's: take it back with "
            f"git restore {path}, and propose the change to the template.",
            path,
        )
    if entry.blob == expected.blob:
        mode = "is" if entry.mode == EXECUTABLE else "is not"
        return finding(
            "managed.changed", f"{path} {mode} executable, against {version}: {back}.", path
        )
    return finding("managed.changed", f"{path} is not as {version} renders it: {back}.", path)


def same(entry: Entry, expected: Rendered) -> bool:
    return entry.blob == expected.blob and entry.mode == expected.mode


def required(tree: Tree) -> Iterator[Finding]:
    """The team's files that nothing works without."""
    has_data = any(path.startswith("data/raw/") for path in tree.files)
    for path in (*ALWAYS, "contract.yaml") if has_data else ALWAYS:
        if path not in tree.files:
            yield finding(
                "required.missing",
                f"{path} is missing, and the pipeline reads it: restore it from the history.",
                path,
            )
