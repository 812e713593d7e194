"""Truths find their predictions, in whatever order and however often they come."""

import datetime as dt
import json
import random
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data.contract import Column, Contract
from mlops.monitoring.ground_truth import count_unmatched, join_ground_truth

import lived
import served
from lived import END, START, URL, prediction, truth
from tables import table

KEYS = tuple(Column(name=name, type="integer", role="key", required=True) for name in ("a", "b"))
X = Column(name="x", type="number")
Y = Column(name="y", type="string", role="target", required=True)
CONTRACT = Contract(id="t", name="t", task="binary", classes=("no", "yes"), columns=(*KEYS, X, Y))


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def join(contract=CONTRACT, since=START, until=END, **wanted):
    return join_ground_truth(URL, since, until, contract, **wanted)


def naive(rows, since, until):
    """{id: (truth, when it was written, whether there are others)} by plain dictionaries."""
    predictions = {row.id: row for row in rows if len(row) > 4 and row.role == "champion"}
    fitting = {name: [] for name in predictions}
    fitting_none = 0
    for row in sorted((row for row in rows if len(row) == 4), key=lambda row: row.at):
        fits = [
            name
            for name, asked in predictions.items()
            if (name == row.id if row.id else asked.key is not None and asked.key == row.key)
        ]
        fitting_none += not fits
        for name in fits:
            fitting[name].append(row)
    inside = {n: rows for n, rows in fitting.items() if since <= predictions[n].at < until}
    last = {
        name: (rows[-1].truth, rows[-1].at, len({row.truth for row in rows}) > 1)
        if rows
        else (None, None, False)
        for name, rows in inside.items()
    }
    return last, fitting_none


