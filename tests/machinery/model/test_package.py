import json

import numpy as np
import onnx
import polars as pl
import pytest
from flights import candidates
from flights.candidates import CANDIDATES
from mlops.core.errors import UserError
from mlops.core.paths import CHOICE, MODEL, TEST, TRAIN, VALID, write_json
from mlops.model import package
from mlops.model.inputs import list_inputs, make_feed, select_inputs
from mlops.model.trial_runner import predict_scores
from mlops.scoring.predictor import Predictor
from sklearn.linear_model import LogisticRegression

from needs import each
from tables import table

MODELS = [candidate for candidate in CANDIDATES if not candidate.baseline]


def packed(frame, contract, candidate, keep=1.0):
    """The model of the first 300 rows in models/model.onnx, and its comparison on the others."""
    choice = {
        "candidate": candidate.name,
        "parameters": candidate.defaults | quick(candidate),
        "keep": keep,
        "threshold": 0.4,
        "metric": "roc_auc",
        "score": 0.7,
    }
    fitted = package.package_choice(frame[:300], frame[300:], choice, contract)
    return fitted, package.compare_answers(fitted, frame[300:], contract)


def quick(candidate):
    return {name: 20 for name in ("max_iter", "n_estimators") if name in candidate.space}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("candidate", each(MODELS))
def test_the_packaged_model_answers_as_the_trained_one(candidate, task):
    for keep in (1.0, 0.4):
        _, parity = packed(*table(task), candidate, keep)
        assert parity["rows"] == 200
        assert parity["share_differing"] == 0
        assert parity["max_difference"] < 1e-5


@pytest.mark.parametrize("scale", [1e8, 1e-8])
@pytest.mark.parametrize("candidate", each(MODELS))
def test_large_and_small_targets_keep_their_digits(candidate, scale):
    rows, contract = table("regression", scale=scale)
    fitted, parity = packed(rows, contract, candidate)
    assert parity["max_difference"] < 1e-5
    told = predict_scores(fitted, select_inputs(rows, list_inputs(contract)), contract)
    assert told.mean() == pytest.approx(100 * scale, rel=0.1)


@pytest.mark.parametrize("only", [["string"], ["number"], ["date"]])
def test_tables_of_one_kind_of_column_can_be_packaged(only):
    for candidate in (MODELS[0], MODELS[1]):
        assert packed(*table("multiclass", only=only), candidate)[1]["share_differing"] == 0


def test_columns_may_be_called_like_parts_of_the_graph():
    rows, contract = table("regression", only=["number"])
    names = {
        "size, in cm.": "scores",
        "seconds": "variable",
        "same": "/scores",
        "unknown": "input0",
    }
    columns = (c.model_copy(update={"name": names.get(c.name, c.name)}) for c in contract.columns)
    contract = contract.model_copy(update={"columns": tuple(columns)})
    assert packed(rows.rename(names), contract, MODELS[0])[1]["share_differing"] == 0


def test_a_difference_is_seen():
    rows, contract = table()
    fitted, _ = packed(rows, contract, MODELS[1])
    packed(rows[50:], contract, MODELS[1])
    assert package.compare_answers(fitted, rows[300:], contract)["share_differing"] > 0.5


@pytest.mark.parametrize("candidate", each(MODELS))
def test_the_same_rows_make_the_same_bytes(candidate):
    made = []
    for _ in range(2):
        packed(*table(), candidate)
        made.append(MODEL.read_bytes())
    assert made[0] == made[1]


def test_the_file_says_what_it_is_and_holds_no_code():
    rows, contract = table("multiclass")
    packed(rows, contract, MODELS[0])
    meta = Predictor(MODEL).meta
    assert meta["classes"] == ["low", "unmet", "middle", "high"]
    assert meta["outputs"] == [0, 2, 3]
    assert meta["contract"] == {"id": "t-y", "version": "1.0.0"}
    assert [entry["name"] for entry in meta["inputs"]][:2] == ["size, in cm.", "seconds"]
    domains = {node.domain for node in onnx.load(MODEL).graph.node}
    assert domains <= {"", "ai.onnx.ml"}


def test_a_class_that_training_never_met_has_probability_zero():
    rows, contract = table("multiclass")
    packed(rows, contract, MODELS[0])
    scores = Predictor(MODEL).scores(rows)
    assert scores.shape == (400, 4)
    assert (scores[:, 1] == 0).all()
    assert scores.sum(axis=1) == pytest.approx(np.ones(400), abs=1e-5)


def test_scores_come_in_batches_and_for_no_row(monkeypatch):
    rows, contract = table("regression")
    packed(rows, contract, MODELS[0])
    model = Predictor(MODEL)
    whole = model.run(make_feed(select_inputs(rows, list_inputs(contract))))
    monkeypatch.setattr(f"{Predictor.__module__}.BATCH", 150)
    assert (model.scores(rows) == whole).all()
    assert model.scores(rows[:0]).shape == (0,)


def test_a_file_that_is_no_model_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"is not there yet"):
        Predictor(tmp_path / "none.onnx")
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(UserError, match=r"junk\.onnx is not a model"):
        Predictor(tmp_path / "junk.onnx")
    foreign = onnx.helper.make_model(onnx.helper.make_graph([], "g", [], []))
    (tmp_path / "foreign.onnx").write_bytes(foreign.SerializeToString())
    with pytest.raises(UserError, match=r"foreign\.onnx is not a model"):
        Predictor(tmp_path / "foreign.onnx")


def test_the_stage_learns_from_all_rows_but_the_tests(capsys):
    rows, contract = table()
    for path, part in ((TRAIN, rows[:200]), (VALID, rows[200:300]), (TEST, rows[300:])):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_parquet(path)
    contract.save()
    choice = {
        "candidate": "linear",
        "parameters": {"shrinkage": 1.0},
        "keep": 0.5,
        "threshold": 0.4,
        "metric": "roc_auc",
        "score": 0.7,
    }
    write_json(CHOICE, choice)
    package.run()
    told = json.loads(package.PACKAGE.read_text())
    model = Predictor(MODEL)
    assert told["parity"]["share_differing"] == 0
    assert told["bytes"] == MODEL.stat().st_size
    assert model.meta["rows"] == 300
    assert "0.00% of 200 rows differ" in capsys.readouterr().out
    assert pl.Series(model.scores(rows)).is_between(0, 1).all()


def test_a_model_that_cannot_be_converted_is_one_sentence(monkeypatch):
    class Ours(LogisticRegression):
        pass

    made = candidates.Candidate("ours", candidates.scaled, lambda task: Ours())
    monkeypatch.setattr(candidates, "CANDIDATES", (made,))
    rows, contract = table()
    with pytest.raises(UserError, match=r"the candidate ours cannot be converted to ONNX \(.*Ours"):
        packed(rows, contract, made)
    assert not MODEL.exists()


def test_answers_that_are_no_numbers_are_a_difference_that_a_report_can_hold(monkeypatch):
    class Silent:
        def __init__(self, file):
            pass

        def run(self, given):
            return np.full(len(next(iter(given.values()))), np.nan)

    rows, contract = table()
    fitted, _ = packed(rows, contract, MODELS[0])
    monkeypatch.setattr(package, "Predictor", Silent)
    parity = package.compare_answers(fitted, rows[300:], contract)
    assert (parity["share_differing"], parity["max_difference"]) == (1.0, None)
