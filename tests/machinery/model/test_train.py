import csv
import json
import re
from importlib import import_module
from itertools import count

import pytest
from flights import candidates
from mlops.core.errors import UserError
from mlops.core.params import Params, TrainParams
from mlops.core.paths import CHOICE, TRAIN, VALID
from mlops.model import train
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression

from tables import table
from team_packages import team_package

GOMP = "libgomp.so.1: cannot open shared object file"
NUMBERS = count()
PROBLEM = "name: t\nvalue: {unit: EUR, true_positive: 3.0, false_positive: -1.0}\n"
CANDIDATES = "candidates: [baseline, linear, hist_gradient_boosting]"
SETTINGS = f"{CANDIDATES}, trials: 4, processes: 1, folds_below_rows: 0"


class Broken:
    def fit(self, values, truth):
        raise ValueError("it is broken")


def project(task="binary", settings=SETTINGS):
    rows, contract = table(task)
    for path, part in ((TRAIN, rows[:300]), (VALID, rows[300:])):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_parquet(path)
    contract.save()
    CHOICE.parent.parent.joinpath("problem.yaml").write_text(PROBLEM)
    CHOICE.parent.parent.joinpath("params.yaml").write_text("train: {" + settings + "}\n")
    return contract


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_best_is_chosen_and_told(capsys):
    project()
    train.run()
    choice = json.loads(CHOICE.read_text())
    scores = {entry["name"]: entry["score"] for entry in choice["candidates"]}
    assert scores["baseline"] == 0.5
    assert choice["candidate"] == max(scores, key=scores.get)
    assert choice["score"] == scores[choice["candidate"]] > 0.75
    assert choice["metric"] == "roc_auc"
    assert choice["trials"] == 5 == sum(entry["trials"] for entry in choice["candidates"])
    assert 0.02 < choice["threshold"] < 0.6
    assert f"train: {choice['candidate']} chosen in 5 trials" in capsys.readouterr().out


