import json
import os
import sqlite3
import time
from concurrent.futures import Future
from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.serving import journal as journals
from mlops.serving.journal import Journal, Prediction, Truth
from mlops.serving.service_metrics import Metrics

import served

URL = "sqlite:///journal/journal.db"
ROW = Prediction("1", "champion", "2020", {"id": 7}, 3, "abc", "yes", 0.75, True, {"x": None})
TRUTH = Truth("2021", "1", None, "no")


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(journals, "RETRY", 0.05)


def until(reached, seconds=20):
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def put(journal, *rows):
    """Whether the journal says that it holds the rows."""
    kept = Future()
    journal.put(rows, kept=kept)
    return kept.result(20)


def fault(metrics, reason):
    return metrics.journal_faults.labels(reason)._value.get()


def count(metrics, outcome):
    return metrics.journal.labels(outcome)._value.get()


def test_rows_come_out_as_they_went_in():
    journal = Journal(URL, Metrics())
    journal.put([ROW, TRUTH])
    journal.close()
    predictions, truths = served.journal()
    [row] = predictions.to_dicts()
    assert {name: row[name] for name in ("id", "role", "at", "version", "score")} == {
        "id": "1",
        "role": "champion",
        "at": "2020",
        "version": 3,
        "score": 0.75,
    }
    assert json.loads(row["key"]) == {"id": 7}
    assert json.loads(row["inputs"]) == {"x": None}
    assert row["decision"] == "true"
    assert truths.to_dicts() == [{"at": "2021", "id": "1", "key": None, "truth": "no"}]


def test_rows_are_written_soon_without_being_asked_for():
    metrics = Metrics()
    journal = Journal(URL, metrics)
    journal.put([ROW])
    until(lambda: count(metrics, "written") == 1)
    assert len(served.journal()[0]) == 1
    journal.close()


def test_a_database_that_is_down_costs_no_row_when_it_comes_back():
    metrics = Metrics()
    Path("journal").write_text("a file where the folder should be")
    journal = Journal(URL, metrics)
    journal.put([ROW])
    until(lambda: metrics.registry.get_sample_value("journal_pending") == 1)
    os.remove("journal")
    until(lambda: metrics.registry.get_sample_value("journal_up") == 1)
    journal.close()
    assert len(served.journal()[0]) == 1
    assert count(metrics, "lost") == 0


def test_what_finds_the_journal_full_is_lost_and_counted(monkeypatch):
    monkeypatch.setattr(journals, "MOST", 3 * journals.ROW)
    metrics = Metrics()
    Path("journal").write_text("")
    journal = Journal(URL, metrics)
    journal.put([ROW])
    until(lambda: fault(metrics, "unreachable") > 0)
    for number in range(1, 5):
        journal.put([ROW._replace(id=str(number))])
    assert count(metrics, "lost") == 2
    journal.close()
    assert count(metrics, "lost") == 5


@pytest.mark.parametrize("down", [False, True])
def test_a_durable_journal_says_whether_rows_are_kept(down):
    if down:
        Path("journal").write_text("")
    metrics = Metrics()
    journal = Journal(URL, metrics, durable=True)
    assert put(journal, ROW) is not down
    if down:  # what was refused is no decision, and is not written later
        os.remove("journal")
        assert put(journal, ROW._replace(id="2"))
    assert served.journal()[0]["id"].to_list() == ["2" if down else "1"]
    assert count(metrics, "withdrawn") == down
    assert count(metrics, "lost") == 0
    journal.close()


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("what", ["gone", "replaced", "with all that belongs to it"])
def test_a_file_that_is_gone_is_made_anew_and_told(durable, what, caplog):
    metrics = Metrics()
    journal = Journal(URL, metrics, durable)
    assert put(journal, ROW)
    for file in Path("journal").glob("*" if what.startswith("with") else "journal.db"):
        file.unlink()
    if what == "replaced":
        with sqlite3.connect("journal/other.db") as other:
            other.execute("CREATE TABLE other (x)")
        Path("journal/other.db").rename("journal/journal.db")
    assert put(journal, ROW._replace(id="2"))
    assert served.journal()[0]["id"].to_list() == ["2"]
    if what == "replaced":  # and nothing of the file before it was written into it
        with sqlite3.connect("journal/journal.db") as other:
            assert other.execute("SELECT count(*) FROM other").fetchone() == (0,)
    reason = "replaced" if what == "replaced" else "gone"
    assert [record.reason for record in caplog.records] == [reason]
    assert fault(metrics, reason) == 1
    assert metrics.registry.get_sample_value("journal_up") == 1
    journal.close()


