"""What an update leaves behind for a person to solve."""

import re
from collections.abc import Iterable, Iterator, Mapping

from .findings import Finding
from .rules import make_finding

REJECTS = (".rej", ".orig")
CONFLICT = re.compile(rb"^<{7} .*?^={7}\r?$.*?^>{7} ", re.MULTILINE | re.DOTALL)


def find_conflicts(paths: Iterable[str], changed: Mapping[str, bytes]) -> Iterator[Finding]:
    """Find what an update left for a person: rejects among the paths, conflicts in changed files.

    `changed` are the contents, by path, that are not the template's.
    """
    for path in paths:
        if path.endswith(REJECTS):
            yield make_finding(
                "update.reject",
                f"{path} holds lines that an update could not place: put them where they belong, "
                "then delete it.",
                path,
            )
    for path, content in changed.items():
        if b"<<<<<<< " in content and (conflict := CONFLICT.search(content)):
            line = content.count(b"\n", 0, conflict.start()) + 1
            yield make_finding(
                "update.conflict",
                f"{path}:{line} holds an unsolved conflict: keep the right lines, and take out "
                "the three that mark it.",
                path,
                line,
            )
