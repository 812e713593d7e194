"""Looks at the model at work again and again, and has it trained anew where that is called for.

One of these runs beside the service, or a scheduled job runs it `--once`.
"""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from ..core.errors import UserError
from ..core.params import Params, Watch, seconds
from ..core.problem import Problem
from ..serving.options import Options
from .client import Client
from .exporter import Exporter
from .grow import grow
from .look import look
from .retrain import improve, take_back
from .story import last, steps, tell
from .version_comparison import compared

LOCK = Path("journal/.watch.lock")


def watch(url: str, host: str, port: int, *, once: bool) -> None:
    """Look every `monitoring.watch.every`, or once; figures for Prometheus are at host and port.

    Raises UserError if another does so already, and with `once` if something went wrong.
    """
    client, journal = Client(url), Options.read().journal_url
    LOCK.parent.mkdir(exist_ok=True)
    try:
        with FileLock(LOCK, timeout=0):
            exporter = Exporter(None if once else port, host)
            while True:
                well = turn(client, journal, exporter)
                if once:
                    break
                time.sleep(seconds(Params.read().monitoring.watch.every))
    except Timeout:
        raise UserError("another 'monitor watch' is at work here: stop it first.") from None
    if not well:
        raise UserError(f"{steps()[-1].told.rstrip('.')}. 'monitor story' tells what came before.")


def turn(client: Client, journal: str, exporter: Exporter) -> bool:
    """Look once, and do what is called for; False if it cannot be done, which the story tells."""
    exporter.looked()
    try:
        seen = look(journal, exporter)
        tell("looked", seen.told())
        client.get("/readyz")
    except UserError as error:
        tell("failed", str(error))
        return False
    try:
        if worse := compared(journal, client):
            take_back(client, client.get("/info")["model_version"], worse)
            exporter.retrained("rolled_back")
        elif seen.why:
            mend(client, journal, exporter)
    except UserError as error:
        tell("failed", str(error))
        exporter.retrained("failed")
        return False
    return True


def mend(client: Client, journal: str, exporter: Exporter) -> None:
    """Train anew, unless that was done a short while ago."""
    params = Params.read()
    settings = params.monitoring.watch
    if rests(settings):
        return
    client.ready()
    tell("began", "a new model is trained")
    if settings.grow:
        tell("grew", "; ".join(grow(journal, params.monitoring.truth_days, last("grew"))))
    exporter.retrained(improve(client, params, Problem.read()))


def rests(settings: Watch) -> bool:
    """Whether the last training was too short a while ago, which the story then tells."""
    before, floor = last("began"), timedelta(seconds=seconds(settings.retrain_at_most_every))
    if not before or datetime.now(UTC) >= before + floor:
        return False
    tell("waited", f"the last training was less than {settings.retrain_at_most_every} ago")
    return True