def test_a_locked_journal_is_told_and_keeps_nothing_that_was_refused(monkeypatch, caplog):
    connect = sqlite3.connect
    quick = lambda file, **given: connect(file, **given | {"timeout": 0.1})  # noqa: E731
    monkeypatch.setattr(sqlite3, "connect", quick)
    metrics = Metrics()
    journal = Journal(URL, metrics, durable=True)
    assert put(journal, ROW)
    other = connect("journal/journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not put(journal, ROW._replace(id="2"))
    other.execute("ROLLBACK")
    assert put(journal, ROW._replace(id="3"))
    assert served.journal()[0]["id"].to_list() == ["1", "3"]
    assert "locked" in {record.reason for record in caplog.records}
    journal.close()


@pytest.mark.parametrize(
    ("pragma", "reason"), [("query_only = true", "read-only"), ("max_page_count = 1", "full")]
)
def test_the_log_says_why_it_cannot_be_written(pragma, reason, monkeypatch, caplog):
    metrics = Metrics()
    journal = Journal(URL, metrics)
    assert put(journal, ROW)
    journal._connection.execute(f"PRAGMA {pragma}")
    many = [ROW._replace(id=str(number), inputs={"x": "x" * 100}) for number in range(500)]
    assert put(journal, *many)  # by another connection, which works
    assert [record.reason for record in caplog.records] == [reason]
    assert fault(metrics, reason) == 1
    journal.close()


def test_rows_that_came_together_are_written_or_withdrawn_together(monkeypatch):
    monkeypatch.setattr(journals, "BATCH", 3)
    journal = Journal(URL, Metrics(), durable=True)
    kept = Future()
    with journal._lock:  # so that the three are there before any is written
        pass
    sizes = []
    write = journal._write
    monkeypatch.setattr(journal, "_write", lambda rows: (sizes.append(len(rows)), write(rows)))
    journal._wake.clear()
    for first in (0, 2, 4):
        rows = [ROW._replace(id=str(number)) for number in (first, first + 1)]
        journal.put(rows, kept=kept if first == 4 else None)
    assert kept.result(20)
    assert all(size in (2, 4, 6) for size in sizes)
    journal.close()


def test_while_it_is_written_no_more_is_let_in_than_it_can_hold(monkeypatch):
    monkeypatch.setattr(journals, "MOST", 1_000_000)
    journal = Journal(URL, Metrics())
    assert journal.has_room(900_000)
    assert not journal.has_room(1_100_000)
    journal.close()


def test_a_batch_that_is_tried_again_is_there_once():
    journal = Journal(URL, Metrics())
    journal.put([ROW, ROW])
    journal.close()
    assert len(served.journal()[0]) == 1


def test_readers_do_not_stop_the_writer():
    metrics = Metrics()
    journal = Journal(URL, metrics)
    journal.put([ROW])
    until(lambda: count(metrics, "written") == 1)
    with sqlite3.connect("journal/journal.db") as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM predictions").fetchone() == (1,)
        journal.put([ROW._replace(id="2")])
        until(lambda: count(metrics, "written") == 2)
    journal.close()


@pytest.mark.parametrize("url", ["mysql://x", "journal.db", "", "sqlite:///"])
def test_another_kind_of_address_is_refused(url):
    with pytest.raises(UserError, match="JOURNAL_URL must be"):
        Journal(url, Metrics())
