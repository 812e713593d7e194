"""Stands before the application: counts and measures requests."""

import logging
import time

from pydantic import BaseModel, ConfigDict
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .admission import Admission, Turn
from .service import Service
from .service_metrics import WORK

ADMIN = ("/model/swap", "/model/rollback", "/model/shadow")
KNOWN = (*WORK, "/info", "/healthz", "/readyz", "/metrics", *ADMIN)
PART = 65_536  # bytes
log = logging.getLogger(__name__)


class Swap(BaseModel):
    """Which model is to answer or to follow, and the checksum of one that is a file."""

    model_config = ConfigDict(extra="forbid")

    uri: str
    sha256: str = ""


class Guard:
    """Counts every request, and measures those that came whole."""

    def __init__(self, app: ASGIApp, service: Service, admission: Admission) -> None:
        self.app, self.service, self.metrics = app, service, service.metrics
        self.admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        turn = scope["turn"] = Turn()
        path = scope["path"] if scope["path"] in KNOWN else "other"
        status, seconds = 500, None

        async def noting(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":  # how fast it is read is up to the client
                status, seconds = message["status"], _elapsed(turn)
            await send_in_parts(message, send)

        try:
            await self.app(scope, receive, noting)
        finally:
            self.admission.leave(turn)
            seconds = _elapsed(turn) if seconds is None else seconds
            self.metrics.answered(path, status, seconds)
            level = logging.WARNING if status >= 500 else logging.DEBUG
            if log.isEnabledFor(level):
                told = {"path": path, "status": status}
                told |= {} if seconds is None else {"ms": round(seconds * 1000, 2)}
                log.log(level, "request", extra=told)


def _elapsed(turn: Turn) -> float | None:
    """Return the seconds since a request was there; None: it never was."""
    return None if turn.start is None else time.perf_counter() - turn.start


async def send_in_parts(message: Message, send: Send) -> None:
    """Send an answer as fast as it is read: a connection holds no more than a PART of it."""
    content = message.get("body", b"")
    for start in range(0, len(content) - PART, PART):
        part = content[start : start + PART]
        await send({"type": "http.response.body", "body": part, "more_body": True})
    if len(content) > PART:
        message = {**message, "body": content[(len(content) - 1) // PART * PART :]}
    await send(message)
