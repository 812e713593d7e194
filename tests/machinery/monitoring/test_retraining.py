"""The retraining loop: alone, not too often, and with an exit code for schedules."""

import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from filelock import FileLock
from mlops.core.errors import UserError
from mlops.core.params import Monitoring, Params, TrainParams, Watch
from mlops.core.paths import write_json
from mlops.monitoring import retraining, story
from mlops.monitoring.exporter import Exporter
from mlops.monitoring.retraining import Successor, look_and_retrain, run_loop


class Fake(Successor):
    """Where all is as a test wants it; `given`: what was handed over."""

    def __init__(self):
        self.fault = self.obstacle = ""
        self.taken_back, self.outcome, self.given = None, "promoted", []

    def check(self):
        if self.fault:
            raise UserError(self.fault)

    def take_back_if_worse(self, performance):
        return self.taken_back

    def find_obstacle(self):
        if isinstance(self.obstacle, Exception):
            raise self.obstacle
        return self.obstacle

    def hand_over(self, version, reasons, steps):
        self.given.append((version, reasons, [step.kind for step in steps]))
        return self.outcome


@pytest.fixture
def successor():
    return Fake()


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    """What the loop sees; to be changed by a test. Training gives version 2."""
    monkeypatch.chdir(tmp_path)
    world = {"why": ["it drifted"], "version": "2", "floor": "1d", "grow": False, "failed": ()}

    def observe(*_):
        if isinstance(world["why"], Exception):
            raise world["why"]
        checks = [{"name": n, "passed": False, "meaning": f"{n} is off"} for n in world["failed"]]
        return {"performance": {}, "checks": checks}

    def params():
        settings = Watch(retrain_at_most_every=world["floor"], grow=world["grow"])
        train = TrainParams(candidates=["linear"])
        return Params(train=train, monitoring=Monitoring(watch=settings))

    monkeypatch.setattr(retraining, "observe", observe)
    monkeypatch.setattr(retraining, "describe", lambda _: "; ".join(world["why"]))
    monkeypatch.setattr(retraining, "reasons_to_retrain", lambda _: world["why"])
    monkeypatch.setattr(retraining, "grow_table", lambda *_: ["3 added"])
    monkeypatch.setattr(retraining, "train_champion", lambda: world["version"])
    monkeypatch.setattr(Exporter, "export", lambda *_: None)
    monkeypatch.setattr(Params, "read", params)
    return world


def kinds():
    return [step.kind for step in story.read_steps()]


def test_all_well_changes_nothing(world, successor):
    world["why"] = []
    run_loop(successor, once=True)
    assert kinds() == ["looked"]
    assert successor.given == []


def test_a_cause_leads_to_training_and_the_table_grows_where_it_may(world, successor):
    run_loop(successor, once=True)
    assert kinds() == ["looked", "began"]
    assert successor.given == [("2", ["it drifted"], ["began"])]
    world |= {"grow": True, "floor": "1s"}
    began_long_ago()
    run_loop(successor, once=True)
    assert kinds()[2:] == ["looked", "began", "grew"]
    assert successor.given[1:] == [("2", ["it drifted"], ["began", "grew"])]


def test_what_may_be_a_fault_of_the_data_is_learned_only_once_a_person_accepts_it(world, successor):
    world |= {"failed": ("drift", "unseen"), "grow": True, "floor": "1s"}
    run_loop(successor, once=True)
    assert kinds() == ["looked", "asked"]
    assert story.read_steps()[-1].told.startswith("drift is off; unseen is off, and decisions are")
    story.accept("  a second airport\nis served ")
    assert story.read_steps()[-1].told == "what came in is right: a second airport is served"
    run_loop(successor, once=True)
    assert kinds()[3:] == ["looked", "began", "grew"]
    began_long_ago()
    run_loop(successor, once=True)
    assert kinds()[6:] == ["looked", "asked"], "it was accepted for one training"


def test_what_was_accepted_long_ago_says_nothing_of_what_came_since(world, successor):
    world |= {"failed": ("drift",)}
    story.accept("it is right")
    began_long_ago()
    run_loop(successor, once=True)
    assert kinds() == ["accepted", "looked", "asked"]
    with pytest.raises(UserError, match="--because is empty"):
        story.accept(" ")


def test_worse_decisions_are_learned_from_without_the_rows_in_doubt(world, successor):
    world |= {"failed": ("drift", "value"), "grow": True}
    run_loop(successor, once=True)
    assert kinds() == ["looked", "began", "asked"]
    assert story.read_steps()[-1].told.startswith("no row joins the table: drift is off. If the")
    assert successor.given == [("2", ["it drifted"], ["began", "asked"])]


def began_long_ago():
    """Set all that was written down a day back."""
    when = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds")
    steps = [step._replace(when=when) for step in story.read_steps()]
    story.STORY.unlink()
    for step in steps:
        with story.STORY.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(step._asdict()) + "\n")


