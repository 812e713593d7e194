"""What an update leaves behind for a person to solve."""

import re
from collections.abc import Iterable, Iterator, Mapping

from .findings import Finding
from .rules import finding

REJECTS = (".rej", ".orig")
CONFLICT = re.compile(rb"^<{7} .*?^={7}\r?$.*?^>{7} ", re.MULTILINE | re.DOTALL)


def find_conflicts(paths: Iterable[str], changed: Mapping[str, bytes]) -> Iterator[Finding]:
    """Yield the rejects among the paths, and the conflicts in the contents of changed files."""
    for path in paths:
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
