"""Asks a service: `python -c "$(cat probe.py)"`, here or inside the container of a release.

Needs Python and nothing else, so that a release is asked by who deploys it, not by itself. Reads a
JSON object from its input (`url`; `records`, each asked once; `times` that they are asked in turn
to see how long that takes) and prints one: what /readyz and /info say, `answers` (status, content)
and `seconds` for each of those times (null: it failed).
"""

import json
import os
import sys
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 10  # seconds for an answer
LONGEST, LEAST = 20.0, 20  # seconds of asking after which this many times are enough
HEADERS = {"Content-Type": "application/json", "X-Probe": "deploy"}


def asked(url: str, path: str, record: Any = None) -> tuple[int, Any]:
    """Status and content of an answer; status 0 and the reason if none came."""
    place, body = urlsplit(url), None if record is None else json.dumps(record)
    kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
    connection = kind(place.netloc, timeout=PATIENCE)
    headers = HEADERS | {"X-API-Key": os.environ.get("API_KEY", "")}
    try:
        connection.request("GET" if body is None else "POST", place.path + path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, HTTPException, ValueError) as error:
        return 0, str(error) or type(error).__name__
    finally:
        connection.close()


def timed(url: str, record: Any) -> float | None:
    """Seconds that a good answer takes."""
    start = time.perf_counter()
    status, _ = asked(url, "/predict", record)
    return time.perf_counter() - start if status == 200 else None


def timings(url: str, records: list[Any], times: int) -> list[float | None]:
    """So many, or fewer where that takes too long."""
    taken: list[float | None] = []
    end = time.monotonic() + LONGEST
    while len(taken) < times and (len(taken) < LEAST or time.monotonic() < end):
        taken.append(timed(url, records[len(taken) % len(records)]))
    return taken


def probed(url: str, records: list[Any], times: int) -> dict[str, Any]:
    return {
        "readyz": asked(url, "/readyz"),
        "info": asked(url, "/info"),
        "answers": [asked(url, "/predict", record) for record in records],
        "seconds": timings(url, records, times),
    }


if __name__ == "__main__":
    json.dump(probed(**json.load(sys.stdin)), sys.stdout)
