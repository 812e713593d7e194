"""GitHub's own command `gh`, as this project asks it."""

import subprocess

from .errors import UserError


class MissingError(UserError):
    """GitHub does not have what was asked for: it answers 404."""


def run_gh(*arguments: str) -> str:
    """Return what `gh` prints.

    Raises MissingError for what GitHub does not have, and UserError with what `gh` says if it fails
    otherwise, or is not installed.
    """
    try:
        done = subprocess.run(["gh", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise UserError("There is no command 'gh' here: install GitHub's.") from error
    if done.returncode:
        reason = " ".join(done.stderr.split()) or "it says nothing"
        kind = MissingError if "HTTP 404" in reason else UserError
        raise kind(f"'gh {' '.join(arguments[:2])}' failed: {reason}")
    return done.stdout.strip()
