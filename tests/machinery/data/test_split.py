import datetime as dt
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mlops.core.errors import BlockedError, UserError
from mlops.core.params import Params, SplitParams, TrainParams
from mlops.core.problem import Problem
from mlops.data.column_names import ROW
from mlops.data.contract import Column, Contract
from mlops.data.folds import make_folds
from mlops.data.split import PARTS, assign_parts, cut_parts, rows_verdict, run

TYPES = {"k": "integer", "g": "string", "t": "timestamp", "x": "number", "y": "string"}
PARAMS = Params(train=TrainParams(candidates=["linear"]))
ROLES = [
    {},
    {"k": "key"},
    {"g": "group"},
    {"k": "key", "g": "group"},
    {"t": "time"},
    {"t": "time", "k": "key"},
    {"t": "time", "g": "group"},
]


def contract_of(duplicates="keep_all", task="multiclass", **roles):
    types = TYPES | ({"y": "number"} if task == "regression" else {})
    columns = tuple(
        Column(name=name, type=types[name], role=({"y": "target"} | roles).get(name, "feature"))
        for name in types
    )
    classes = {"multiclass": ("a", "b", "c"), "binary": ("a", "b"), "regression": ()}[task]
    return Contract(
        id="t", name="t", task=task, classes=classes, duplicates=duplicates, columns=columns
    )


def table(rows=1500, seed=0):
    dice = np.random.default_rng(seed)
    group = dice.integers(0, 60, rows)
    hours = dice.integers(0, 900, rows)
    return pl.DataFrame(
        {
            ROW: np.arange(1, rows + 1),
            "k": group * 100 + dice.integers(0, 20, rows),
            "g": [f"g{number}" for number in group],
            "t": [dt.datetime(2013, 1, 1) + dt.timedelta(hours=int(hour)) for hour in hours],
            "x": dice.normal(size=rows),
            "y": dice.choice(["a", "b", "c"], rows, p=[0.8, 0.15, 0.05]),
        }
    )


def marked(frame, contract, **params):
    return frame.with_columns(assign_parts(frame, contract, SplitParams(**params)))


@pytest.mark.parametrize("roles", ROLES)
@pytest.mark.parametrize("seed", range(3))
def test_no_key_and_no_group_is_in_two_parts(roles, seed):
    parts = marked(table(seed=seed), contract_of(**roles), seed=seed)
    for name, role in roles.items():
        if role in ("key", "group"):
            assert parts.group_by(name).agg(pl.col("part").n_unique())["part"].max() == 1
    shares = dict(parts["part"].value_counts(normalize=True).iter_rows())
    assert shares == pytest.approx({"train": 0.6, "valid": 0.2, "test": 0.2}, abs=0.06)


@pytest.mark.parametrize("roles", [each for each in ROLES if "t" in each])
def test_nothing_is_learned_from_a_later_time_than_it_is_judged_on(roles):
    parts = marked(table(), contract_of(**roles))
    latest = {name: parts.filter(part=name)["t"].max() for name in PARTS}
    assert latest["train"] < latest["valid"] < latest["test"]
    if "k" not in roles and "g" not in roles:
        first = {name: parts.filter(part=name)["t"].min() for name in PARTS}
        assert latest["train"] < first["valid"]
        assert latest["valid"] < first["test"]


def test_rows_without_a_time_are_never_judged_on():
    frame = table().with_columns(t=pl.when(pl.col(ROW) % 10 != 0).then("t"))
    parts = marked(frame, contract_of(t="time"))
    assert parts.filter(pl.col("t").is_null())["part"].unique().to_list() == ["train"]


def test_each_part_has_the_same_share_of_each_class():
    parts = marked(table(), contract_of())
    for name in PARTS:
        shares = dict(parts.filter(part=name)["y"].value_counts(normalize=True).iter_rows())
        whole = dict(parts["y"].value_counts(normalize=True).iter_rows())
        assert shares == pytest.approx(whole, abs=0.005)


def test_a_row_keeps_its_part_when_rows_are_added():
    whole, contract = table(), contract_of("keep_last", k="key")
    before = marked(whole.head(1400), contract)["part"]
    after = marked(whole, contract)["part"].head(1400)
    assert (before == after).mean() > 0.95
    assert (before == marked(whole.head(1400), contract, seed=99)["part"]).mean() < 0.6


@pytest.mark.parametrize("roles", ROLES)
def test_folds_follow_the_policy(roles):
    frame, contract = table(), contract_of(**roles)
    pairs = make_folds(frame, contract, PARAMS)
    assert len(pairs) == PARAMS.train.folds
    for learn, judge in pairs:
        assert not set(learn) & set(judge)
        for name, role in roles.items():
            if role in ("key", "group"):
                assert not set(frame[learn][name]) & set(frame[judge][name])
        if roles == {"t": "time"}:
            assert frame[learn]["t"].max() < frame[judge]["t"].min()
    if "t" in roles:
        assert all(len(one) < len(next_one) for (one, _), (next_one, _) in pairwise(pairs))
    else:
        assert sorted(np.concatenate([judge for _, judge in pairs])) == list(range(frame.height))


def test_folds_that_cannot_be_scored_are_refused():
    frame = table().with_columns(y=pl.lit("a"))
    with pytest.raises(UserError, match="2 values of y"):
        make_folds(frame, contract_of(), PARAMS)


def project(tmp_path, monkeypatch, contract, frame):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    frame.write_parquet("data/clean.parquet")
    contract.save(Path("contract.yaml"))
    Path("problem.yaml").write_text("name: Test\n")
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")


@pytest.mark.parametrize("roles", [{}, {"t": "time"}])
def test_the_stage_writes_all_rows_once(roles, tmp_path, monkeypatch, capsys):
    frame = table()
    project(tmp_path, monkeypatch, contract_of(**roles), frame)
    run()
    parts = [pl.read_parquet(path) for path in PARTS.values()]
    assert pl.concat(parts).sort(ROW).equals(frame)
    assert "split: " in capsys.readouterr().out
    before = [path.read_bytes() for path in PARTS.values()]
    run()
    assert [path.read_bytes() for path in PARTS.values()] == before


def test_too_few_rows_block(tmp_path, monkeypatch):
    project(tmp_path, monkeypatch, contract_of(), table(150))
    with pytest.raises(BlockedError, match="150 rows are fewer than the 200"):
        run()


def test_a_leak_blocks(tmp_path, monkeypatch):
    frame = table().with_columns(x=pl.col("y").replace_strict({"a": 1.0, "b": 2.0, "c": 3.0}))
    project(tmp_path, monkeypatch, contract_of(), frame)
    with pytest.raises(BlockedError, match="mark x knownAtDecision: false"):
        run()


@pytest.mark.parametrize(
    ("early", "late", "words"),
    [
        (900, 100, "train has no row of class a"),
        (7, 1, "valid has no row of class a"),
        (1, 0, "valid has no rows"),
    ],
)
def test_parts_that_cannot_be_used_block(early, late, words, tmp_path, monkeypatch):
    classes = pl.Series(["b"] * early + ["a"] * late)
    frame = table(early + late).sort("t").with_columns(y=classes)
    contract = contract_of(task="binary", t="time")
    project(tmp_path, monkeypatch, contract, frame)
    verdict = rows_verdict(cut_parts(contract, SplitParams()), 1, Problem(name="t"))
    assert not verdict.passed
    assert words in verdict.meaning
