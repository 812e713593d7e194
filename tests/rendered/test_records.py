"""A deletion reaches the next training."""

import json
from pathlib import Path

import pytest

from support import Render, git, run

pytestmark = pytest.mark.slow


def count_united(project: Path) -> int:
    """Count the rows of one airline that are learned from or tested on."""
    count = (
        "import polars as pl; "
        "print(pl.scan_parquet('data/split/*.parquet').filter(carrier='UA').collect().height)"
    )
    return int(run("uv", "run", "python", "-c", count, cwd=project).stdout)


def test_a_deletion_reaches_the_next_training(set_up: Render) -> None:
    project = set_up({})
    run("uv", "run", "dvc", "repro", "split", cwd=project)
    before = json.loads((project / "reports/split.json").read_text())["rows"]
    labelled = count_united(project)
    output = run(
        *("uv", "run", "flights", "data", "delete", "--where", "carrier = 'UA'"), cwd=project
    ).stdout
    run("uv", "run", "dvc", "repro", "split", cwd=project)
    after = json.loads((project / "reports/split.json").read_text())["rows"]
    deleted = int(output.partition(": ")[2].partition(" deleted")[0].replace(",", ""))
    assert deleted > labelled > 1000, "a cancelled flight has no label, and is deleted too"
    assert sum(before.values()) - sum(after.values()) == labelled
    assert count_united(project) == 0
    staged = git(project, "diff", "--cached", "--name-only").split()
    assert {"data/log.jsonl", "data/raw/0002-deleted.retired.parquet.dvc"} <= set(staged)
    run("uv", "run", "flights", "data", "restore", "1", cwd=project)
    run("uv", "run", "dvc", "repro", "split", cwd=project)
    assert json.loads((project / "reports/split.json").read_text())["rows"] == before
    git(project, "reset", "--hard", "--quiet")
    git(project, "clean", "-fdqx", "data/raw")
