"""Is a release as good as promised? Users and probes are looked at for a while after it came.

A probe asks as users do, by the same way. What users themselves were answered only the service has
counted, each of its processes for itself: what is added up is what one process counted from look to
look; after a restart, or where another pod tells, counting goes on from there.
"""

import re
import time
from typing import NamedTuple

from ..core.errors import UserError
from ..core.formatting import count
from ..core.params import convert_to_seconds
from ..core.problem import Objectives, Problem
from ..monitoring.service_counts import ENOUGH_REQUESTS, Counts, find_complaint, parse_counts
from . import probe
from .readiness import PLACE, Runner, explain_broken_objective, list_known_records, read_model

EVERY = 1.0  # seconds from probe to probe
PAGE = f"import urllib.request as web; print(web.urlopen('{PLACE}/metrics').read().decode())"


class ProcessCounts(NamedTuple):
    """What one process of the service has counted since it started, at the time `process`."""

    process: str
    counts: Counts


def watch_release(url: str, duration: str, run: Runner, key: str = "") -> list[str]:
    """Look at a service for so long (10m); `run` runs commands in its container.

    `key` is the service's API key. Returns lines to print. Raises UserError, in one sentence, as
    soon as the objectives of problem.yaml are broken.
    """
    objectives, known_records = Problem.read().objectives, list_known_records(read_model())
    end, before = time.monotonic() + convert_to_seconds(duration), read_counts(run, objectives)
    probes = users = Counts()
    while time.monotonic() < end:
        record = known_records[int(probes.requests) % len(known_records)]
        taken = probe.time_request(url.rstrip("/"), record, key)
        probes = add_counts(probes, count_probe(taken, objectives))
        now = read_counts(run, objectives)
        if now.process == before.process:
            users = add_counts(users, now.counts.since(before.counts))
        before = now
        for counts in (probes, users):
            if counts.requests >= ENOUGH_REQUESTS:
                check_counts(url, counts, objectives)
        time.sleep(EVERY)
    for counts in (probes, users):
        check_counts(url, counts, objectives)
    many = count(int(probes.requests), "probe")
    return [
        f"the objectives held for {duration}: of {many}, and of the "
        f"{count(int(users.requests), 'request')} that the service counted, these among them"
    ]


def check_counts(url: str, counts: Counts, objectives: Objectives) -> None:
    """Raise UserError if the requests break an objective."""
    if reason := find_complaint(counts, objectives):
        raise UserError(explain_broken_objective(url, reason))


def read_counts(run: Runner, objectives: Objectives) -> ProcessCounts:
    """Read what a process of the service has counted by now from its page of metrics."""
    page = run("python", "-c", PAGE).decode()
    started = re.search(r"^process_start_time_seconds (.*)$", page, re.MULTILINE)
    return ProcessCounts(started[1] if started else "", parse_counts(page, objectives.latency_ms))


def count_probe(taken: float | None, objectives: Objectives) -> Counts:
    """Count one probe, by how many seconds it took; None: it failed."""
    return Counts(1, taken is None, taken is not None and 1000 * taken > objectives.latency_ms)


def add_counts(counts: Counts, more: Counts) -> Counts:
    """Add two counts, figure by figure."""
    return Counts(*map(sum, zip(counts, more, strict=True)))
