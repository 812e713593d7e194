"""Stage latency: how long the packaged model takes for a request, measured where it was packaged.

All that the service does but for the network: reading the request, the answer, writing it as JSON.
"""

import json
import time
from collections.abc import Callable

import numpy as np
from pydantic_core import to_json

from ..core.paths import MODEL, REPORTS, write_json
from .models import Found, Model

LATENCY = REPORTS / "latency.json"
WARM, TIMES, MANY = 100, 2_000, 100


def run() -> None:
    model = Model(MODEL.as_posix(), Found.of(MODEL.read_bytes()), "score", MANY)
    records = [case["record"] for case in model.meta["cases"]]
    bodies = [json.dumps(record).encode() for record in records]
    many = json.dumps((records * MANY)[:MANY]).encode()

    def answered(body: bytes) -> None:
        to_json(model.answers(model.feed(model.requests.read(body).records)))

    one = milliseconds(lambda place: answered(bodies[place % len(bodies)]), TIMES)
    hundred = milliseconds(lambda _: answered(many), TIMES // 20)
    p50, p99 = (float(np.quantile(one, share)) for share in (0.5, 0.99))
    told = {"p50_ms": p50, "p99_ms": p99, "requests": TIMES}
    told |= {"records_per_second": MANY / float(np.median(hundred)) * 1000}
    write_json(LATENCY, {name: round(figure, 4) for name, figure in told.items()})
    print(f"latency: {p50:.2f} ms for a record, {p99:.2f} ms for the slowest of a hundred")


def milliseconds(ask: Callable[[int], None], times: int) -> list[float]:
    """What each of the requests took, after some that are not counted."""
    taken = []
    for place in range(-WARM, times):
        start = time.perf_counter()
        ask(place)
        taken.append((time.perf_counter() - start) * 1000)
    return taken[WARM:]
