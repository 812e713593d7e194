import json
import sys

import numpy as np
import polars as pl
import pytest
import yaml
from mlops.core.params import EvaluateParams, Params, TrainParams
from mlops.core.paths import MODEL, TEST, TRAIN, VALID, round_figures
from mlops.core.problem import Baseline, Problem, Value
from mlops.data.contract import Contract
from mlops.evaluation import evaluate
from mlops.registry import registry
from mlops.scoring.predictor import Predictor

import tiny

PARAMS = Params(train=TrainParams(candidates=["linear"]), evaluate=EvaluateParams(resamples=60))
PROBLEM = Problem(name="tiny", value=Value(unit="EUR", true_positive=3, false_positive=-1))
OTHER = {"id": "other", "version": "1.0.0"}
TASKS = ["binary", "multiclass", "regression"]


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    in_use(monkeypatch, None)


def in_use(monkeypatch, tmp_path, best=None, **model):
    """A champion, and the best so far if that is another one; `tmp_path` None: neither."""
    champion = tmp_path and (4, tiny.write_model(tmp_path / "old.onnx", **model))
    monkeypatch.setattr(registry, "fetch_champion", lambda: champion)
    monkeypatch.setattr(registry, "fetch_best", best or (lambda: champion))


def judged(task="binary", problem=PROBLEM, params=PARAMS, table=None, **model):
    tiny.write_model(MODEL, task, **model)
    table = tiny.table(task) if table is None else table
    contract = Contract(**tiny.contract(task))
    report = evaluate.evaluate_model(
        Predictor(MODEL), table, contract, problem, params, past=table[:0].lazy()
    )
    return round_figures(report)


@pytest.mark.parametrize("task", TASKS)
def test_a_good_model_is_seen_to_be_good(task):
    report = judged(task)
    metric = report["primary_metric"]
    assert metric["low"] < metric["value"] < metric["high"]
    assert metric["low"] > report["baseline"]["value"] + 0.2
    assert report["value"]["model"] > report["value"]["do_nothing"]
    assert [report["importance"][0]["input"], report["rows"]] == ["x", 1500]
    assert report["importance"][1]["drop"] == 0
    assert [entry["column"] for entry in report["slices"]] == ["group"] * 3
    assert sum(entry["rows"] for entry in report["calibration"]["bins"]) == 1500
    json.dumps(report, allow_nan=False)


@pytest.mark.parametrize("task", TASKS)
def test_a_model_that_knows_nothing_is_no_better_than_the_baseline(task):
    report = judged(task, weight=0.0)
    assert report["primary_metric"]["value"] <= report["baseline"]["value"] + 0.02
    assert report["value"]["always_act"] is None or report["value"]["always_act"] != 0


def test_confusion_counts_truth_by_decision():
    report = judged(threshold=0.9)["confusion"]
    (_, wrong), (missed, hit) = report["counts"]
    assert report["labels"] == ["false", "true"]
    assert wrong < missed
    assert sum(map(sum, report["counts"])) == 1500
    assert hit > 0
    assert judged("regression")["confusion"] is None
    assert np.array(judged("multiclass")["confusion"]["counts"]).shape == (3, 3)


def test_calibration_tells_an_overconfident_model():
    assert judged()["calibration"]["error"] < 0.04
    assert judged(weight=20.0)["calibration"]["error"] > 0.1
    assert judged("multiclass", weight=20.0)["calibration"]["error"] > 0.1


def test_todays_score_counts_when_it_is_the_better_baseline():
    today = PROBLEM.model_copy(update={"baseline": Baseline(score=0.7)})
    assert judged(problem=today)["baseline"]["source"] == "problem.yaml"
    worse = PROBLEM.model_copy(update={"baseline": Baseline(score=0.4)})
    assert judged(problem=worse)["baseline"] == {
        "forecast": False,
        "name": "roc_auc",
        "value": 0.5,
        "source": "the same answer for every row",
    }


def test_value_follows_the_threshold():
    never = judged(threshold=1.01)["value"]
    assert never["model"] == never["do_nothing"] == 0
    always = judged(threshold=0.0)["value"]
    assert always["model"] == always["always_act"]
    assert judged(threshold=0.25)["value"]["model"] > always["model"]


def test_a_single_class_is_told_as_not_known():
    table = tiny.table().with_columns(answer=pl.lit(True))
    report = judged(table=table)
    assert report["primary_metric"]["value"] is None
    assert report["primary_metric"]["low"] is None
    assert report["slices"][0]["metric"] is None


def compared():
    report = judged()
    return report["champion"], report["champion_note"]


def test_an_identical_champion_differs_by_nothing(monkeypatch, tmp_path):
    in_use(monkeypatch, tmp_path)
    report, note = compared()
    assert (report["difference"], report["low"], report["high"], note) == (0, 0, 0, None)
    assert report["version"] == 4


