"""What an update leaves behind for a person to solve."""

import re
from collections.abc import Iterator, Mapping

from .findings import Finding
from .rules import finding
from .trees import Tree

REJECTS = (".rej", ".orig")
CONFLICT = re.compile(rb"^<{7} .*?^={7}\r?$.*?^>{7} ", re.MULTILINE | re.DOTALL)


def leftovers(tree: Tree, changed: Mapping[str, bytes]) -> Iterator[Finding]:
    """`changed` are the contents that are not the template's."""
    for path in tree.files:
        if path.endswith(REJECTS):
            yield finding(
                "update.reject",
                f"{path} holds lines that an update could not place: put them where they belong, "
                "then delete it.",
                path,
            )
    for path, content in changed.items():
        if b"<<<<<<< " in content and (conflict := CONFLICT.search(content)):
            line = content.count(b"\n", 0, conflict.start()) + 1
            yield finding(
                "update.conflict",
                f"{path}:{line} holds an unsolved conflict: keep the right lines, and take out "
                "the three that mark it.",
                path,
                line,
            )
