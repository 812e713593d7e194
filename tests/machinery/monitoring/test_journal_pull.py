"""The journal of a host, copied while the service writes to it."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.monitoring import journal_pull


@pytest.fixture(autouse=True)
def host(tmp_path, monkeypatch):
    """Its Docker runs the copying for real, on a journal that is being written."""
    monkeypatch.chdir(tmp_path)
    for name in ("DOCKER_HOST", "JOURNAL_URL"):
        monkeypatch.delenv(name, raising=False)
    Path("there").mkdir()
    Path("deploy").mkdir()
    Path("deploy/compose.yaml").write_text("name: trains\n")
    host = {"running": "c1\n", "asked": []}

    def docker(*command):
        host["asked"].append(command)
        if command[0] == "ps":
            return host["running"].encode()
        here = journal_pull.COPY.replace("/journal/", f"{tmp_path}/there/")
        return subprocess.run([sys.executable, "-c", here], capture_output=True, check=True).stdout

    monkeypatch.setattr(journal_pull, "docker", docker)
    with closing(sqlite3.connect("there/journal.db")) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE truths (truth)")
        writer.execute("INSERT INTO truths VALUES ('yes')")
        writer.commit()
        yield host


def test_it_is_here_as_it_is_there(host):
    assert journal_pull.pull_journal() == [
        "the journal of this machine is here, as of now: journal/journal.db"
    ]
    with closing(sqlite3.connect("journal/journal.db")) as journal:
        assert journal.execute("SELECT truth FROM truths").fetchall() == [("yes",)]
    assert host["asked"][0][-1] == "volume=trains_journal"
    assert not Path("there/.copy.db").exists()
    with pytest.raises(UserError, match=r"is here already: move it away"):
        journal_pull.pull_journal()


def test_another_environment_has_its_own(host):
    journal_pull.pull_journal("staging")
    assert host["asked"][0][-1] == "volume=trains-staging_journal"


def test_a_database_is_read_where_it_is(host, monkeypatch):
    monkeypatch.setenv("JOURNAL_URL", "postgresql://db/journal")
    assert journal_pull.pull_journal() == ["the journal is read where JOURNAL_URL says"]
    assert not host["asked"]


def test_what_does_not_run_is_said_with_its_host(host, monkeypatch):
    host["running"] = ""
    monkeypatch.setenv("DOCKER_HOST", "ssh://deploy@host.example")
    with pytest.raises(UserError, match=r"runs on ssh://deploy@host\.example: set JOURNAL_URL"):
        journal_pull.pull_journal()


def test_without_compose_the_database_has_to_be_named():
    Path("deploy/compose.yaml").unlink()
    with pytest.raises(UserError, match="set JOURNAL_URL to the address"):
        journal_pull.pull_journal()
