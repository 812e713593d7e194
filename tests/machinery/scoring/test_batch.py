"""Batch scoring of made-up files with a tiny packaged model."""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.core.paths import INGESTED, MODEL, UNLABELLED
from mlops.data.change_log import Part
from mlops.data.column_names import ROW
from mlops.data.contract import Column, Contract
from mlops.data.ingest import ingest
from mlops.data.validate import validate
from mlops.scoring import batch
from mlops.scoring.batch import predict
from mlops.scoring.predictor import Predictor

import tiny

READERS = {".csv": pl.read_csv, ".jsonl": pl.read_ndjson, ".parquet": pl.read_parquet}
PARAMS = "train: {candidates: [linear], processes: 1}\n"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    monkeypatch.setattr(batch, "SHARD", 100)
    Path("params.yaml").write_text(PARAMS)


def given(task="binary", rows=250):
    """A contract with a key and rules, a model, and a table without the answer."""
    columns = [
        Column(name="id", type="integer", role="key", required=True),
        Column(name="x", type="number", required=True, minimum=-9, maximum=9),
        Column(name="noise", type="number"),
        Column(name="group", type="string", categories=("a", "b", "c")),
        Column(name="later", type="number", known_at_decision=False),
        Column(**tiny.columns(task)[-1]),
    ]
    about = {name: tiny.contract(task)[name] for name in ("id", "name", "task", "classes")}
    Contract(columns=tuple(columns), **about).save()
    tiny.write_model(MODEL, task)
    table = tiny.table(task, rows).drop(ROW, "answer")
    return table.with_columns(id=pl.int_range(1000, 1000 + rows))


def scored(table, name="out.parquet"):
    table.write_csv("in.csv")
    predict("in.csv", Path(name))
    return READERS[Path(name).suffix](name)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_numbers_are_those_of_the_predictor_row_by_row(task):
    table = given(task)
    result, model = scored(table), Predictor(MODEL)
    single = np.concatenate([model.scores(row) for row in table.iter_slices(1)])
    names = np.array(tiny.CLASSES[task])
    scores = single.max(axis=1) if task == "multiclass" else single
    assert np.abs(result["score"].to_numpy() - scores).max() < 1e-6
    assert result["id"].to_list() == table["id"].to_list()
    assert result["_row"].to_list() == list(range(1, 251))
    if task == "binary":
        assert (result["prediction"].to_numpy() == names[(single >= 0.5).astype(int)]).all()
        assert (result["decision"].to_numpy() == (single >= 0.5)).all()
    elif task == "multiclass":
        assert (result["decision"].to_numpy() == names[single.argmax(axis=1)]).all()
    else:
        assert result["decision"].equals(result["prediction"], check_names=False)
    assert result["model"].unique().item() == hashlib.sha256(MODEL.read_bytes()).hexdigest()[:12]
    assert result["reason"].null_count() == 250


def test_the_threshold_of_the_business_decides():
    table = given()
    tiny.write_model(MODEL, threshold=0.9)
    result = scored(table)
    assert (result["decision"] == (result["score"] >= 0.9)).all()
    assert (result["prediction"] == "true").sum() > result["decision"].sum() > 0


@pytest.mark.parametrize("ending", READERS)
def test_every_format_holds_the_same(ending):
    table = given().with_columns(x=pl.when(pl.col("id") != 1003).then("x"))
    result, same = scored(table, f"out{ending}"), scored(table)
    assert result.columns == same.columns
    assert result["reason"].to_list() == same["reason"].to_list()
    assert result["score"].cast(pl.Float32).equals(same["score"])


def test_the_commonest_reason_is_told():
    table = given().with_columns(
        x=pl.when(pl.col("id") < 1003).then(99.0).otherwise("x"),
        group=pl.when(pl.col("id") == 1200).then(pl.lit("z")).otherwise("group"),
    )
    table.write_csv("in.csv")
    [message] = predict("in.csv", Path("out.csv"))
    assert "scored 246 of 250 rows" in message
    assert "most often so: x maximum '99.0'" in message


def test_a_table_of_which_no_row_is_scored_is_an_error():
    message = r"scored 0 of 250 rows, which break the contract, most often so: group category 'z'"
    with pytest.raises(UserError, match=message):
        scored(given().with_columns(group=pl.lit("z")))
    result = pl.read_parquet("out.parquet")
    assert result["prediction"].null_count() == result["score"].null_count() == 250


def test_a_row_that_breaks_the_contract_has_a_reason_and_no_score():
    table = given(rows=120).cast({"x": pl.String, "id": pl.String})
    spoilt = {"3": ("x", "many"), "7": ("x", "99"), "9": ("group", "z"), "110": ("id", "")}
    for row, (column, text) in spoilt.items():
        here = pl.int_range(1, pl.len() + 1) == int(row)
        table = table.with_columns(pl.when(here).then(pl.lit(text)).otherwise(column).alias(column))
    table = table.with_columns(x=pl.when(pl.col("x") == "5").then(pl.lit(" 5.0 ")).otherwise("x"))
    result = scored(table)
    broken = result.filter(pl.col("reason").is_not_null())
    assert dict(broken.select("_row", "reason").iter_rows()) == {
        3: "x readable 'many'",
        7: "x maximum '99.0'",
        9: "group category 'z'",
        110: "id required ''",
    }
    assert broken["score"].null_count() == broken["decision"].null_count() == 4
    assert result.filter(pl.col("reason").is_null())["score"].null_count() == 0


