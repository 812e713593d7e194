"""A new model takes over: the way there, and the ways back."""

from string import Template

import pytest
from mlops.core.params import Monitoring, Params, TrainParams, Watch
from mlops.core.problem import Problem
from mlops.monitoring import story, takeover
from mlops.monitoring.takeover import Takeover

QUICK = Monitoring(watch=Watch(shadow="1s", trial="1s"))
PARAMS = Params(train=TrainParams(candidates=["linear"]), monitoring=QUICK)
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
    """How often the registry was rolled back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(takeover.time, "sleep", lambda _: None)
    monkeypatch.setattr(takeover, "read_package_name", lambda: "orders")
    monkeypatch.setattr(Params, "read", lambda: PARAMS)
    monkeypatch.setattr(Problem, "read", lambda: Problem(name="p"))
    times = []
    monkeypatch.setattr(takeover.promotion, "rollback", lambda: times.append(1))
    return times


def hand_over(service, version="2"):
    return Takeover(service).hand_over(version, ["it drifted"], [])


def kinds():
    return [step.kind for step in story.read_steps()]


def test_a_good_model_follows_then_answers(rolled_back):
    service = Fake()
    assert hand_over(service) == "promoted"
    assert [path for path, _ in service.asked] == ["/model/shadow", "/model/swap", "/model/shadow"]
    assert [uri for _, uri in service.asked][-1] == ""
    assert kinds() == ["followed", "promoted", "kept"]
    assert (service.version, rolled_back) == ("2", [])


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"bad": 30}, "requests failed during the trial"),
        ({"fast": 50}, "requests took over 100 ms during the trial"),
        ({"broken": 3}, "records in the shadow"),
        ({"same": 0}, "scored only 0 records in the shadow in 1s, and monitoring.watch.shadow_re"),
    ],
)
def test_what_goes_wrong_brings_the_old_model_back(rolled_back, step, words):
    service = Fake(step)
    assert hand_over(service) == "rolled_back"
    assert (service.version, rolled_back) == ("1", [1])
    assert kinds()[-1] == "rolled back"
    assert words in story.read_steps()[-1].told
    assert service.asked[-1][0] in {"/model/rollback", "/model/shadow"}


def test_a_service_that_refuses_keeps_its_model(rolled_back):
    service = Fake(refuses=("/model/swap",))
    assert hand_over(service) == "rolled_back"
    assert (service.version, rolled_back) == ("1", [1])
    assert "it answers otherwise" in story.read_steps()[-1].told


def test_the_same_model_again_changes_nothing():
    service = Fake()
    assert hand_over(service, version="1") == "kept"
    assert service.asked == []


def test_a_model_that_is_worth_less_is_taken_back(monkeypatch):
    monkeypatch.setattr(takeover, "compare_with_the_one_before", lambda *_: "It is worth less.")
    service = Fake()
    service.version, service.before = "2", "1"
    assert Takeover(service).take_back_if_worse({}) == "rolled_back"
    assert service.version == "1"
    assert story.read_steps()[-1].told == "It is worth less. Version 1 answers."
