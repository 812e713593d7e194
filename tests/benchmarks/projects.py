"""Rendered projects to measure in, under the package name `project`."""

import subprocess
import tempfile
from pathlib import Path

from copier import run_copy

ROOT = Path(__file__).resolve().parents[2]


def rendered(answers: dict[str, str]) -> Path:
    """A project set up in a new folder, which is left for a look afterwards."""
    target = Path(tempfile.mkdtemp(prefix="benchmark-")) / "project"
    run_copy(
        str(ROOT),
        target,
        data={"project_name": "Project", "package": "project", **answers},
        defaults=True,
        quiet=True,
        vcs_ref="HEAD",
    )
    subprocess.run(["uv", "run", "project", "setup"], cwd=target, check=True, capture_output=True)
    return target


def finished() -> Path:
    """The default project, whose pipeline has run."""
    project = rendered({})
    subprocess.run(["uv", "run", "dvc", "repro"], cwd=project, check=True, capture_output=True)
    return project


def python(*extras: str) -> list[str]:
    """The project's Python, with packages that only a benchmark needs."""
    return ["uv", "run", *(word for extra in extras for word in ("--with", extra)), "python"]
