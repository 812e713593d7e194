import time

import pytest
from mlops.serving import latency


def test_waiting_for_a_neighbour_is_not_latency():
    taken = latency.time_requests(lambda _: time.sleep(0.002), 20)
    assert sorted(taken)[10] < 2.0  # of processor time, where each took longer than that


def test_the_quietest_round_counts():
    rounds = [[9.0] * 100, [2.0] * 98 + [5.0] * 2, [3.0] * 100]
    report = latency.summarize_rounds(rounds, [50.0] * 10)
    assert report == {
        "p50_ms": 2.0,
        "p99_ms": 3.0,
        "requests": 300,
        "records_per_second": pytest.approx(2000),
    }
