"""A deletion reaches the next training."""

import json

import pytest

from support import Render, git, run

pytestmark = pytest.mark.slow


def test_a_deletion_reaches_the_next_training(set_up: Render) -> None:
    project = set_up({})
    run("uv", "run", "dvc", "repro", "split", cwd=project)
    before = json.loads((project / "reports/split.json").read_text())["rows"]
    output = run(
        *("uv", "run", "flights", "data", "delete", "--where", "carrier = 'UA'"), cwd=project
    ).stdout
    run("uv", "run", "dvc", "repro", "split", cwd=project)
    after = json.loads((project / "reports/split.json").read_text())["rows"]
    deleted = int(output.partition(": ")[2].partition(" deleted")[0].replace(",", ""))
    assert deleted > 1000
    assert sum(before.values()) - sum(after.values()) == deleted
    count = (
        "import polars as pl; "
        "print(pl.scan_parquet('data/split/*.parquet').filter(carrier='UA').collect().height)"
    )
    assert run("uv", "run", "python", "-c", count, cwd=project).stdout.strip() == "0"
    staged = git(project, "diff", "--cached", "--name-only").split()
    assert {"data/log.jsonl", "data/raw/0002-deleted.retired.parquet.dvc"} <= set(staged)
    run("uv", "run", "flights", "data", "restore", "1", cwd=project)
    run("uv", "run", "dvc", "repro", "split", cwd=project)
    assert json.loads((project / "reports/split.json").read_text())["rows"] == before
    git(project, "reset", "--hard", "--quiet")
    git(project, "clean", "-fdqx", "data/raw")
