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
from ..core.params import seconds
from ..core.problem import Objectives, Problem
from ..monitoring.retrain import LEAST, Counts, complaint, counted
from . import probe
from .check import PLACE, Inside, broken, model_here, records

EVERY = 1.0  # seconds from probe to probe
PAGE = f"import urllib.request as web; print(web.urlopen('{PLACE}/metrics').read().decode())"


class Look(NamedTuple):
    """`process`: which one, by when it started; `counts`: since then."""

    process: str
    counts: Counts


def watch(url: str, duration: str, inside: Inside) -> list[str]:
    """Look at a service for so long (10m); `inside` runs commands in its container.

    Returns what was seen, a line each. Raises UserError, in one sentence, as soon as the objectives
    of problem.yaml are broken.
    """
    promised, asked = Problem.read().objectives, records(model_here())
    end, before = time.monotonic() + seconds(duration), look(inside, promised)
    probes = users = Counts()
    while time.monotonic() < end:
        turn = int(probes.requests) % len(asked)
        probes = both(probes, counts(probe.timed(url.rstrip("/"), asked[turn]), promised))
        now = look(inside, promised)
        if now.process == before.process:
            users = both(users, now.counts.since(before.counts))
        before = now
        for seen in (probes, users):
            if seen.requests >= LEAST and (said := complaint(seen, promised)):
                raise UserError(broken(url, said))
        time.sleep(EVERY)
    for seen in (probes, users):
        if said := complaint(seen, promised):
            raise UserError(broken(url, said))
    many = count(int(probes.requests), "probe")
    return [
        f"the objectives held for {duration}: of {many}, and of the "
        f"{count(int(users.requests), 'request')} that the service counted, these among them"
    ]


def look(inside: Inside, promised: Objectives) -> Look:
    """What a process of the service has counted by now."""
    page = inside("python", "-c", PAGE).decode()
    started = re.search(r"^process_start_time_seconds (.*)$", page, re.MULTILINE)
    return Look(started[1] if started else "", counted(page, promised.latency_ms))


def counts(took: float | None, promised: Objectives) -> Counts:
    """One probe, by how many seconds it took (None: it failed)."""
    return Counts(1, took is None, took is not None and 1000 * took > promised.latency_ms)


def both(some: Counts, more: Counts) -> Counts:
    return Counts(*map(sum, zip(some, more, strict=True)))
