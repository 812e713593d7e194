"""Have a new model answer in the place of the old one: in the shadow, then on trial, then for good.

The registry's champion is what has passed all gates; the service changes only here, step by step,
and each step is written down (story.py).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core.errors import UserError
from ..core.formatting import percent
from ..core.params import Params, Watch, convert_to_seconds
from ..core.problem import Objectives, Problem
from ..core.team import read_package_name
from ..registry import promotion
from .client import Client
from .performance_report import Performance
from .retraining import Successor
from .service_counts import ENOUGH_REQUESTS, Counts, find_complaint, parse_counts
from .story import Outcome, Step, record_step
from .version_comparison import compare_with_the_one_before

LOOKS = 20  # at the service while a new model follows or is on trial


@dataclass(frozen=True)
class Takeover(Successor):
    """Where the service can be reached: its model is replaced, and taken back if that was wrong."""

    client: Client

    def check(self) -> None:
        """Raise UserError unless the service is ready to answer."""
        self.client.get("/readyz")

    def take_back_if_worse(self, performance: Performance) -> Outcome | None:
        """Return "rolled_back" if the model is worth too little, and the one before it was not."""
        reason = compare_with_the_one_before(performance, self.client)
        if not reason:
            return None
        take_back(self.client, self.client.get("/info")["model_version"], reason)
        return "rolled_back"

    def find_obstacle(self) -> str:
        """Return ""; raise UserError unless the service lets its model be changed."""
        self.client.check_admin()
        return ""

    def hand_over(self, version: str, reasons: list[str], steps: list[Step]) -> Outcome:
        """Have the service answer with a version of the registry if it is fit for it."""
        before = self.client.get("/info")["model_version"]
        if version == before:
            record_step("kept", f"the pipeline gave version {version} again, which answers already")
            return "kept"
        watch = Params.read().monitoring.watch
        try:
            follow(self.client, version, watch)
            promote(self.client, version, before)
            try_out(self.client, Problem.read().objectives, convert_to_seconds(watch.trial))
        except UserError as error:
            take_back(self.client, version, str(error))
            return "rolled_back"
        record_step("kept", f"version {version} answers from now on", version=version)
        return "promoted"


def follow(client: Client, version: str, watch: Watch) -> None:
    """Have the new model score what the old one answers.

    Raises UserError if it cannot, or if too little came to tell.
    """
    change(client, "/model/shadow", {"uri": f"models:/{read_package_name()}/{version}"})
    duration = convert_to_seconds(watch.shadow)
    counts = watch_counts(client, duration, lambda counts: counts.broken > 0)
    if counts.broken:
        raise UserError(f"Version {version} failed on {counts.broken:.0f} records in the shadow.")
    scored = counts.same + counts.different
    if scored < watch.shadow_records:
        raise UserError(
            f"Version {version} scored only {scored:,.0f} records in the shadow in {watch.shadow}, "
            f"and monitoring.watch.shadow_records of params.yaml wants {watch.shadow_records:,}: "
            f"'uv run mlops model promote {version}' brings it back when there is more traffic."
        )
    share = f", {percent(counts.different / scored)} of them differently" if scored else ""
    record_step("followed", f"version {version} scored {scored:,.0f} records in the shadow{share}")


def promote(client: Client, version: str, before: str) -> None:
    """Have the new model answer in the place of `before`. Raises UserError if it is refused."""
    change(client, "/model/swap", {"uri": f"models:/{read_package_name()}/{version}"})
    change(client, "/model/shadow", {"uri": ""})
    record_step("promoted", f"version {version} answers", version=version, before=before)


def try_out(client: Client, objectives: Objectives, duration: float) -> None:
    """Raise UserError if the objectives of problem.yaml are broken while the new model answers."""

    def is_broken(counts: Counts) -> bool:
        enough = counts.requests >= ENOUGH_REQUESTS
        return enough and bool(find_complaint(counts, objectives))

    counts = watch_counts(client, duration, is_broken, objectives.latency_ms)
    if complaint := find_complaint(counts, objectives):
        raise UserError(complaint)


def take_back(client: Client, version: str, reason: str) -> None:
    """Make the old model the champion again, in the registry and in the service."""
    promotion.rollback()
    change(client, "/model/shadow", {"uri": ""})
    info = client.get("/info")
    if info["model_version"] == version:
        info = change(client, "/model/rollback", None)
    record_step(
        "rolled back", f"{reason} Version {info['model_version']} answers.", version=version
    )


def change(client: Client, path: str, content: Any) -> Any:
    """Return what the service is like after a change. Raises UserError if it refuses."""
    status, answer = client.post(path, content)
    if status != 200:
        raise UserError(f"The service refused: {answer['detail']}.")
    return answer


def watch_counts(
    client: Client, duration: float, is_enough: Callable[[Counts], bool], slow_ms: float = 1000
) -> Counts:
    """Return what the service counts within `duration` seconds, or until that is enough."""
    end = time.monotonic() + duration
    begun = parse_counts(client.get("/metrics"), slow_ms)
    while True:
        counts = parse_counts(client.get("/metrics"), slow_ms).since(begun)
        if is_enough(counts) or time.monotonic() >= end:
            return counts
        time.sleep(min(5.0, duration / LOOKS))
