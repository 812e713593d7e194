"""A team's own table goes through, from `data add` to a judged model, with no code edited."""

import json
import sqlite3
from pathlib import Path

import pytest
import yaml

from own_tables import TABLES, Table
from support import Render, git, run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(set_up: Render) -> Path:
    """A project that starts empty, and searches little: speed is not what is tested."""
    project = set_up({"sample": "empty", "package": "own_table"})
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["train"]["trials"] = 6
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    return project


def add(project: Path, source: object, *options: str) -> str:
    command = ["uv", "run", "own_table", "data", "add", str(source), *options]
    return run(*command, cwd=project).stdout


def judge_table(project: Path) -> dict:
    """Run the pipeline. A gate may block an honest table; a stage may not fail."""
    done = run("uv", "run", "dvc", "repro", cwd=project, check=False)
    assert "Traceback" not in done.stdout, done.stdout
    gate = json.loads((project / "reports/gate.json").read_text(encoding="utf-8"))
    assert (done.returncode == 0) == gate["passed"], done.stdout
    blocked = [g for g in gate["gates"] if not g["passed"]]
    assert not [g for g in blocked if g["name"] not in ("baseline", "value")], blocked
    return json.loads((project / "reports/evaluation.json").read_text(encoding="utf-8"))


def size(table: Table) -> list[pytest.MarkDecorator]:
    """Large tables take longer than a push should."""
    return [pytest.mark.deep] if table.name in ("ggplot2/diamonds", "ggplot2/movies") else []


@pytest.mark.parametrize(
    "table", [pytest.param(table, marks=size(table), id=table.name) for table in TABLES]
)
def test_an_unseen_table_goes_through(project: Path, tmp_path: Path, table: Table) -> None:
    options = ["--target", table.target, "--replace", *table.options]
    add(project, table.write(tmp_path), *options)
    evaluation = judge_table(project)
    assert evaluation["task"] == table.task
    assert evaluation["target"] == table.target
    assert evaluation["primary_metric"]["low"] <= evaluation["primary_metric"]["value"]
    assert evaluation["primary_metric"]["value"] > evaluation["baseline"]["value"]
    assert (project / "reports/index.html").stat().st_size > 5_000


def test_dates_accents_and_gaps_in_a_database_table(project: Path, tmp_path: Path) -> None:
    """A table with odd names, two dates, texts with a missing spelling and a rare category."""
    path = tmp_path / "orders.db"
    rows = [
        (
            f"K{n:05d}",
            f"2024-{1 + n % 12:02d}-{1 + n % 28:02d} {n % 24:02d}:15:00",
            f"{1 + n % 28:02d}.{1 + n % 12:02d}.{1960 + n % 40}",
            None if n % 11 == 0 else (n * 7919 % 1000 + n * 104729 % 900) / 10,
            ("Zürich", "Genève", "N/A", "Bern")[n * 31 % 4],
            "oui" if (n * 7919 % 1000) + 200 * (n * 31 % 4 == 0) > 600 else "non",
        )
        for n in range(1500)
    ]
    with sqlite3.connect(path) as database:
        database.execute('create table "bestellungen" (a, b, c, d, e, f)')
        database.executemany('insert into "bestellungen" values (?,?,?,?,?,?)', rows)
        names = ("Nr.", "Bestellt am", "geboren", "Betrag (CHF)", "Ort", "zurück?")
        for old, new in zip("abcdef", names, strict=True):
            database.execute(f'alter table "bestellungen" rename column {old} to "{new}"')
    database.close()
    options = ["--target", "zurück?", "--key", "Nr.", "--time", "Bestellt am", "--replace"]
    add(project, f"sqlite:///{path}?table=bestellungen", *options)
    evaluation = judge_table(project)
    assert evaluation["task"] == "binary"
    assert evaluation["primary_metric"]["value"] > 0.6


def test_the_sample_steps_aside_and_a_team_s_table_does_not(set_up: Render, tmp_path: Path) -> None:
    project = set_up({})
    table = TABLES[0]
    source = table.write(tmp_path)
    options = ["data", "add", source, "--target", table.target]
    output = run("uv", "run", "flights", *options, cwd=project).stdout
    assert "sample" in output
    assert not (project / "data/raw/0001-flights.csv").exists()
    again = run("uv", "run", "flights", *options, cwd=project).stdout
    assert "nothing" in again.lower()
    other = TABLES[2].write(tmp_path)
    done = run(
        *("uv", "run", "flights", "data", "add", other, "--target", TABLES[2].target),
        cwd=project,
        check=False,
    )
    assert done.returncode == 1
    assert "--replace" in done.stdout
    git(project, "reset", "--hard", "--quiet")
    git(project, "clean", "-fdqx", "data/raw")
