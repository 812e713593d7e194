"""Looking again and again: alone, not too often, and with an exit code for schedules."""

import pytest
from filelock import FileLock
from mlops.core.errors import UserError
from mlops.core.params import Monitoring, Params, TrainParams, Watch
from mlops.core.problem import Problem
from mlops.monitoring import story, watch
from mlops.monitoring.exporter import Exporter
from mlops.monitoring.look import Seen

ADDRESS = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    """What the watch sees, and what became of it; to be changed by a test."""
    monkeypatch.chdir(tmp_path)
    seen = {"worse": "", "why": ["it drifted"], "outcome": "promoted", "floor": "1d", "grow": False}

    def look(*_):
        if isinstance(seen["why"], Exception):
            raise seen["why"]
        return Seen(seen["why"], [])

    def params():
        settings = Watch(retrain_at_most_every=seen["floor"], grow=seen["grow"])
        train = TrainParams(candidates=["linear"])
        return Params(train=train, monitoring=Monitoring(watch=settings))

    monkeypatch.setattr(watch, "look", look)
    monkeypatch.setattr(watch.Client, "ready", lambda _: None)
    monkeypatch.setattr(watch.Client, "get", lambda *_: {"model_version": "2"})
    monkeypatch.setattr(watch, "compared", lambda *_: seen["worse"])
    monkeypatch.setattr(watch, "improve", lambda *_: seen["outcome"])
    monkeypatch.setattr(watch, "grow", lambda *_: ["3 added"])
    monkeypatch.setattr(Params, "read", params)
    monkeypatch.setattr(Problem, "read", lambda: Problem(name="p"))
    return seen


def kinds():
    return [step.kind for step in story.steps()]


def test_all_well_changes_nothing(world):
    world["why"] = []
    watch.watch(ADDRESS, "127.0.0.1", 0, once=True)
    assert kinds() == ["looked"]


def test_a_cause_leads_to_training_and_the_table_grows_where_it_may(world):
    watch.watch(ADDRESS, "127.0.0.1", 0, once=True)
    assert kinds() == ["looked", "began"]
    world |= {"grow": True, "floor": "1s"}
    watch.time.sleep(2)
    watch.watch(ADDRESS, "127.0.0.1", 0, once=True)
    assert kinds() == ["looked", "began", "looked", "began", "grew"]


def test_training_is_not_begun_too_often():
    for _ in range(2):
        watch.watch(ADDRESS, "127.0.0.1", 0, once=True)
    assert kinds() == ["looked", "began", "looked", "waited"]


def test_what_fails_is_told_and_fails_the_job(world):
    world["why"] = UserError("There is no journal.")
    with pytest.raises(UserError, match="'monitor story' tells"):
        watch.watch(ADDRESS, "127.0.0.1", 0, once=True)
    assert [(step.kind, step.told) for step in story.steps()] == [
        ("failed", "There is no journal.")
    ]


def test_a_service_that_cannot_be_changed_is_noticed_before_the_work(world, monkeypatch):
    def ready(_):
        raise UserError("set ADMIN_KEY as the service has it.")

    monkeypatch.setattr(watch.Client, "ready", ready)
    with pytest.raises(UserError, match="set ADMIN_KEY"):
        watch.watch(ADDRESS, "127.0.0.1", 0, once=True)
    assert kinds() == ["looked", "failed"]


def test_a_service_that_is_gone_is_noticed(world, monkeypatch):
    def get(*_):
        raise UserError("it does not answer: start the service.")

    world["why"] = []
    monkeypatch.setattr(watch.Client, "get", get)
    with pytest.raises(UserError, match="start the service"):
        watch.watch(ADDRESS, "127.0.0.1", 0, once=True)
    assert kinds() == ["looked", "failed"]


def test_two_at_once_are_refused():
    watch.LOCK.parent.mkdir()
    with FileLock(watch.LOCK), pytest.raises(UserError, match="another 'monitor watch'"):
        watch.watch(ADDRESS, "127.0.0.1", 0, once=True)
    assert kinds() == []


@pytest.mark.parametrize("outcome", ["promoted", "refused", "rolled_back", "kept"])
def test_prometheus_is_told_how_it_ended(world, outcome):
    world["outcome"] = outcome
    exporter = Exporter(None)
    assert watch.turn(watch.Client(ADDRESS), "", exporter)
    told = exporter.registry.get_sample_value("retraining_total", {"outcome": outcome})
    assert told == 1


def test_a_model_that_is_worth_less_is_taken_back(world, monkeypatch):
    world["worse"] = "It is worth less."
    taken = []
    monkeypatch.setattr(watch, "take_back", lambda *what: taken.append(what[1:]))
    watch.watch(ADDRESS, "127.0.0.1", 0, once=True)
    assert taken == [("2", "It is worth less.")]
    assert kinds() == ["looked"]


def test_the_watch_is_at_work_also_when_there_is_nothing_to_see(world):
    world["why"] = UserError("There is no journal.")
    exporter = Exporter(None)
    assert not watch.turn(watch.Client(ADDRESS), "", exporter)
    assert exporter.registry.get_sample_value("watch_last_run_timestamp_seconds") > 1e9
    assert exporter.registry.get_sample_value("retraining_total", {"outcome": "failed"}) == 0
