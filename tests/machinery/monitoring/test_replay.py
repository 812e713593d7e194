"""Tables sent as traffic: what is sent when, and what is told of it."""

import json
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.monitoring import replay
from mlops.serving.faults import RefusedError

import served


class Direct:
    """A service in this process, asked as `Client` asks one over HTTP."""

    def __init__(self, service):
        self.service, self.asked = service, []

    def check_identity(self):
        self.asked.append(("/info", None))

    def post(self, path, content):
        self.asked.append((path, content))
        body = json.dumps(content).encode()
        try:
            if path == "/predict":
                return 200, self.service.predict(body)
            return 202, {"accepted": self.service.learn(body)}
        except RefusedError as error:
            return 422, {"detail": [fault.model_dump() for fault in error.faults]}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def table(task="binary", name="rows.csv", change=None):
    """A file of rows as someone would deliver it, and their contract, saved."""
    contract, rows = served.contract_and_rows(task)
    contract.save()
    rows = rows.select(column.name for column in contract.columns)
    rows = rows.with_columns(change) if change is not None else rows
    rows.write_csv(name)
    return contract


def replayed(monkeypatch, task="binary", **options):
    direct = Direct(served.service(task, max_records=100))
    monkeypatch.setattr(replay, "Client", lambda url: direct)
    monkeypatch.setattr(replay, "TICK", 0.001)
    options = {"seconds": 0.1, "truth_after": 0.05} | options
    says = replay.replay("rows.csv", "http://service", **options)
    direct.service.close()
    return direct.asked, says


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_each_record_is_sent_once_and_its_truth_after_it(monkeypatch, task):
    table(task)
    asked, says = replayed(monkeypatch, task)
    assert says == ["300 records answered, the ground truth sent for 300"]
    sent = [record for path, records in asked if path == "/predict" for record in records]
    assert sorted(record["id"] for record in sent) == list(range(1000, 1300))
    assert not {"y", "later"} & set().union(*sent)
    predictions, truths = served.journal()
    assert set(truths["id"]) == set(predictions["id"])
    assert [path for path, _ in asked[:2]] == ["/info", "/predict"]
    assert asked[-1][0] == "/feedback"


def test_the_time_column_gives_order_and_pace():
    columns = (
        column.model_copy(update={"role": "time"} if column.name == "seen" else {})
        for column in table().columns
    )
    contract = served.contract_and_rows()[0].model_copy(update={"columns": tuple(columns)})
    rows = replay.read_records(Path("rows.csv"), contract)
    due = list(replay.schedule(rows.sample(fraction=1, shuffle=True, seed=1), contract, 60))
    moments = [moment for moment, _ in due]
    assert moments == sorted(moments)
    assert (moments[0], moments[-1]) == (0, 60)
    assert [record["id"] for _, record in due] == list(range(1000, 1300))


def test_what_breaks_the_contract_is_counted_and_the_rest_is_sent(monkeypatch):
    strange = pl.when(pl.col("id") < 1007).then(pl.lit("z")).otherwise("kind").alias("kind")
    table(change=strange)
    _, says = replayed(monkeypatch)
    assert says == [
        "293 records answered, the ground truth sent for 293",
        "7 refused: kind breaks the rule category: 'z'; write one of 'a', 'b' or 'ç'",
    ]


def test_truths_that_are_not_in_the_table_are_not_told(monkeypatch):
    contract = table()
    pl.read_csv("rows.csv").drop(contract.target.name).write_csv("rows.csv")
    asked, says = replayed(monkeypatch)
    assert says == ["300 records answered, the ground truth sent for 0"]
    assert {path for path, _ in asked} == {"/info", "/predict"}


def test_times_that_cannot_be_read_are_one_sentence(monkeypatch):
    columns = (
        column.model_copy(update={"role": "time"} if column.name == "seen" else {})
        for column in table(change=pl.lit("soon").alias("seen")).columns
    )
    served.contract_and_rows()[0].model_copy(update={"columns": tuple(columns)}).save()
    with pytest.raises(UserError, match="no row whose time can be read"):
        replayed(monkeypatch)


def test_another_table_is_one_sentence(monkeypatch):
    table()
    pl.DataFrame({"colour": ["red"]}).write_csv("rows.csv")
    with pytest.raises(UserError, match="is it the right table"):
        replayed(monkeypatch)
