"""Limits as Prometheus reads them of the service, and requests that are slower than promised."""

import json

import pytest
from mlops.gates.limits import LIMITS
from mlops.serving import limit_gauges
from mlops.serving.limit_gauges import LimitGauges
from mlops.serving.service_metrics import Metrics
from prometheus_client import CollectorRegistry

ABOUT = {"decision": "Act?", "kpi": "Money", "before": "Nobody.", "unit": "EUR"}
WRITTEN = {"psi": 0.2, "missing": None, "performance": None, "memory_bytes": 4e9}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(limit_gauges, "GRANTED", (str(tmp_path / "memory.max"),))


def write(**limits):
    LIMITS.parent.mkdir(exist_ok=True)
    LIMITS.write_text(json.dumps({"project": ABOUT, "limits": WRITTEN | limits}))


def limit(registry, name):
    return registry.get_sample_value("mlops_limit", {"limit": name})


def test_without_a_limit_nothing_reaches_it():
    write()
    gauges = LimitGauges(registry := CollectorRegistry())
    assert limit(registry, "psi") == 0.2
    assert limit(registry, "missing") == float("inf")
    assert limit(registry, "performance") == float("-inf")
    assert registry.get_sample_value("mlops_project_info", ABOUT) == 1
    write(psi=0.3)
    gauges.read()
    assert limit(registry, "psi") == 0.3


def test_the_file_of_an_older_template_is_read_as_far_as_it_goes():
    LIMITS.parent.mkdir()
    LIMITS.write_text(json.dumps({"project": {"unit": "EUR"}, "limits": {"psi": 0.2}}))
    LimitGauges(registry := CollectorRegistry())
    assert (limit(registry, "psi"), limit(registry, "memory_bytes")) == (0.2, None)


def test_without_the_file_there_is_none():
    LimitGauges(registry := CollectorRegistry())
    assert limit(registry, "psi") is None
    assert Metrics().slow_after == float("inf")


@pytest.mark.parametrize(("granted", "most"), [("268435456\n", 2**28), ("max\n", 4e9)])
def test_memory_is_what_the_container_is_granted(tmp_path, granted, most):
    write()
    (tmp_path / "memory.max").write_text(granted)
    LimitGauges(registry := CollectorRegistry())
    assert limit(registry, "memory_bytes") == most


def test_requests_that_take_longer_than_promised_are_counted():
    write(latency_seconds=0.25)
    metrics = Metrics()
    for path, seconds in (("/predict", 0.2), ("/predict", 0.3), ("/info", 9)):
        metrics.answered(path, 200, seconds)

    def slow(path):
        return metrics.registry.get_sample_value("requests_slow_total", {"path": path})

    assert (slow("/predict"), slow("/feedback"), slow("/info")) == (1, 0, None)
