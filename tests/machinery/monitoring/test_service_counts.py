"""What a service has counted, against the objectives."""

import json

import pytest
from mlops.core.problem import Objectives
from mlops.monitoring.service_counts import Counts, find_complaint, parse_counts

import served


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_metrics_of_a_service_are_understood():
    service = served.service(unexpected="score")
    for record in served.records(rows=5):
        service.predict(json.dumps(record).encode())
    service.metrics.requests.labels("/predict", "200").inc(5)
    service.metrics.requests.labels("/predict", "500").inc(2)
    for seconds in (0.01, 0.2, 3):
        service.metrics.seconds.labels("/predict").observe(seconds)
    service.metrics.shadow.labels("different").inc(4)
    page = service.metrics.page().decode()
    assert parse_counts(page, 100) == Counts(7, failed=2, slow=2, different=4)
    assert parse_counts(page, 1000) == Counts(7, failed=2, slow=1, different=4)
    service.close()


def test_the_objectives_are_the_limit():
    promised = Objectives(availability=0.9, latency_ms=100, latency_share=0.8)
    assert find_complaint(Counts(100, failed=10, slow=20), promised) == ""
    assert "11 of 100 requests failed" in find_complaint(Counts(100, failed=11), promised)
    assert "21 of 100 requests took over 100 ms" in find_complaint(Counts(100, slow=21), promised)
