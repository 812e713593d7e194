"""Killed at any write, the table is the old version or the new one, and the next command goes on.

The command runs in a process of its own, which sends itself SIGKILL at its n-th change of a file in
the project; n goes from the first to the last.
"""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.data import change_log
from mlops.data.contract import Contract
from mlops.records import changes, intake, table, writer
from mlops.records.changes import delete, restore, update
from mlops.records.intake import add
from mlops.records.log_audit import verify_log

# All imports are done once; each run is a fork of that process, in a copy of the project.
KILLED_AT = """
import os, shutil, signal, sys
from itertools import count
from mlops.records import changes, intake

WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.copyfile"}
command, project, copies = sys.argv[1:]

def arm(last):
    seen = 0
    def watch(event, facts):
        nonlocal seen
        opened = event == "open" and isinstance(facts[1], str) and set(facts[1]) & set("wax+")
        if event in WRITES or opened:
            seen += 1
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(watch)

for last in count(1):
    copy = f"{copies}/{last:04}"
    shutil.copytree(project, copy)
    child = os.fork()
    if child == 0:
        os.chdir(copy)
        arm(last)
        eval(command)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 0:
        break
    assert status == -signal.SIGKILL, status
"""
COMMANDS = {
    "add": "intake.add('news.csv')",
    "start": "intake.add('news.csv', target='shop', key='nr', replace=True)",
    "update": "changes.update('news.csv')",
    "delete": "changes.delete(where='size > 50')",
    "restore": "changes.restore(1)",
}


def rows(keys: range, salt: int) -> str:
    lines = (
        f"{key},{(key * 37 + salt) % 101}.5,{'ab'[(key + salt) % 2]},{'yes' if key % 3 else 'no'}\n"
        for key in keys
    )
    return "nr,size,shop,late\n" + "".join(lines)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table with two versions."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")
    Path("problem.yaml").write_text("name: Orders\n")
    Path("orders.csv").write_text(rows(range(100), 0))
    Path("news.csv").write_text(rows(range(90, 120), 7))
    add("orders.csv", target="late", key="nr")
    delete(["7"])
    return project


def state() -> tuple[str, str]:
    """The table's content hash, made from nothing, and the contract it was made under."""
    contract = Contract.load()
    with table.open_content(change_log.locate_parts(change_log.read_log()), contract) as clean:
        return table.hash_content(clean, contract), contract.target.name


@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_every_write(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    old, copies, did = state(), tmp_path / "copies", COMMANDS[command]
    copies.mkdir()
    subprocess.run([sys.executable, "-c", KILLED_AT, did, project, copies], check=True)
    *killed, whole = sorted(copies.iterdir())
    monkeypatch.chdir(whole)
    new, outcomes = state(), []
    for copy in killed:
        monkeypatch.chdir(copy)
        with writer.change_table():  # the next writer tidies up
            assert len(list(Path("data/raw").glob(".landing*"))) == 1
        outcomes.append(state())
        assert verify_log()
        if outcomes[-1] == old:
            eval(did, {"intake": intake, "changes": changes})  # noqa: S307  (from above)
            assert state() == new
    assert len(outcomes) > 10
    held = outcomes.count(new)
    assert outcomes == [old] * (len(outcomes) - held) + [new] * held
    assert 0 < held < len(outcomes)


def test_of_two_writers_one_waits(project: Path) -> None:
    before = len(change_log.read_log())
    Path("more.csv").write_text(rows(range(200, 230), 3))
    writers: list[Callable[[], list[str]]] = [lambda: add("news.csv"), lambda: add("more.csv")]
    code = "from mlops.records.intake import add; import sys; add(sys.argv[1])"
    children = [
        subprocess.Popen([sys.executable, "-c", code, file]) for file in ("news.csv", "more.csv")
    ]
    assert [child.wait() for child in children] == [0, 0]
    assert len(change_log.read_log()) == before + len(writers)
    assert verify_log()


def test_a_writer_that_waits_in_vain_is_told(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PATIENCE", 0.1)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with writer.change_table():
            entered.set()
            leave.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait()
    try:
        with pytest.raises(UserError, match="another command is changing the table: wait"):
            update("news.csv")
    finally:
        leave.set()
        holder.join()
    assert update("news.csv")
    assert restore(2)
