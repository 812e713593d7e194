"""The options that say how a file is to be read, at each command that reads one."""

from pathlib import Path

import pytest
from mlops.cli import app
from mlops.command_options import READING
from mlops.data.contract import Contract
from mlops.records.reading_options import Reading
from typer.testing import CliRunner

COMMANDS = ["data add", "data update", "data check", "predict"]


def run(command: str) -> str:
    done = CliRunner().invoke(app, command.split())
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_each_field_is_an_option() -> None:
    assert tuple(READING) == Reading._fields


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_that_reads_has_them(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = run(f"{command} --help")
    assert all(f"--{name}" in shown for name in READING)
    assert "--query" in shown


def test_they_reach_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{n},{n * 37 % 101},{'ab'[n % 2]},{n % 3 == 0}\n" for n in range(90))
    Path("t.csv").write_text("Sales\n% x\nid,size,shop,y\n" + rows)
    shown = run("data add t.csv --target y --key id --key shop --skip 1 --comment %")
    assert "90 rows" in shown
    assert Contract.load().key_names == ["id", "shop"]
    Path("u.csv").write_bytes("id;size;shop;y\n1;7;ü;True\n".encode("cp1252"))
    assert "1 added" in run("data update u.csv --encoding cp1252")
    Path("v.csv").write_text("x\nid,size,shop,y\n2,7,a,True\n")
    assert "all 1 rows keep the contract" in run("data check v.csv --skip 1")
