"""Rendered projects to measure in, under the package name `project`."""

import subprocess
import tempfile
from pathlib import Path

from copier import run_copy

ROOT = Path(__file__).resolve().parents[2]
FIT = """
import sys
import joblib
import polars as pl
from mlops.core.paths import CHOICE, TRAIN, VALID, read_json
from mlops.data.contract import Contract
from mlops.model.trial_runner import Plan, fit_plan
from mlops.model.candidate import find_candidates
from mlops.model.inputs import encode_truth, list_inputs, select_inputs

contract, choice = Contract.load(), read_json(CHOICE)
rows = pl.concat([pl.read_parquet(TRAIN), pl.read_parquet(VALID)])
[candidate], entries = find_candidates([choice["candidate"]]), list_inputs(contract)
plan = Plan(candidate, choice["parameters"], choice["keep"])
values, truth = select_inputs(rows, entries), encode_truth(rows, contract)
pipeline = fit_plan(plan, values, truth, contract)
joblib.dump((pipeline, [vars(entry) for entry in entries]), sys.argv[1])
"""


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


def pipeline(project: Path, file: Path) -> None:
    """Write the champion as it was before it became an ONNX file, and its inputs."""
    python = str(project / ".venv/bin/python")
    script = FIT
    subprocess.run([python, "-c", script, str(file)], cwd=project, check=True)


def python(*extras: str) -> list[str]:
    """The project's Python, with packages that only a benchmark needs."""
    return ["uv", "run", *(word for extra in extras for word in ("--with", extra)), "python"]
