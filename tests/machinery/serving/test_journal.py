import asyncio
import json
import os
import sqlite3
import time
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
    monkeypatch.setattr(journals, "MOST", 3)
    metrics = Metrics()
    Path("journal").write_text("")
    journal = Journal(URL, metrics)
    for number in range(5):
        journal.put([ROW._replace(id=str(number))])
    assert count(metrics, "lost") == 2
    journal.close()
    assert count(metrics, "lost") == 5


@pytest.mark.parametrize("down", [False, True])
def test_a_durable_journal_says_whether_rows_are_kept(down):
    if down:
        Path("journal").write_text("")
    journal = Journal(URL, Metrics(), durable=True)

    async def kept():
        journal.put([ROW])
        return await journal.kept()

    assert asyncio.run(kept()) is not down
    if not down:
        assert len(served.journal()[0]) == 1
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


@pytest.mark.parametrize("url", ["mysql://x", "journal.db", ""])
def test_another_kind_of_address_is_refused(url):
    with pytest.raises(UserError, match="JOURNAL_URL must be"):
        Journal(url, Metrics())