def test_many_processes_give_the_bytes_of_one(monkeypatch):
    table = given(rows=850)
    alone = scored(table, "one.csv")
    Path("params.yaml").write_text(PARAMS.replace("1}", "2}"))
    assert scored(table, "two.csv").equals(alone)
    assert Path("one.csv").read_bytes() == Path("two.csv").read_bytes()


KILLED = """
import sys
from pathlib import Path
from mlops.scoring import batch
batch.SHARD = 100
if sys.argv[1] == "die":
    add = batch.Shards.add
    def slow(self, shard):
        add(self, shard)
        if self.done == 3:
            print("three", flush=True)
            sys.stdin.read()
    batch.Shards.add = slow
print(batch.predict("in.csv", Path("out.csv")))
"""


def test_a_killed_run_goes_on_where_it_was(monkeypatch):
    scored(given(rows=900), "whole.csv")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", KILLED, "die"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as run:
        assert run.stdout.readline() == b"three\n"
        run.send_signal(signal.SIGKILL)
    assert not Path("out.csv").exists()
    worked = []
    attempt = batch.Scorer.score
    monkeypatch.setattr(
        batch.Scorer, "score", lambda self, rows: worked.append(rows) or attempt(self, rows)
    )
    predict("in.csv", Path("out.csv"))
    assert len(worked) == 6
    assert Path("out.csv").read_bytes() == Path("whole.csv").read_bytes()
    assert not list(Path().glob(".out*"))


def test_two_do_not_write_one_result_at_once():
    given().write_csv("in.csv")
    with (
        batch.lock_target(Path("out.csv")),
        pytest.raises(UserError, match="another 'predict': wait for it"),
    ):
        predict("in.csv", Path("out.csv"))
    predict("in.csv", Path("out.csv"))


def test_the_shards_of_another_model_are_not_used(monkeypatch):
    table = given(rows=300)
    add = batch.Shards.add

    def fail(self, shard):
        add(self, shard)
        if self.done == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(batch.Shards, "add", fail)
        with pytest.raises(KeyboardInterrupt):
            scored(table)
    tiny.write_model(MODEL, weight=-2.0)
    result = scored(table)
    assert ((result["score"] < 0.5) == (table["x"] > 0)).all()
    assert not list(Path().glob(".out*"))


def test_a_registered_version_scores(monkeypatch):
    table = given()
    tiny.write_model(Path("models/version-4.onnx"), weight=-2.0)
    monkeypatch.setattr(
        batch, "find_model_file", lambda number: (number, Path("models/version-4.onnx"))
    )
    table.write_csv("in.csv")
    predict("in.csv", Path("out.parquet"), 4)
    result = pl.read_parquet("out.parquet")
    assert result["version"].unique().to_list() == [4]
    assert ((result["score"] < 0.5) == (table["x"] > 0)).all()


@pytest.mark.parametrize(
    ("change", "target", "says"),
    [
        ({}, "out.xlsx", "out.xlsx: its name must end in .csv, .jsonl, .parquet"),
        ({}, "in.csv", "in.csv is the table to score itself"),
        ({"drop": "x"}, "out.csv", "in.csv lacks column x of contract.yaml"),
        ({"drop": "id"}, "out.csv", "in.csv lacks column id of contract.yaml"),
        ({"model": {"contract": {"id": "other"}}}, "out.csv", "trained for another table"),
    ],
)
def test_what_cannot_be_scored_is_one_sentence(change, target, says):
    table = given()
    if "model" in change:
        tiny.write_model(MODEL, **change["model"])
    table.drop(change.get("drop", [])).write_csv("in.csv")
    before = sorted(Path().rglob("*"))
    with pytest.raises(UserError, match=says) as refused:
        predict("in.csv", Path(target))
    assert "\n" not in str(refused.value)
    assert sorted(Path().rglob("*")) == before


def test_all_that_may_be_added_may_be_scored(tmp_path):
    table = given(rows=250)
    parts = tmp_path / "parts"
    parts.mkdir()
    table.head(130).write_csv(parts / "1.csv")
    table.tail(120).write_parquet(parts / "2.parquet")
    whole = scored(table)
    with sqlite3.connect("shop.db") as shop:
        table.to_pandas().to_sql("orders", shop, index=False)
    for source in ("parts", "sqlite:///shop.db?orders", (parts / "1.csv").as_uri()):
        [message] = predict(source, Path("out.parquet"))
        rows = 130 if source.startswith("file:") else 250
        assert f"scored {rows} of {rows} rows" in message
        assert pl.read_parquet("out.parquet").drop("_row").equals(whole.drop("_row").head(rows))
    assert not list(Path().glob(".predict-*"))


def test_rows_that_wait_for_their_label_are_scored():
    table, contract = given(), Contract.load()
    lacking = [column.name for column in contract.columns if column.name not in table.columns]
    table.with_columns(**dict.fromkeys(lacking, pl.lit(None, pl.String))).write_csv("in.csv")
    ingest([Part(Path("in.csv"))], contract)
    report = validate(pl.scan_parquet(INGESTED / "*.parquet"), contract)
    assert report["unlabelled"] == 250
    predict(str(UNLABELLED), Path("out.parquet"))
    result = pl.read_parquet("out.parquet")
    assert result["id"].sort().equals(table["id"])
    assert result["reason"].null_count() == 250
