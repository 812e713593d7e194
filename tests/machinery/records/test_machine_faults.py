"""A full disk, a folder that can only be read, and what a killed command leaves."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops import cli
from mlops.core.paths import replacing
from mlops.data import change_log
from mlops.records import table
from mlops.records.changes import delete
from mlops.records.contract_check import check_file, check_table
from mlops.records.export import export, show
from mlops.records.intake import add
from mlops.records.log_audit import list_changes, verify_log

from files import FILES
from lacking import lacking


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")
    Path("problem.yaml").write_text("name: Orders\n")
    rows = (f"{n},{n * 7919 % 1000 / 7},{'yes' if n % 3 else 'no'}" for n in range(20_000))
    Path("t.csv").write_text("nr,size,late\n" + "\n".join(rows) + "\n")
    add("t.csv", target="late", key="nr")
    return tmp_path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 kB, which only root may make."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        lacking("a full disk needs root, to mount a small file system")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """What the command says on its way out."""
    monkeypatch.setattr(sys, "argv", ["mlops", *words])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return str(left.value.code)


@pytest.mark.parametrize(
    "words",
    [
        ("data", "export", "disk/out.csv"),
        ("data", "export", "disk/out.jsonl"),
        ("data", "export", "disk/out.parquet"),
        ("data", "export", "sqlite:///disk/out.db?orders"),
    ],
)
def test_an_export_to_a_full_disk_is_one_sentence(
    project: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    says = typed(monkeypatch, *words)
    assert "full" in says
    assert "\n" not in says
    assert [path for path in small_disk.iterdir() if path.name != "out.db"] == []


@pytest.mark.parametrize(
    "words",
    [
        ("data", "show", "--where", "size > 3"),
        ("data", "delete", "--where", "size > 3"),
        ("data", "history", "--check"),
        ("data", "check"),
        ("data", "update", "t.csv"),
    ],
)
def test_a_full_disk_where_tables_lie_meanwhile_is_one_sentence(
    project: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """The system's folder for what is of no duration, or that of the writer."""
    before = change_log.LOG.read_bytes()
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    make = table.tempfile.TemporaryDirectory
    monkeypatch.setattr(
        table.tempfile, "TemporaryDirectory", lambda **facts: make(**facts | {"dir": small_disk})
    )
    says = typed(monkeypatch, *words)
    assert "the disk is full" in says
    assert "\n" not in says
    assert not list(small_disk.iterdir())
    assert change_log.LOG.read_bytes() == before
    monkeypatch.undo()


def test_to_read_the_table_nothing_is_written_beside_it(project: Path) -> None:
    delete(["7"])
    folders = [Path("data"), Path("data/raw")]
    before = [folder.stat().st_mtime_ns for folder in folders]
    show(where="size > 3")
    export("out.csv")
    list_changes()
    verify_log()
    check_table()
    check_file("t.csv")
    assert [folder.stat().st_mtime_ns for folder in folders] == before


def test_a_disk_that_can_only_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError(30, os.strerror(30), "data/.lock")

    monkeypatch.setattr(cli, "app", fail)
    assert typed(monkeypatch, "data") == (
        "error: data/.lock can only be read: nothing was changed."
    )


def test_git_would_add_nothing_that_a_killed_command_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows belong to DVC: neither what is half done nor a file that no line of the log names."""
    monkeypatch.chdir(tmp_path)
    (settings,) = FILES.glob(".gitignore*")
    lines = settings.read_text().splitlines()
    Path(".gitignore").write_text("\n".join(line for line in lines if "{%" not in line) + "\n")
    subprocess.run(["git", "init", "--quiet"], check=True)
    left = ["data/raw/.landing-0002/rows.parquet", "data/raw/0002-orders.csv"]
    for target in ("data/log.jsonl", "data/clean.parquet", "data/ingested", "all.csv"):
        with replacing(Path(target)) as scratch:
            left.append(str(scratch))
            scratch.write_text("")
    left += [".predict-x.tmp/rows.parquet", ".replay-x.tmp/rows.parquet"]
    for name in left:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("")
    command = ["git", "check-ignore", "--stdin"]
    ignored = subprocess.run(
        command, input="\n".join(left), capture_output=True, text=True, check=True
    ).stdout.split()
    assert ignored == left
    kept = ["data/raw/0002-orders.csv.dvc", "data/raw/0001-flights.csv", "data/log.jsonl"]
    assert subprocess.run([*command[:2], *kept], check=False).returncode == 1