def test_the_trials_are_a_table_with_the_settings_of_each():
    project()
    train.run()
    with train.TRIALS.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["trial"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert rows[0]["candidate"] == "linear"
    assert rows[0]["linear.shrinkage"] == "1.0"
    assert rows[0]["hist_gradient_boosting.max_iter"] == ""
    assert rows[-1]["candidate"] == "baseline"
    assert {row["state"] for row in rows} == {"complete"}


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_only_a_yes_or_no_has_a_threshold(task):
    project(task)
    train.run()
    assert json.loads(CHOICE.read_text())["threshold"] is None


def test_running_again_tries_nothing_again_and_chooses_the_same(monkeypatch):
    project()
    train.run()
    first = CHOICE.read_bytes()
    attempt, tried = train.TrialRunner.attempt, []

    def counted(self, plan):
        tried.append(plan.candidate.name)
        return attempt(self, plan)

    monkeypatch.setattr(train.TrialRunner, "attempt", counted)
    train.run()
    assert set(tried) == {"baseline"}
    assert CHOICE.read_bytes() == first


def test_other_rows_or_settings_make_another_search_and_a_larger_budget_does_not():
    project()
    params = TrainParams(candidates=["linear"])

    def log(names=("linear",), **changes):
        return train.name_log(params.model_copy(update=changes), names)

    first = log()
    assert log(trials=99, seconds=5, processes=2) == first
    assert log(batch=2) != first
    assert log(["linear", "lightgbm"]) != first
    TRAIN.write_bytes(b"other")
    assert log() != first


@pytest.mark.parametrize("name", ["helper", "__init__", "candidates"])
def test_a_change_in_any_module_of_the_team_makes_another_search(tmp_path, name):
    text = "# The team's.\nfrom .helper import scaled\nCANDIDATES = ()\n"
    logs = []
    for change in ("", "# changed"):
        with team_package(tmp_path / f"with{change[2:]}", candidates=text) as folder:
            (folder / "helper.py").write_text("from .features import scaled\n")
            with (folder / f"{name}.py").open("a") as file:
                file.write(change)
            project()
            train.load_candidates()
            logs.append(train.name_log(TrainParams(candidates=["linear"]), ["linear"]).name)
    assert logs[0] != logs[1]


def test_the_log_of_another_search_is_removed():
    project()
    train.LOGS.mkdir()
    (train.LOGS / "old.log").touch()
    train.run()
    assert [path.name for path in train.LOGS.glob("*.log")] != ["old.log"]
    assert len(list(train.LOGS.glob("*.log"))) == 1


def test_a_candidate_that_is_not_there_is_named_with_those_that_are():
    project(settings="candidates: [liner]")
    with pytest.raises(
        UserError,
        match=r"'liner' is not in candidates\.py \(.*/candidates\.py:\d+\), which has",
    ):
        train.run()


def test_baselines_alone_cannot_be_chosen_from():
    project(settings="candidates: [baseline]")
    with pytest.raises(UserError, match=r"names no model that could be chosen: add one of linear"):
        train.run()


def test_if_nothing_could_be_scored_the_reason_is_told(monkeypatch):
    def broken(task):
        return Broken()

    project(settings="candidates: [broken], trials: 1, processes: 1")
    made = candidates.Candidate("broken", candidates.raw, broken)
    monkeypatch.setattr(candidates, "CANDIDATES", (made,))
    with pytest.raises(UserError, match=r"No trial of the search could be scored: .*it is broken"):
        train.run()
    assert not CHOICE.exists()


def test_a_candidate_all_of_whose_trials_fail_is_told(monkeypatch, capsys):
    def broken(task):
        return Broken()

    project(settings="candidates: [broken, linear], trials: 4, processes: 1")
    made = candidates.Candidate("broken", candidates.raw, broken)
    monkeypatch.setattr(candidates, "CANDIDATES", (made, *candidates.CANDIDATES))
    train.run()
    says = r"broken: all \d trials? failed: ValueError: it is broken"
    assert re.search(rf"^train: {says}$", capsys.readouterr().out, re.MULTILINE)
    [reason] = json.loads(CHOICE.read_text())["left_out"]
    assert re.fullmatch(says, reason)
    with train.TRIALS.open(encoding="utf-8") as stream:
        faults = {row["candidate"]: row["fault"] for row in csv.DictReader(stream)}
    assert faults == {"broken": "ValueError: it is broken", "linear": ""}


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Write a library that does this when it is imported, and return what imports it."""
    name = f"boost{next(NUMBERS)}"
    monkeypatch.syspath_prepend(str(tmp_path))

    def written(code):
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
        return lambda task: import_module(name)

    return written


@pytest.mark.parametrize(
    ("code", "lack"),
    [
        (f"raise OSError({GOMP!r})", "'apt-get install libgomp1'"),
        ("raise OSError('libomp.dylib: no such file')", "'brew install libomp'"),
        ("raise ImportError('undefined symbol: it')", r"is broken \(undefined symbol: it\)"),
        ("import nothing_that_is", "'uv add nothing_that_is' brings it"),
    ],
)
def test_a_candidate_whose_library_cannot_be_loaded_is_left_out(
    monkeypatch, capsys, library, code, lack
):
    boost = library(code)
    project(settings="candidates: [boost, linear], trials: 1, processes: 1")
    added = candidates.Candidate("boost", candidates.raw, boost)
    monkeypatch.setattr(candidates, "CANDIDATES", (added, *candidates.CANDIDATES))
    train.run()
    [told] = [line for line in capsys.readouterr().out.splitlines() if "left out boost: " in line]
    assert re.search(lack, told)
    choice = json.loads(CHOICE.read_text())
    assert choice["candidate"] == "linear"
    [reason] = choice["left_out"]
    assert re.search(lack, reason)


def test_where_no_library_can_be_loaded_the_run_ends_in_one_sentence(monkeypatch, library):
    boost = library(f"raise OSError({GOMP!r})")
    project(settings="candidates: [baseline, boost]")
    added = candidates.Candidate("boost", candidates.raw, boost)
    monkeypatch.setattr(candidates, "CANDIDATES", (added, *candidates.CANDIDATES))
    with pytest.raises(UserError, match=r"can be made on this machine: boost: libgomp is not"):
        train.run()


def isotonic(task):
    """A model that skl2onnx converts wrongly: it takes the nearest step for what lies between."""
    return CalibratedClassifierCV(LogisticRegression(), cv=2, method="isotonic")


def test_a_candidate_that_converts_wrongly_is_left_out(monkeypatch, capsys):
    project(settings="candidates: [odd, linear], trials: 1, processes: 1")
    odd = candidates.Candidate("odd", candidates.scaled, isotonic)
    monkeypatch.setattr(candidates, "CANDIDATES", (odd, *candidates.CANDIDATES))
    train.run()
    assert "train: left out odd: as an ONNX file it answers " in capsys.readouterr().out
    choice = json.loads(CHOICE.read_text())
    assert choice["candidate"] == "linear"
    assert [reason.partition(":")[0] for reason in choice["left_out"]] == ["odd"]


def test_where_all_convert_wrongly_the_run_ends_in_one_sentence(monkeypatch):
    project(settings="candidates: [baseline, odd]")
    odd = candidates.Candidate("odd", candidates.scaled, isotonic)
    monkeypatch.setattr(candidates, "CANDIDATES", (odd, *candidates.CANDIDATES))
    with pytest.raises(UserError, match=r"can be packaged: odd: as an ONNX file it answers"):
        train.run()


def test_settings_have_a_metric_of_their_own():
    contract = project("regression")
    rows, _ = table("regression")
    params = Params(train=TrainParams(candidates=["linear"], metric="neg_mae"))
    assert train.TrialRunner.of(rows[:300], rows[300:], contract, params).metric.name == "neg_mae"
