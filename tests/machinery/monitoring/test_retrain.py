"""From a new version to one that answers: the way there, and the ways back."""

import json
import subprocess
from string import Template

import pytest
from mlops.core.errors import UserError
from mlops.core.params import Monitoring, Params, TrainParams, Watch
from mlops.core.paths import write_json
from mlops.core.problem import Objectives, Problem
from mlops.monitoring import retrain, story
from mlops.monitoring.retrain import Counts, complaint, counts, improve

import served

QUICK = Monitoring(watch=Watch(shadow="1s", trial="1s"))
PARAMS = Params(train=TrainParams(candidates=["linear"]), monitoring=QUICK)
PROBLEM = Problem(name="p")
METRICS = Template("""\
requests_total{path="/predict",status="200"} $good
requests_total{path="/predict",status="422"} 7
requests_total{path="/predict",status="500"} $bad
requests_total{path="/info",status="500"} 9
request_seconds_bucket{le="0.1",path="/predict"} $fast
request_seconds_count{path="/predict"} $good
shadow_total{outcome="same"} $same
shadow_total{outcome="failed"} $broken
""")


class Fake:
    """A service that counts `step` more each time it is looked at."""

    def __init__(self, step=None, refuses=()):
        self.step = {"good": 100, "bad": 0, "fast": 100, "same": 50, "broken": 0} | (step or {})
        self.refuses, self.asked, self.looks = refuses, [], 0
        self.version, self.before = "1", None

    def get(self, path):
        if path == "/info":
            return {"model_version": self.version}
        self.looks += 1
        return METRICS.substitute({name: many * self.looks for name, many in self.step.items()})

    def post(self, path, content):
        self.asked.append((path, (content or {}).get("uri")))
        if path in self.refuses:
            return 409, {"detail": "it answers otherwise"}
        if path == "/model/swap":
            self.before, self.version = self.version, content["uri"].rpartition("/")[2]
        if path == "/model/rollback":
            self.version = self.before
        return 200, {"model_version": self.version}


@pytest.fixture(autouse=True)
def rolled_back(tmp_path, monkeypatch):
    """How often the registry was rolled back; training gives version 2."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(retrain.time, "sleep", lambda _: None)
    monkeypatch.setattr(retrain, "trained", lambda: "2")
    times = []
    monkeypatch.setattr(retrain.registry, "rollback", lambda: times.append(1))
    return times


def kinds():
    return [step.kind for step in story.steps()]


def test_a_good_model_follows_then_answers(rolled_back):
    service = Fake()
    assert improve(service, PARAMS, PROBLEM) == "promoted"
    assert [path for path, _ in service.asked] == ["/model/shadow", "/model/swap", "/model/shadow"]
    assert [uri for _, uri in service.asked][-1] == ""
    assert kinds() == ["followed", "promoted", "kept"]
    assert (service.version, rolled_back) == ("2", [])


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"bad": 30}, "requests failed on trial"),
        ({"fast": 50}, "requests took over 100 ms on trial"),
        ({"broken": 3}, "records in the shadow"),
    ],
)
def test_what_goes_wrong_brings_the_old_model_back(rolled_back, step, words):
    service = Fake(step)
    assert improve(service, PARAMS, PROBLEM) == "rolled_back"
    assert (service.version, rolled_back) == ("1", [1])
    assert kinds()[-1] == "rolled back"
    assert words in story.steps()[-1].told
    assert service.asked[-1][0] in {"/model/rollback", "/model/shadow"}


def test_a_service_that_refuses_keeps_its_model(rolled_back):
    service = Fake(refuses=("/model/swap",))
    assert improve(service, PARAMS, PROBLEM) == "rolled_back"
    assert (service.version, rolled_back) == ("1", [1])
    assert "it answers otherwise" in story.steps()[-1].told


def test_the_same_model_again_changes_nothing(monkeypatch):
    monkeypatch.setattr(retrain, "trained", lambda: "1")
    service = Fake()
    assert improve(service, PARAMS, PROBLEM) == "kept"
    assert service.asked == []


def dvc(monkeypatch, code, said=""):
    monkeypatch.undo()
    done = subprocess.CompletedProcess([], code, "", said)
    monkeypatch.setattr(retrain.subprocess, "run", lambda *_, **__: done)


def test_a_gate_that_blocks_is_a_refusal_with_its_words(tmp_path, monkeypatch):
    dvc(monkeypatch, 1, "baseline: BLOCKED, worse\nERROR: failed")
    monkeypatch.chdir(tmp_path)
    gate = {"name": "baseline", "passed": False, "meaning": "worse", "what_to_do": "Improve it."}
    write_json(retrain.GATE_REPORT, {"gates": [gate, {"name": "rows", "passed": True}]})
    assert retrain.trained() is None
    [step] = story.steps()
    assert (step.kind, step.facts) == ("refused", {"gates": ["baseline"]})
    assert step.told == "no new model: baseline: worse. Improve it."


def test_a_pipeline_that_breaks_is_no_refusal(tmp_path, monkeypatch):
    dvc(monkeypatch, 1, "ERROR: no space left")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no space left"):
        retrain.trained()


@pytest.mark.parametrize(("champion", "kind"), [(True, "trained"), (False, "refused")])
def test_what_was_rolled_back_before_is_not_tried_again(tmp_path, monkeypatch, champion, kind):
    dvc(monkeypatch, 0)
    monkeypatch.chdir(tmp_path)
    write_json(retrain.REGISTRATION, {"version": 4, "champion": champion})
    assert retrain.trained() == ("4" if champion else None)
    assert kinds() == [kind]


def test_the_metrics_of_a_service_are_understood():
    service = served.service(unexpected="score")
    for record in served.records(rows=5):
        service.predict(json.dumps(record).encode())
    service.metrics.requests.labels("/predict", "200").inc(5)
    service.metrics.requests.labels("/predict", "500").inc(2)
    for seconds in (0.01, 0.2, 3):
        service.metrics.seconds.labels("/predict").observe(seconds)
    service.metrics.shadow.labels("different").inc(4)
    fake = Fake()
    fake.get = lambda _: service.metrics.page().decode()
    assert counts(fake, 100) == Counts(7, failed=2, slow=2, different=4)
    assert counts(fake, 1000) == Counts(7, failed=2, slow=1, different=4)
    service.close()


def test_the_objectives_are_the_limit():
    promised = Objectives(availability=0.9, latency_ms=100, latency_share=0.8)
    assert complaint(Counts(100, failed=10, slow=20), promised) == ""
    assert "11 of 100 requests failed" in complaint(Counts(100, failed=11), promised)
    assert "21 of 100 requests took over 100 ms" in complaint(Counts(100, slow=21), promised)