def chance(seed):
    """Predictions and truths of few ids, keys and moments: missing, doubled, at odds, too early."""
    pick = random.Random(seed)
    keys = [None, *({"a": n % 3, "b": n // 3} for n in range(6))]
    rows = [
        prediction(f"{n:02x}", pick.randrange(20), key=pick.choice(keys))
        for n in range(pick.randrange(1, 12))
    ]
    rows += [row._replace(role="shadow", score=0.9) for row in rows if pick.random() < 0.3]
    rows.append(prediction("ff", pick.randrange(20), role="shadow", key=keys[1]))
    for _ in range(pick.randrange(25)):
        word, at = pick.choice(["no", "yes"]), pick.randrange(30)
        if pick.random() < 0.5:
            rows.append(truth(word, at, id_=f"{pick.randrange(14):02x}"))
        else:
            rows.append(truth(word, at, key=pick.choice(keys[1:])))
        rows += [rows[-1]] * (pick.random() < 0.2)
    pick.shuffle(rows)
    return rows


@pytest.mark.parametrize("seed", range(60))
def test_any_journal_is_joined_as_plain_dictionaries_do(seed):
    rows = chance(seed)
    lived.write(rows)
    since, until = START + dt.timedelta(seconds=5), START + dt.timedelta(seconds=15)
    for window in ((START, END), (since, until)):
        got = join(since=window[0], until=window[1])
        wanted, none = naive(rows, *(at.isoformat(timespec="milliseconds") for at in window))
        result = {
            row["id"]: (
                row["truth"],
                row["truth_at"] and row["truth_at"].isoformat(timespec="milliseconds"),
                row["contradicted"],
            )
            for row in got.to_dicts()
        }
        assert result == wanted
        for row in got.drop_nulls("truth").to_dicts():
            assert row["delay"] == max(0, (row["truth_at"] - row["at"]).total_seconds())
    assert count_unmatched(URL, START) == none


def test_truths_that_arrive_in_another_order_say_the_same(tmp_path):
    rows = [row for row in chance(7) if len(row) > 4]
    labels = [truth("yes" if n % 3 else "no", n, id_=f"{n % 5:02x}") for n in range(20)]
    frames = []
    for place, order in enumerate(
        (labels, labels[::-1], random.Random(1).sample(labels, len(labels)))
    ):
        folder = tmp_path / str(place)
        folder.mkdir()
        lived.write([*order, *rows], folder)
        url = f"sqlite:///{folder / 'journal/journal.db'}"
        frames.append(join_ground_truth(url, START, END, CONTRACT))
    assert frames[0].equals(frames[1])
    assert frames[0].equals(frames[2])


def test_of_truths_of_the_same_moment_the_later_row_holds():
    labels = [truth(word, 5, id_="1") for word in ("yes", "no", "yes", "no")]
    lived.write([prediction("1"), *labels])
    [row] = join().to_dicts()
    assert (row["truth"], row["contradicted"]) == ("no", True)


def test_a_truth_that_is_no_class_is_none():
    lived.write([prediction("1"), prediction("2"), truth("perhaps", id_="1")])
    assert join()["truth"].to_list() == [None, None]
    assert join()["delay"].to_list() == [None, None]


def test_cells_have_the_types_of_the_contract():
    frame, contract = table("binary", rows=50)
    names = [column.name for column in contract.inputs]
    rows = [
        {name: cell for name, cell in row.items() if cell is not None}
        for row in frame.select(names).to_dicts()
    ]
    lived.write([prediction(f"{n:03}", n, inputs=row) for n, row in enumerate(rows)])
    got = join(contract)
    assert got["inputs"].struct.unnest().equals(frame.select(names))
    assert join(contract, columns=["kind"])["inputs"].struct.fields == ["kind"]
    assert "inputs" not in join(contract, columns=[]).columns
    assert "key" not in got.columns


def test_what_the_contract_no_longer_reads_is_null():
    lived.write([prediction("1", inputs={"x": "a word", "gone": 1}, key={"a": 1, "b": 2})])
    [row] = join().to_dicts()
    assert (row["inputs"], row["key"]) == ({"x": None}, {"a": 1, "b": 2})


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_what_the_service_wrote_is_read(task):
    service = served.service(task)
    records = served.records(task, rows=20)
    answers = service.predict(json.dumps(records).encode())
    truths = [7.25] * 20 if task == "regression" else ["no" if task == "binary" else "low"] * 20
    labels = [
        {"id": answer["id"], "truth": what}
        for answer, what in zip(answers[:10], truths[:10], strict=True)
    ]
    labels += [
        {"key": {"id": r["id"]}, "truth": t} for r, t in zip(records[10:], truths[10:], strict=True)
    ]
    service.learn(json.dumps(labels).encode())
    service.close()
    contract, _ = served.contract_and_rows(task)
    now = dt.datetime.now(dt.UTC)
    got = join_ground_truth(URL, now - dt.timedelta(hours=1), now + dt.timedelta(hours=1), contract)
    assert got["truth"].to_list() == truths
    by_id = {answer["id"]: answer for answer in answers}
    for row in got.to_dicts():
        answer = by_id[row["id"]]
        for name in ("prediction", "score", "decision"):
            assert row[name] == answer[name]
    assert got["version"].to_list() == [3] * 20
    assert sorted(got["key"].struct["id"]) == [record["id"] for record in records]


def test_a_long_run_without_a_version_does_not_spoil_the_rest(monkeypatch):
    rows = [prediction(str(n), n, version=None, key=None) for n in range(100_100)]
    lived.write([*rows, prediction("last", 200_000, version=4, key={"a": 1, "b": 1})])
    got = join()
    assert got.height == 100_101
    assert got[-1]["version"].item() == 4
    assert got["version"].null_count() == 100_100


def test_there_may_be_no_prediction_in_the_window():
    lived.write([prediction("1")])
    got = join(since=END, until=END)
    assert got.is_empty()
    assert got.schema == join().schema
    assert got.schema["truth"] == pl.String


def test_without_a_journal_one_sentence_says_what_to_do():
    with pytest.raises(UserError, match=r"There is no journal at journal/journal\.db: start"):
        join()
    assert not Path("journal").exists()


def test_an_empty_journal_is_said_to_be_so():
    Path("journal").mkdir()
    Path("journal/journal.db").touch()
    with pytest.raises(UserError, match="holds no prediction yet"):
        join()
