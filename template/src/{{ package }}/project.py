"""Set a freshly rendered project up: version control, hooks, the first commit."""

import subprocess
import sys
from pathlib import Path

from .errors import UserError


def git(*arguments: str) -> str:
    """Run git here. Raises UserError with git's own words."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise UserError("git is not installed: install it and run this again.") from error
    except subprocess.CalledProcessError as error:
        words = " ".join((error.stderr or error.stdout).split())
        raise UserError(f"'git {' '.join(arguments)}' failed: {words}") from error
    return done.stdout.strip()


def setup() -> list[str]:
    """Make the folder a git repository with hooks and a first commit; what is done is left alone.

    Returns what was done, a line each.
    """
    done = []
    if not Path(".git").exists():
        git("init", "--quiet", "--initial-branch", "main")
        done.append("made a git repository")
    if not Path(".git/hooks/pre-commit").exists():
        install = [sys.executable, "-m", "pre_commit", "install"]
        subprocess.run(install, capture_output=True, check=True)
        done.append("installed the pre-commit hooks")
    if not git("rev-list", "--all", "--max-count=1"):
        git("add", "--all")
        git("commit", "--quiet", "--no-verify", "--message", "Start from the template")
        done.append("made the first commit, uv.lock included")
    return done or ["nothing to do: the project is already set up"]
