"""A probe of a service: `python -c "$(cat probe.py)"`, here or in the container of a release.

Needs Python and nothing else, so that a release is asked by who deploys it, not by itself. Reads a
JSON object from its input: `url`; `records`, each asked once; `times` that they are asked in turn
to see how long that takes. Prints a ProbeReport as JSON.
"""

import json
import os
import sys
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, TypedDict
from urllib.parse import urlsplit

PATIENCE = 10  # seconds for an answer
LONGEST, LEAST = 20.0, 20  # seconds of asking after which this many times are enough
# With the admin key the service keeps what is asked out of the figures about its users.
HEADERS = {"Content-Type": "application/json"}
PROBE = os.environ.get("ADMIN_KEY") or "deploy"

Answer = tuple[int, Any]
"""Status and content; status 0 and the reason if no answer came."""


class ProbeReport(TypedDict):
    """What a service answers: /readyz, /info and each record; and in `seconds` how long each of the
    further requests took, None for one that failed.
    """

    readyz: Answer
    info: Answer
    answers: list[Answer]
    seconds: list[float | None]


def ask(url: str, path: str, record: Any = None, key: str = "") -> Answer:
    """Get a path of a service, or post a record to it, with its API key."""
    place, body = urlsplit(url), None if record is None else json.dumps(record)
    kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
    connection = kind(place.netloc, timeout=PATIENCE)
    try:
        connection.request(
            "GET" if body is None else "POST",
            place.path + path,
            body,
            HEADERS | {"X-Probe": PROBE, "X-API-Key": key},
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, HTTPException, ValueError) as error:
        return 0, str(error) or type(error).__name__
    finally:
        connection.close()


def time_request(url: str, record: Any, key: str = "") -> float | None:
    """Measure how many seconds a good answer takes; None: there was none."""
    start = time.perf_counter()
    status, _ = ask(url, "/predict", record, key)
    return time.perf_counter() - start if status == 200 else None


def time_requests(url: str, records: list[Any], times: int, key: str = "") -> list[float | None]:
    """Time as many requests, or fewer where that takes too long."""
    seconds: list[float | None] = []
    end = time.monotonic() + LONGEST
    while len(seconds) < times and (len(seconds) < LEAST or time.monotonic() < end):
        seconds.append(time_request(url, records[len(seconds) % len(records)], key))
    return seconds


def probe_service(url: str, records: list[Any], times: int, key: str = "") -> ProbeReport:
    """Ask a service for its state and each record, then time further requests."""
    return {
        "readyz": ask(url, "/readyz", key=key),
        "info": ask(url, "/info", key=key),
        "answers": [ask(url, "/predict", record, key) for record in records],
        "seconds": time_requests(url, records, times, key),
    }


if __name__ == "__main__":
    own_key = os.environ.get("API_KEY", "")
    json.dump(probe_service(**json.load(sys.stdin), key=own_key), sys.stdout)
