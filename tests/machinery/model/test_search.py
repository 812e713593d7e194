import time

import numpy as np
import optuna
import pytest
from flights.candidates import CANDIDATES
from flights.features import scaled
from mlops.core.errors import UserError
from mlops.core.params import Params, TrainParams
from mlops.model.candidate import Candidate, Range
from mlops.model.search import run_search
from mlops.model.trial_log import open_trial_log
from mlops.model.trial_runner import Plan, Trial, TrialRunner

from tables import table

LINEAR = next(candidate for candidate in CANDIDATES if candidate.name == "linear")
TREES = next(each for each in CANDIDATES if each.name == "hist_gradient_boosting")


def small(task="binary", **changes):
    rows, contract = table(task, rows=200)
    settings = {"trials": 7, "batch": 3, "processes": 1, "folds_below_rows": 0, **changes}
    params = Params(train=TrainParams(candidates=["linear", "hist_gradient_boosting"], **settings))
    return TrialRunner.of(rows[:150], rows[150:], contract, params), params.train


def told(trials):
    return [(t.plan.candidate.name, t.plan.settings, t.plan.keep, t.score) for t in trials]


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Where nothing but the defaults is set: the team's cluster takes no part."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("train: {candidates: [linear]}\n")
    for name in ("DASK_SCHEDULER_ADDRESS", "OPTUNA_STORAGE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "one.log"


def test_the_defaults_come_first_and_the_budget_is_kept(log):
    runner, params = small()
    trials = run_search(runner, [LINEAR, TREES], params, log)
    assert len(trials) == 7
    assert [trial.plan for trial in trials[:2]] == [
        Plan(LINEAR, LINEAR.defaults),
        Plan(TREES, TREES.defaults),
    ]
    assert all(0 <= trial.score <= 1 and trial.seconds > 0 for trial in trials)


def test_settings_stay_in_their_space(log):
    runner, params = small(trials=9)
    for trial in run_search(runner, [LINEAR, TREES], params, log):
        space = trial.plan.candidate.space
        assert trial.plan.settings.keys() == space.keys()
        for name, value in trial.plan.settings.items():
            assert space[name].low <= value <= space[name].high
        assert trial.plan.keep in (0.25, 0.5, 0.75, 1.0)


def test_the_number_of_processes_does_not_matter(log, tmp_path):
    runner, params = small(trials=4, batch=2)
    alone = run_search(runner, [LINEAR, TREES], params, log)
    others = params.model_copy(update={"processes": 2})
    assert told(run_search(runner, [LINEAR, TREES], others, tmp_path / "two.log")) == told(alone)


class Killed(BaseException):
    """What a kill does to a search: no code of the search catches it."""


@pytest.mark.parametrize("torn", ["", '{"score": 0.4, "sec'])
def test_a_killed_search_goes_on_where_it_was(log, tmp_path, monkeypatch, torn):
    runner, params = small()
    whole = told(run_search(runner, [LINEAR, TREES], params, tmp_path / "whole.log"))
    attempt, tried = TrialRunner.attempt, []

    def mortal(self, plan):
        if len(tried) == 5:
            raise Killed
        tried.append(plan)
        return attempt(self, plan)

    monkeypatch.setattr(TrialRunner, "attempt", mortal)
    with pytest.raises(Killed):
        run_search(runner, [LINEAR, TREES], params, log)
    with log.open("a", encoding="utf-8") as stream:
        stream.write(torn)
    tried.clear()
    monkeypatch.setattr(
        TrialRunner, "attempt", lambda self, plan: tried.append(plan) or attempt(self, plan)
    )
    assert told(run_search(runner, [LINEAR, TREES], params, log)) == whole
    assert len(tried) == 2


def test_a_finished_search_is_not_run_again_and_a_larger_one_goes_on(log, monkeypatch):
    runner, params = small()
    first = told(run_search(runner, [LINEAR, TREES], params, log))
    more = params.model_copy(update={"trials": 8})
    assert told(run_search(runner, [LINEAR, TREES], more, log))[:7] == first
    monkeypatch.setattr(TrialRunner, "attempt", None)
    assert told(run_search(runner, [LINEAR, TREES], params, log)) == first


def test_a_study_in_a_database_remembers_as_the_file_does(log, tmp_path, monkeypatch):
    runner, params = small(trials=5)
    whole = told(run_search(runner, [LINEAR, TREES], params, tmp_path / "file.log"))
    monkeypatch.setenv("OPTUNA_STORAGE", f"sqlite:///{tmp_path}/study.db")
    fewer = params.model_copy(update={"trials": 3})
    assert told(run_search(runner, [LINEAR, TREES], fewer, log)) == whole[:3]
    twice = open_trial_log(log)  # another machine at work on the same search
    assert told(run_search(runner, [LINEAR, TREES], params, log)) == whole
    study = optuna.load_study(study_name="one", storage=f"sqlite:///{tmp_path}/study.db")
    twice.add(study.trials[3], {"score": 0.0, "seconds": 0.0, "fault": ""})
    monkeypatch.setattr(TrialRunner, "attempt", None)
    assert told(run_search(runner, [LINEAR, TREES], params, log)) == whole
    assert not log.exists()


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://app:s3cr%40t@127.0.0.1:1/x",  # pragma: allowlist secret
        "s3cr%40t",
        "nosuch://app:s3cr%40t@h/x",  # pragma: allowlist secret
    ],
)
def test_a_database_out_of_reach_is_one_sentence_without_its_password(log, monkeypatch, address):
    monkeypatch.setenv("OPTUNA_STORAGE", address)
    with pytest.raises(UserError, match="OPTUNA_STORAGE cannot be used") as refused:
        open_trial_log(log)
    assert "\n" not in str(refused.value)
    assert "s3cr" not in str(refused.value)


def test_seconds_end_the_search_within_a_batch(log, monkeypatch):
    def slow(self, plan):
        time.sleep(0.6)
        return Trial(plan, 0.5, 0.6)

    runner, params = small(trials=1000, seconds=1, batch=100)
    monkeypatch.setattr(TrialRunner, "attempt", slow)
    trials = run_search(runner, [LINEAR], params, log)
    assert 1 <= len(trials) == len(log.read_text().splitlines()) <= 2


def test_a_candidate_that_cannot_be_fitted_does_not_end_the_search(log):
    def broken(task, power):
        raise ValueError(f"no such\npower {power}")

    runner, params = small()
    bad = Candidate("broken", scaled, broken, {"power": Range(1, 3, 2)})
    trials = run_search(runner, [bad, LINEAR], params, log)
    assert (trials[0].score, trials[0].fault) == (None, "ValueError: no such power 2")
    assert trials[1].score > 0.5


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_targets_are_searched_as_well(log, task):
    runner, params = small(task, trials=4)
    trials = run_search(runner, [LINEAR, TREES], params, log)
    assert max(trial.score for trial in trials) > 0.3
    assert np.isfinite([trial.score for trial in trials]).all()
