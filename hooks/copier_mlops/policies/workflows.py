"""Workflows of the code host."""

import re

from ..repository_view import RepositoryView

FILES = re.compile(r"\.github/(workflows/[^/]+|actions/(.+/)?action)\.ya?ml")
USES = re.compile(r"^\s*(?:-\s+)?uses:\s*[\"']?([^\"'#\s]+)")
PINNED = re.compile(r"[.$]/.*|docker://.+@sha256:[0-9a-f]{64}|.+@[0-9a-f]{40}")


class Unpinned:
    """Actions are pinned by commit SHA: a tag can be moved to other code."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView) -> str:
        return "\n".join(
            f"{path}:{number}: {used[1]} can change under your feet: pin it by the SHA of "
            "a commit, with its version in a comment."
            for path, content in repository.changed.items()
            if FILES.fullmatch(path)
            for number, line in enumerate(content.decode(errors="replace").splitlines(), start=1)
            if (used := USES.match(line)) and not PINNED.fullmatch(used[1])
        )
