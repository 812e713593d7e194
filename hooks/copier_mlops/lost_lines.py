"""Lines of the team's that an update has dropped, and the patch that brings them back."""

import os
import subprocess
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from .git import make_git_environment

REJECT = ".rej"


def save_lost_lines(project: Path, name: str, given: bytes, mine: bytes) -> bool:
    """Put a patch beside a file that lost lines of the team's. Returns whether it had to."""
    path = project / name
    reject = path.with_name(path.name + REJECT)
    kept = read_content(path) + b"\n" + read_content(reject)
    if keeps_lines(kept, given, mine):
        return False
    reject.parent.mkdir(parents=True, exist_ok=True)  # gone, if it held nothing else
    with reject.open("ab") as rejects:
        rejects.write(make_patch(name, given, mine))
    return True


def read_content(path: Path) -> bytes:
    """Read a file as git has it: of a link, where it leads; of nothing, nothing."""
    if path.is_symlink():
        return os.fsencode(path.readlink())
    return path.read_bytes() if path.is_file() else b""


def keeps_lines(kept: bytes, given: bytes, mine: bytes) -> bool:
    """Tell whether each line of `mine` that was not `given` is kept; binary files are one line."""
    if b"\0" in mine:
        return mine in (given, kept[: len(mine)])
    return not (count_lines(mine) - count_lines(given)) - count_lines(kept)


def count_lines(text: bytes) -> Counter[bytes]:
    """Count how often a text has each line, however they end."""
    return Counter(line.removeprefix(b"+").rstrip(b"\r") for line in text.split(b"\n") if line)


def make_patch(name: str, given: bytes, mine: bytes) -> bytes:
    """Make the patch by which `git apply` turns `given` into `mine`, of any file."""
    with TemporaryDirectory() as scratch:
        for side, bytes_ in (("a", given), ("b", mine)):
            path = Path(scratch, side, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes_)
        compare = [
            "git",
            "diff",
            "--no-index",
            "--no-prefix",
            "--no-color",
            "--no-ext-diff",
            "--binary",
        ]
        paths = [f"a/{name}", f"b/{name}"]
        process = subprocess.run(
            [*compare, *paths],
            cwd=scratch,
            env=make_git_environment(),
            capture_output=True,
            check=False,
        )
    return process.stdout
