"""Looks at the model at work again and again, and has it trained anew where that is called for.

One of these runs beside the service, or a scheduled job runs it `--once`.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import UserError
from ..sections import seconds
from ..settings import Params, Problem
from .client import Client
from .grow import grow
from .retrain import improve
from .story import Kind, last, tell

LOCK = Path("journal/.watch.lock")
ENDS: tuple[Kind, ...] = ("trained", "refused", "failed")  # steps that an attempt to train leaves
Look = Callable[[], list[str]]  # why a new model is called for


def watch(url: str, journal: str, look: Look, *, once: bool) -> None:
    """Look every `monitoring.watch.every`, or once. Raises UserError if another does so already."""
    LOCK.parent.mkdir(exist_ok=True)
    try:
        with FileLock(LOCK, timeout=0):
            while True:
                well = turn(Client(url), journal, look)
                if once and not well:
                    raise UserError("the last step of 'monitor story' says what went wrong.")
                if once:
                    return
                time.sleep(seconds(Params.read().monitoring.watch.every))
    except Timeout:
        raise UserError("another 'monitor watch' is at work here: stop it first.") from None


def turn(client: Client, journal: str, look: Look) -> bool:
    """Look once, and do what is called for; False if it cannot be done, which the story tells."""
    try:
        if why := look():
            tell("looked", "; ".join(why))
            mend(client, journal, Params.read())
        else:
            tell("looked", "nothing calls for a new model")
    except UserError as error:
        tell("failed", str(error))
        return False
    return True


def mend(client: Client, journal: str, params: Params) -> None:
    """Train anew, unless that was done a short while ago."""
    settings, before = params.monitoring.watch, last(*ENDS)
    floor = timedelta(seconds=seconds(settings.retrain_at_most_every))
    if before and datetime.now(UTC) < before + floor:
        tell("kept", f"the last training was less than {settings.retrain_at_most_every} ago")
        return
    if settings.grow:
        tell("grew", "; ".join(grow(journal, params.monitoring.truth_days, last("grew"))))
    improve(client, params, Problem.read())