def test_training_is_not_begun_too_often(successor):
    for _ in range(2):
        run_loop(successor, once=True)
    assert kinds() == ["looked", "began", "looked", "waited"]
    assert len(successor.given) == 1


def test_what_is_in_the_way_is_told_and_nothing_is_trained(successor):
    successor.obstacle = "it is not trained here"
    run_loop(successor, once=True)
    assert kinds() == ["looked", "waited"]
    assert story.read_steps()[-1].told == "it is not trained here"


def test_what_a_gate_refused_is_not_handed_over(world, successor):
    world["version"] = None
    run_loop(successor, once=True)
    assert kinds() == ["looked", "began"]
    assert successor.given == []


def test_what_fails_is_told_and_fails_the_job(world, successor):
    world["why"] = UserError("There is no journal.")
    with pytest.raises(UserError, match="'monitor story' shows"):
        run_loop(successor, once=True)
    assert [(step.kind, step.told) for step in story.read_steps()] == [
        ("failed", "There is no journal.")
    ]


def test_a_service_that_cannot_be_changed_is_noticed_before_the_work(successor):
    successor.obstacle = UserError("set ADMIN_KEY as the service has it.")
    with pytest.raises(UserError, match="set ADMIN_KEY"):
        run_loop(successor, once=True)
    assert kinds() == ["looked", "failed"]


def test_a_service_that_is_gone_is_noticed(world, successor):
    world["why"] = []
    successor.fault = "it does not answer: start the service."
    with pytest.raises(UserError, match="start the service"):
        run_loop(successor, once=True)
    assert kinds() == ["looked", "failed"]


def test_it_looks_again_and_again_unless_it_is_to_look_once(world, successor, monkeypatch):
    world["why"] = []
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(retraining.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        run_loop(successor, once=False)
    assert kinds() == ["looked"] * 3
    assert slept == [3600] * 3


def test_two_at_once_are_refused(successor):
    retraining.LOCK.parent.mkdir()
    with FileLock(retraining.LOCK), pytest.raises(UserError, match="another 'monitor watch'"):
        run_loop(successor, once=True)
    assert kinds() == []


@pytest.mark.parametrize("outcome", ["promoted", "refused", "rolled_back", "kept"])
def test_prometheus_is_told_how_it_ended(successor, outcome):
    successor.outcome = outcome
    exporter = Exporter(None)
    assert look_and_retrain(successor, exporter)
    assert exporter.registry.get_sample_value("retraining_total", {"outcome": outcome}) == 1


def test_after_a_model_was_taken_back_none_is_trained(successor):
    successor.taken_back = "rolled_back"
    exporter = Exporter(None)
    assert look_and_retrain(successor, exporter)
    assert exporter.registry.get_sample_value("retraining_total", {"outcome": "rolled_back"}) == 1
    assert kinds() == ["looked"]


def test_the_watch_is_at_work_also_when_there_is_nothing_to_see(world, successor):
    world["why"] = UserError("There is no journal.")
    exporter = Exporter(None)
    assert not look_and_retrain(successor, exporter)
    assert exporter.registry.get_sample_value("watch_last_run_timestamp_seconds") > 1e9
    assert exporter.registry.get_sample_value("retraining_total", {"outcome": "failed"}) == 0


def dvc(monkeypatch, code, stderr=""):
    monkeypatch.undo()
    done = subprocess.CompletedProcess([], code, "", stderr)
    monkeypatch.setattr(retraining.subprocess, "run", lambda *_, **__: done)


def test_a_gate_that_blocks_is_a_refusal_with_its_words(tmp_path, monkeypatch):
    dvc(monkeypatch, 1, "baseline: BLOCKED, worse\nERROR: failed")
    monkeypatch.chdir(tmp_path)
    gate = {"name": "baseline", "passed": False, "meaning": "worse", "what_to_do": "Improve it."}
    write_json(retraining.GATE_REPORT, {"gates": [gate, {"name": "rows", "passed": True}]})
    assert retraining.train_champion() is None
    [step] = story.read_steps()
    assert (step.kind, step.facts) == ("refused", {"gates": ["baseline"]})
    assert step.told == "no new model: baseline: worse. Improve it."


def test_a_pipeline_that_breaks_is_no_refusal(tmp_path, monkeypatch):
    dvc(monkeypatch, 1, "ERROR: no space left")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no space left"):
        retraining.train_champion()


@pytest.mark.parametrize(("champion", "kind"), [(True, "trained"), (False, "refused")])
def test_what_stays_a_candidate_is_not_tried(tmp_path, monkeypatch, champion, kind):
    dvc(monkeypatch, 0)
    monkeypatch.chdir(tmp_path)
    write_json(
        retraining.REGISTRATION, {"version": 4, "champion": champion, "why": "rolled back before"}
    )
    assert retraining.train_champion() == ("4" if champion else None)
    assert kinds() == [kind]
