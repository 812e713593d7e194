"""The retraining loop: look at the model in production, and train a new one where that is due.

`monitor watch` runs it beside the service, again and again or, for a schedule, once; there a new
model takes over (takeover.py). `monitor renew` runs it once where a schedule reaches the journal
but not the service; there a new model is proposed (retrain_pull_request.py).
"""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from ..core.errors import UserError
from ..core.params import Params, convert_to_seconds
from ..core.paths import GATE_REPORT, REGISTRATION, read_json
from .exporter import Exporter
from .ground_truth import journal_url
from .observation import (
    Observation,
    describe,
    doubts_of_data,
    is_worse,
    observe,
    reasons_to_retrain,
)
from .performance_report import Performance
from .story import Outcome, Step, read_steps, record_step, time_of_last
from .table_growth import grow_table

LOCK = Path("journal/.watch.lock")
ASK = (
    "If the data is right, 'uv run mlops monitor accept --because \"REASON\"' lets it be learned "
    "from; if not, have it mended at its source"
)


class Successor(Protocol):
    """How a new model comes into use. Each method raises UserError if that cannot be done."""

    def check(self) -> None:
        """Raise UserError if something is wrong already."""

    def take_back_if_worse(self, performance: Performance) -> Outcome | None:
        """Return None: undo the last exchange where the model may be worth less for it."""
        return None

    def find_obstacle(self) -> str:
        """Return why no model may be trained here; "" if nothing is in the way."""

    def hand_over(self, version: str, reasons: list[str], steps: list[Step]) -> Outcome:
        """Bring a version into use, which was trained for these reasons in these steps."""


def run_loop(
    successor: Successor, *, once: bool, host: str = "127.0.0.1", port: int | None = None
) -> None:
    """Look every `monitoring.watch.every`, or once; Prometheus reads figures at host and port.

    Raises UserError if another does so already, and with `once` if something went wrong.
    """
    LOCK.parent.mkdir(exist_ok=True)
    try:
        with FileLock(LOCK, timeout=0):
            exporter = Exporter(None if once else port, host)
            while True:
                succeeded = look_and_retrain(successor, exporter)
                if once:
                    break
                time.sleep(convert_to_seconds(Params.read().monitoring.watch.every))
    except Timeout:
        raise UserError("another 'monitor watch' is running here: stop it first.") from None
    if not succeeded:
        failure = read_steps()[-1].told.rstrip(".")
        raise UserError(f"{failure}. 'monitor story' shows what happened before.")


def look_and_retrain(successor: Successor, exporter: Exporter) -> bool:
    """Look once, and do what is due; False if it cannot be done, which the story tells."""
    exporter.mark_look()
    try:
        observation = observe(journal_url(), datetime.now(UTC))
        exporter.export(observation["performance"])
        record_step("looked", describe(observation))
        successor.check()
    except UserError as error:
        record_step("failed", str(error))
        return False
    try:
        outcome = successor.take_back_if_worse(observation["performance"])
        if outcome is None and reasons_to_retrain(observation):
            outcome = retrain(successor, observation)
    except UserError as error:
        record_step("failed", str(error))
        exporter.count_retraining("failed")
        return False
    if outcome:
        exporter.count_retraining(outcome)
    return True


def retrain(successor: Successor, observation: Observation) -> Outcome | None:
    """Train anew and hand the new model over; None where that has to wait.

    What may be a fault of the data is not learned before a person has accepted it.
    """
    settings = Params.read().monitoring
    doubts = [] if is_accepted(settings.window) else doubts_of_data(observation)
    obstacle = find_recent_training(settings.watch.retrain_at_most_every)
    obstacle = obstacle or successor.find_obstacle()
    if obstacle:
        record_step("waited", obstacle)
        return None
    if doubts and not is_worse(observation):
        record_step("asked", f"{'; '.join(doubts)}, and decisions are not known to be worse. {ASK}")
        return None
    steps = [record_step("began", "a new model is trained")]
    if settings.watch.grow and doubts:
        steps.append(record_step("asked", f"no row joins the table: {'; '.join(doubts)}. {ASK}"))
    elif settings.watch.grow:
        added = grow_table(journal_url(), settings.truth_days, time_of_last("grew"))
        steps.append(record_step("grew", "; ".join(added)))
    version = train_champion()
    if not version:
        return "refused"
    return successor.hand_over(version, reasons_to_retrain(observation), steps)


def is_accepted(window: str) -> bool:
    """Tell whether a person has accepted what came in: since the last training began, and at most
    `window` ago, since by then other rows have come in.
    """
    accepted, began = time_of_last("accepted"), time_of_last("began")
    if accepted is None or (began is not None and accepted < began):
        return False
    return accepted >= datetime.now(UTC) - timedelta(seconds=convert_to_seconds(window))


def find_recent_training(floor: str) -> str:
    """Return a sentence if the last training began less than `floor` ago, else ""."""
    before = time_of_last("began")
    if not before or datetime.now(UTC) >= before + timedelta(seconds=convert_to_seconds(floor)):
        return ""
    return f"the last training was less than {floor} ago"


def train_champion() -> str | None:
    """Run the pipeline; return the new champion's version, None if the model was refused.

    Raises UserError if the pipeline breaks.
    """
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
        record_step("refused", f"no new model: {why}", gates=[gate["name"] for gate in failed])
        return None
    registered = read_json(REGISTRATION)
    version = str(registered["version"])
    if not registered["champion"]:
        record_step("refused", f"version {version} stays a candidate: {registered['why']}")
        return None
    record_step("trained", f"version {version} passed all gates", version=registered["version"])
    return version
