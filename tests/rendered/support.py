"""What the tests share: commands, git, and the files of a project."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VERSION = "v0.1.0"

Answers = dict[str, Any]
Render = Callable[..., Path]


def run(*command: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command without standard input; a failure shows what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert not check or done.returncode == 0, f"{command} exited {done.returncode}:\n{done.stdout}"
    return done


def git(repository: Path, *arguments: str) -> str:
    return run("git", *arguments, cwd=repository).stdout


def commit(repository: Path, message: str = "Change", tag: str | None = None) -> Path:
    """Commit everything in `repository`, made into one if need be."""
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", message)
    if tag:
        git(repository, "tag", tag)
    return repository


def files(project: Path) -> dict[str, bytes]:
    """All files of a rendered project, by their path with slashes; what was installed is none."""
    paths = []
    for folder, below, names in os.walk(project):
        below[:] = [name for name in below if name not in {".git", ".venv"}]
        paths += [Path(folder, name) for name in names if name != ".git"]
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in sorted(paths)
        if path.is_file()
    }
