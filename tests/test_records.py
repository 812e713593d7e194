"""Records in real conditions: a database server, kills, deletions that reach the next training."""

import json
from pathlib import Path

import pytest
from conftest import Render, git, run
from servers import have_postgresql

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "tests",
    [
        "test_postgres.py",
        "test_killed.py",
        pytest.param("test_thousand.py", marks=pytest.mark.deep),
    ],
)
def test_in_a_project(set_up: Render, tests: str) -> None:
    """With the code of a rendered project, and its installed packages."""
    if tests == "test_postgres.py":
        have_postgresql()
    file = Path(__file__).parent / "in_project" / tests
    done = run(
        *("uv", "run", "pytest", "-q", "-rs", "--noconftest", "-c", "pyproject.toml", file),
        cwd=set_up({}),
    )
    assert "skipped" not in done.stdout, done.stdout


def test_a_deletion_reaches_the_next_training(set_up: Render) -> None:
    project = set_up({})
    run("uv", "run", "dvc", "repro", "split", cwd=project)
    before = json.loads((project / "reports/split.json").read_text())["rows"]
    said = run(
        *("uv", "run", "flights", "data", "delete", "--where", "carrier = 'UA'"), cwd=project
    ).stdout
    run("uv", "run", "dvc", "repro", "split", cwd=project)
    after = json.loads((project / "reports/split.json").read_text())["rows"]
    deleted = int(said.partition(": ")[2].partition(" deleted")[0].replace(",", ""))
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
    git(project, "clean", "-fdq", "data")