def test_a_worse_champion_is_beaten_beyond_chance(monkeypatch, tmp_path):
    in_use(monkeypatch, tmp_path, weight=-2.0)
    report, _ = compared()
    assert report["low"] > 0.5
    assert report["score"] < 0.2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"classes": ["no", "yes"]}, "other classes"),
        ({"inputs": [{"name": "z", "column": "z", "kind": "number", "part": None}]}, "changed: z"),
        ({"inputs": [{"name": "x", "column": "x", "kind": "text", "part": None}]}, "changed: x"),
    ],
)
def test_a_champion_that_cannot_be_compared_says_why(monkeypatch, tmp_path, changes, reason):
    in_use(monkeypatch, tmp_path, **changes)
    report, note = compared()
    assert report is None
    assert "version 4" in note
    assert reason in note


def test_with_another_table_everything_starts_anew(monkeypatch, tmp_path):
    in_use(monkeypatch, tmp_path, contract=OTHER)
    assert compared() == (None, "there is no champion yet")


def test_the_best_so_far_is_compared_too(monkeypatch, tmp_path):
    in_use(monkeypatch, tmp_path)
    report = judged()
    assert report["best"] == report["champion"]
    path = tiny.write_model(tmp_path / "best.onnx", weight=-2.0)
    in_use(monkeypatch, tmp_path, best=lambda: (2, path))
    report = judged()
    assert [report[name]["version"] for name in ("champion", "best")] == [4, 2]
    assert report["best"]["low"] > 0.5 > report["champion"]["low"] == 0


def test_a_model_whose_file_is_gone_cannot_be_compared(monkeypatch, tmp_path):
    def gone():
        raise registry.ModelGoneError("the registry has lost it")

    in_use(monkeypatch, tmp_path, best=gone)
    report = judged()
    assert (report["champion"]["version"], report["best"]) == (4, None)
    assert report["champion_note"] == "the best so far cannot answer, the registry has lost it"
    monkeypatch.setattr(registry, "fetch_champion", gone)
    report = judged()
    assert (report["champion"], report["best"]) == (None, None)
    assert report["champion_note"].startswith("the champion cannot answer")


@pytest.mark.parametrize(("change", "compared"), [("role", True), ("known_at_decision", False)])
def test_a_champion_that_reads_what_is_ignored_by_now_is_compared(
    monkeypatch, tmp_path, change, compared
):
    in_use(monkeypatch, tmp_path)
    tiny.write_model(MODEL, weight=0.1)
    columns = [dict(column) for column in tiny.columns("binary")]
    columns[0] |= {change: {"role": "ignored", "known_at_decision": False}[change]}
    contract, table = Contract(**tiny.contract(columns=tuple(columns))), tiny.table()
    report = evaluate.evaluate_model(
        Predictor(MODEL), table, contract, PROBLEM, PARAMS, past=table[:0].lazy()
    )
    assert bool(report["champion"]) is compared
    assert ("changed: x" in str(report["champion_note"])) is not compared


def prepare():
    Contract(**tiny.contract()).save()
    with open("problem.yaml", "w", encoding="utf-8") as file:
        yaml.safe_dump({"name": "tiny"}, file)
    with open("params.yaml", "w", encoding="utf-8") as file:
        yaml.safe_dump(PARAMS.model_dump(include={"train", "evaluate"}), file)
    tiny.write_model(MODEL)
    TEST.parent.mkdir(parents=True)
    for part in (TRAIN, VALID, TEST):
        tiny.table().write_parquet(part)


def test_the_stage_writes_its_files_the_same_twice(monkeypatch, tmp_path, capsys):
    prepare()
    evaluate.run()
    files = [evaluate.EVALUATION, evaluate.METRICS, *sorted(evaluate.PLOTS.glob("*.csv"))]
    first = [path.read_bytes() for path in files]
    evaluate.run()
    assert first == [path.read_bytes() for path in files]
    assert [path.stem for path in files[2:]] == ["calibration", "importance", "slices"]
    report = json.loads(first[0])
    assert report["champion"] is None
    assert report["champion_note"] == "there is no champion yet"
    assert json.loads(first[1])["roc_auc"] == report["primary_metric"]["value"]
    assert "roc_auc 0.8" in capsys.readouterr().out
    in_use(monkeypatch, tmp_path, weight=-2.0)
    evaluate.run()
    report = json.loads(evaluate.EVALUATION.read_text())
    assert report["value"]["champion"] == report["champion"]["value"] < report["value"]["model"]


def test_nothing_registered_means_no_mlflow(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///absent.db")
    known = "mlflow" in sys.modules
    assert registry.fetch_champion() is None
    assert ("mlflow" in sys.modules) == known
