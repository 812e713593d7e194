"""Stage latency: how long the packaged model takes for a request, measured where it was packaged.

All that the service does but for the network: reading the request, the answer, writing it as JSON.
"""

import json
import time
from collections.abc import Callable
from typing import TypedDict

import numpy as np
from pydantic_core import to_json

from ..core.paths import LATENCY, MODEL, write_json
from .models import Model, ModelContent

WARM, TIMES, MANY = 100, 2_000, 100


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

    one = time_requests(lambda place: answer(bodies[place % len(bodies)]), TIMES)
    hundred = time_requests(lambda _: answer(many), TIMES // 20)
    p50, p99 = (float(np.quantile(one, share)) for share in (0.5, 0.99))
    report: LatencyReport = {
        "p50_ms": round(p50, 4),
        "p99_ms": round(p99, 4),
        "requests": TIMES,
        "records_per_second": round(MANY / float(np.median(hundred)) * 1000, 4),
    }
    write_json(LATENCY, report)
    print(f"latency: {p50:.2f} ms for a record, {p99:.2f} ms for the slowest of a hundred")


def time_requests(ask: Callable[[int], None], times: int) -> list[float]:
    """Measure how many milliseconds each request takes, after some that are not counted."""
    milliseconds = []
    for place in range(-WARM, times):
        start = time.perf_counter()
        ask(place)
        milliseconds.append((time.perf_counter() - start) * 1000)
    return milliseconds[WARM:]
