"""From findings to a better model in service: train, follow, promote, and go back if need be.

The registry's champion is what has passed all gates; the service changes only here, step by step,
and each step is written down (story.py).
"""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from prometheus_client.parser import text_string_to_metric_families as families

from ..core.errors import UserError
from ..core.formatting import percent
from ..core.params import Params, seconds
from ..core.paths import GATE_REPORT, REPORTS, read_json
from ..core.problem import Objectives, Problem
from ..core.team import package_name
from ..registry import registry
from .client import Client
from .story import tell

Outcome = Literal["promoted", "refused", "rolled_back", "kept"]
REGISTRATION = REPORTS / "registration.json"
LOOKS = 20  # at the service while a new model follows or is on trial
LEAST = 20  # requests that say something


class Counts(NamedTuple):
    """What the service has counted so far."""

    requests: float = 0
    failed: float = 0
    slow: float = 0
    same: float = 0
    different: float = 0
    broken: float = 0  # comparisons that failed

    def since(self, before: "Counts") -> "Counts":
        return Counts(*(max(0.0, now - then) for now, then in zip(self, before, strict=True)))


def improve(client: Client, params: Params, problem: Problem) -> Outcome:
    """Train anew, and have the service answer with the new model if it is fit for it.

    Raises UserError if the service or the pipeline cannot be used; then the old model answers.
    """
    before = client.get("/info")["model_version"]
    version = trained()
    if version is None:
        return "refused"
    if version == before:
        tell("kept", f"the pipeline gave version {version} again, which answers already")
        return "kept"
    watch = params.monitoring.watch
    try:
        follow(client, version, seconds(watch.shadow))
        promote(client, version, before)
        try_out(client, problem.objectives, seconds(watch.trial))
    except UserError as error:
        take_back(client, version, str(error))
        return "rolled_back"
    tell("kept", f"version {version} answers from now on", version=version)
    return "promoted"


def trained() -> str | None:
    """Run the pipeline; returns the new champion's version, None if a gate refused the model."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        blocked = "BLOCKED" in done.stderr  # else the verdicts are those of an earlier run
        gates = read_json(GATE_REPORT)["gates"] if blocked else []
        failed = [gate for gate in gates if not gate["passed"]]
        if not failed:
            raise UserError((done.stderr.strip().splitlines() or ["'dvc repro' failed."])[-1])
        why = "; ".join(f"{g['name']}: {g['meaning']}. {g['what_to_do']}" for g in failed)
        tell("refused", f"no new model: {why}", gates=[gate["name"] for gate in failed])
        return None
    told = read_json(REGISTRATION)
    if not told["champion"]:
        tell("refused", f"version {told['version']} was rolled back before, and came out again")
        return None
    tell("trained", f"version {told['version']} passed all gates", version=told["version"])
    return str(told["version"])


def take_back(client: Client, version: str, why: str) -> None:
    """Make the old model the champion again, here and there."""
    registry.rollback()
    ask(client, "/model/shadow", {"uri": ""})
    told = client.get("/info")
    if told["model_version"] == version:
        told = ask(client, "/model/rollback", None)
    tell("rolled back", f"{why} Version {told['model_version']} answers.", version=version)


def follow(client: Client, version: str, duration: float) -> None:
    """Have the new model score what the old one answers. Raises UserError if it cannot."""
    ask(client, "/model/shadow", {"uri": f"models:/{package_name()}/{version}"})
    seen = watched(client, duration, lambda seen: seen.broken > 0)
    if seen.broken:
        raise UserError(f"Version {version} failed on {seen.broken:.0f} records in the shadow.")
    scored = seen.same + seen.different
    share = f", {percent(seen.different / scored)} of them otherwise" if scored else ""
    tell("followed", f"version {version} scored {scored:,.0f} records in the shadow{share}")


def promote(client: Client, version: str, before: str) -> None:
    """Have the new model answer in the place of `before`. Raises UserError if it is refused."""
    ask(client, "/model/swap", {"uri": f"models:/{package_name()}/{version}"})
    ask(client, "/model/shadow", {"uri": ""})
    tell("promoted", f"version {version} answers", version=version, before=before)


def try_out(client: Client, objectives: Objectives, duration: float) -> None:
    """Raises UserError if the objectives of problem.yaml are broken while the new model answers."""

    def broken(seen: Counts) -> bool:
        return seen.requests >= LEAST and bool(complaint(seen, objectives))

    if said := complaint(watched(client, duration, broken, objectives.latency_ms), objectives):
        raise UserError(said)


def complaint(seen: Counts, objectives: Objectives) -> str:
    """Which objective the requests break, if they do."""
    if seen.failed > round((1 - objectives.availability) * seen.requests, 6):
        return f"{seen.failed:.0f} of {seen.requests:.0f} requests failed on trial."
    if seen.slow > round((1 - objectives.latency_share) * seen.requests, 6):
        return (
            f"{seen.slow:.0f} of {seen.requests:.0f} requests took over "
            f"{objectives.latency_ms} ms on trial."
        )
    return ""


def ask(client: Client, path: str, content: Any) -> Any:
    """What the service is like after a change. Raises UserError if it refuses."""
    status, told = client.post(path, content)
    if status != 200:
        raise UserError(f"The service refused: {told['detail']}.")
    return told


def watched(
    client: Client, duration: float, enough: Callable[[Counts], bool], slow_ms: float = 1000
) -> Counts:
    """What the service counts within so many seconds, or until that is enough."""
    begun, end = counts(client, slow_ms), time.monotonic() + duration
    while True:
        seen = counts(client, slow_ms).since(begun)
        if enough(seen) or time.monotonic() >= end:
            return seen
        time.sleep(min(5.0, duration / LOOKS))


def counts(client: Client, slow_ms: float) -> Counts:
    """By the metrics of the service, of requests for predictions that took longer than `slow_ms`.

    What users do wrong (4xx) is no failure.
    """
    return counted(client.get("/metrics"), slow_ms)


def counted(page: str, slow_ms: float) -> Counts:
    """What a page of metrics says; see `counts`."""
    found = [sample for family in families(page) for sample in family.samples]

    def total(name: str, **labels: str) -> float:
        fitting = (s for s in found if s.name == name and labels.items() <= s.labels.items())
        return sum(sample.value for sample in fitting)

    asked = {"path": "/predict"}
    failed = (s for s in found if s.name == "requests_total" and s.labels["status"][0] == "5")
    fast = total("request_seconds_bucket", le=str(slow_ms / 1000), **asked)
    return Counts(
        requests=total("requests_total", **asked),
        failed=sum(sample.value for sample in failed if sample.labels["path"] == "/predict"),
        slow=total("request_seconds_count", **asked) - fast,
        same=total("shadow_total", outcome="same"),
        different=total("shadow_total", outcome="different"),
        broken=total("shadow_total", outcome="failed"),
    )
