"""A release is looked at for a while: by probes, and by what it counted of its users."""

from itertools import count
from pathlib import Path
from string import Template

import pytest
from mlops.core.errors import UserError
from mlops.deployment import probe, rollout

import served

PAGE = Template("""\
process_start_time_seconds $started
requests_total{path="/predict",status="200"} $good
requests_total{path="/predict",status="500"} $bad
request_seconds_bucket{le="0.1",path="/predict"} $good
request_seconds_count{path="/predict"} $good
""")
URL = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def _quick(tmp_path, monkeypatch):
    """Ten looks in ten seconds that do not pass."""
    monkeypatch.chdir(tmp_path)
    Path("problem.yaml").write_text("name: p\nobjectives:\n  latency_ms: 100\n")
    served.register(served.packed())
    clock = count()
    monkeypatch.setattr(rollout.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(rollout.time, "sleep", lambda _: None)
    monkeypatch.setattr(probe, "time_request", lambda url, record, key: 0.01)


def service(**step):
    """What runs in a container that counts so many more from look to look."""
    looks = count()

    def inside(*words, stdin=b""):
        assert words[:2] == ("python", "-c")
        look = next(looks)
        figures = {"started": 1, "good": 100 * look, "bad": 0}
        figures |= {name: more(look) for name, more in step.items()}
        return PAGE.substitute(figures).encode()

    return inside


def test_the_objectives_hold():
    [line] = rollout.watch_release(URL, "10s", service())
    assert "held for 10s: of 9 probes, and of the 900 requests" in line or "10 probes" in line


def test_users_who_are_not_answered_end_it():
    with pytest.raises(UserError, match=r"objectives.availability .*: 50 of 150 requests failed"):
        rollout.watch_release(URL, "10s", service(bad=lambda look: 50 * look))


def test_slow_probes_end_it(monkeypatch):
    monkeypatch.setattr(probe, "time_request", lambda url, record, key: 0.2)
    with pytest.raises(UserError, match=r"problem.yaml:3 objectives.latency_ms: .* took over 100"):
        rollout.watch_release(URL, "10s", service())


def test_counts_of_another_process_are_no_requests():
    """Each look is at another pod, which had failed long before."""
    [line] = rollout.watch_release(
        URL, "10s", service(started=lambda look: look, bad=lambda look: 9 * look)
    )
    assert "of the 0 requests" in line
