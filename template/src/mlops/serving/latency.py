"""Stage latency: how long the packaged model takes for a request, measured where it was packaged.

All that the service does but for the network: reading the request, the answer, writing it as JSON.
It is measured in processor time, and the quietest of some rounds counts: a clock on the wall would
measure what else this machine is doing.
"""

import json
import time
from collections.abc import Callable
from typing import TypedDict

import numpy as np
from pydantic_core import to_json

from ..core.paths import LATENCY, MODEL, write_json
from .models import Model, ModelContent

WARM, TIMES, MANY, ROUNDS = 100, 1_000, 100, 3


class LatencyReport(TypedDict):
    """What reports/latency.json holds: how long one of so many requests took, and how many records
    a second go through in requests of MANY.
    """

    p50_ms: float
    p99_ms: float
    requests: int
    records_per_second: float


def run() -> None:
    """Measure requests for one record and for many, and write reports/latency.json."""
    model = Model(MODEL.as_posix(), ModelContent.of(MODEL.read_bytes()), "score", MANY)
    records = [case["record"] for case in model.meta["cases"]]
    bodies = [json.dumps(record).encode() for record in records]
    many = json.dumps((records * MANY)[:MANY]).encode()

    def answer(body: bytes) -> None:
        to_json(model.answers(model.feed(model.requests.read(body).records)))

    rounds = [
        time_requests(lambda place: answer(bodies[place % len(bodies)]), TIMES)
        for _ in range(ROUNDS)
    ]
    report = summarize_rounds(rounds, time_requests(lambda _: answer(many), TIMES // 10))
    write_json(LATENCY, report)
    p50, p99 = report["p50_ms"], report["p99_ms"]
    print(f"latency: {p50:.2f} ms for a record, {p99:.2f} ms for the slowest of a hundred")


def summarize_rounds(rounds: list[list[float]], hundred: list[float]) -> LatencyReport:
    """Take each quantile from the round where it was lowest; `hundred`: of MANY records a request.

    All are milliseconds of processor time.
    """
    p50, p99 = (min(float(np.quantile(one, share)) for one in rounds) for share in (0.5, 0.99))
    return {
        "p50_ms": round(p50, 4),
        "p99_ms": round(p99, 4),
        "requests": sum(map(len, rounds)),
        "records_per_second": round(MANY / float(np.median(hundred)) * 1000, 4),
    }


def time_requests(ask: Callable[[int], None], times: int) -> list[float]:
    """Measure the milliseconds of processor time of each request, after some that do not count."""
    milliseconds = []
    for place in range(-WARM, times):
        start = time.process_time_ns()
        ask(place)
        milliseconds.append((time.process_time_ns() - start) / 1e6)
    return milliseconds[WARM:]
