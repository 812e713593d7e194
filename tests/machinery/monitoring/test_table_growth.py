"""The table grows by records of the journal whose ground truth has arrived."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from mlops.data.change_log import read_log
from mlops.data.contract import Contract
from mlops.monitoring.table_growth import FILE, grow_table
from mlops.records import intake
from mlops.serving.journal import Prediction, Truth

import served
from lived import URL, write

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def contract(tmp_path, monkeypatch):
    """A table of 300 records, ids from 1000 on, has landed."""
    monkeypatch.chdir(tmp_path)
    contract, rows = served.contract_and_rows()
    rows.select(column.name for column in contract.columns).write_csv("rows.csv")
    contract.save()
    intake.add("rows.csv")
    return contract


def moment(minutes):
    return (NOW - timedelta(minutes=minutes)).isoformat(timespec="milliseconds")


def answered(id_, key, truth=None, minutes=60):
    """A prediction for a record, and its truth a minute later."""
    inputs = {"count": 5, "kind": "a", "seen": "2021-01-01T05:30:00"}
    answer = Prediction(id_, "champion", moment(minutes), key, 3, "abc", "no", 0.2, False, inputs)
    return [answer] + ([Truth(moment(minutes - 1), id_, None, truth)] if truth else [])


def test_new_records_with_a_truth_are_added_and_others_are_not(contract):
    rows = [
        *answered("a", {"id": 1}, "yes"),
        *answered("b", {"id": 2}),
        *answered("c", {"id": 1000}, "no"),
        *answered("d", {"id": 1}, "no", minutes=50),
    ]
    write(rows)
    assert grow_table(URL, 90, None)[-1] == "version 2: 1 added"
    [change] = read_log()[1:]
    row = pl.read_parquet(f"data/raw/{change.file}").row(0, named=True)
    assert (row["id"], row["y"], row["count"], row["kind"]) == (1, "no", 5, "a")
    assert list(row) == [column.name for column in contract.columns]
    assert row["later"] is None
    assert change.source == str(FILE)
    assert not FILE.exists()


def test_a_column_may_be_in_the_key_and_an_input(contract):
    columns = [
        c.model_copy(update={"primary_key": True, "required": True} if c.name == "count" else {})
        for c in contract.columns
    ]
    contract.model_copy(update={"columns": tuple(columns)}).save()
    write(answered("a", {"id": 1, "count": 5}, "yes") + answered("b", {"id": 2}, "no"))
    assert grow_table(URL, 90, None)[-1] == "version 2: 1 added"
    [change] = read_log()[1:]
    row = pl.read_parquet(f"data/raw/{change.file}").row(0, named=True)
    assert (row["id"], row["count"], row["kind"]) == (1, 5, "a")


def test_again_changes_nothing():
    write(answered("a", {"id": 1}, "yes"))
    grow_table(URL, 90, None)
    assert grow_table(URL, 90, None) == ["no record with ground truth is new to the table"]
    assert len(read_log()) == 2


def test_what_is_too_old_is_left():
    write(answered("a", {"id": 1}, "yes", minutes=60 * 24 * 3))
    assert grow_table(URL, 2, None) == ["no record with ground truth is new to the table"]


def without_key(contract, required):
    key, *others = contract.columns
    plain = key.model_copy(update={"role": "ignored", "required": required})
    contract.model_copy(update={"columns": (plain, *others)}).save()
    assert not Contract.load().keys


def test_without_a_key_the_last_time_counts(contract):
    without_key(contract, required=False)
    write([*answered("a", None, "yes", minutes=60), *answered("b", None, "no", minutes=30)])
    since = NOW - timedelta(minutes=45)
    assert "1 added" in grow_table(URL, 90, since)[-1]


def test_what_the_table_requires_and_the_journal_lacks_is_named(contract):
    without_key(contract, required=True)
    write(answered("a", None, "yes"))
    [line] = grow_table(URL, 90, None)
    assert line == "no record: the journal does not hold id, which the table requires"
