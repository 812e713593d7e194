"""Git, as this project asks it."""

import subprocess

from .errors import UserError


def git(*arguments: str) -> str:
    """Run git here. Raises UserError with git's own words."""
    try:
        run = subprocess.run(
            ["git", *arguments], capture_output=True, encoding="utf-8", errors="replace", check=True
        )
    except FileNotFoundError as error:
        raise UserError("git is not installed: install it and run this again.") from error
    except subprocess.CalledProcessError as error:
        message = " ".join((error.stderr or error.stdout).split())
        raise UserError(f"'git {' '.join(arguments)}' failed: {message}") from error
    return run.stdout.strip()
