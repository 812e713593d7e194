"""Stands before the application: counts, measures, and turns away what would be too much."""

import asyncio
import logging
import time
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .options import Options
from .service import Service
from .service_metrics import WORK

ADMIN = ("/model/swap", "/model/rollback", "/model/shadow")
KNOWN = (*WORK, "/info", "/healthz", "/readyz", "/metrics", *ADMIN)
BUSY = {"Retry-After": "1"}
log = logging.getLogger(__name__)


class ProblemError(Exception):
    """An answer that is no success, and the sentence that says why."""

    def __init__(self, status: int, detail: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(to_json(content), status, headers, "application/json")


class Swap(BaseModel):
    """Which model is to answer or to follow, and the checksum of one that is a file."""

    model_config = ConfigDict(extra="forbid")

    uri: str
    sha256: str = ""


class Guard:
    """Requests that find `max_waiting` others before them get 503 at once: a queue without end
    would have all of them wait for nothing.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service
        self.most, self.metrics = service.options.max_waiting, service.metrics
        self.waiting = 0
        self.metrics.waiting.set_function(lambda: self.waiting)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, path = time.perf_counter(), scope["path"] if scope["path"] in KNOWN else "other"
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        self.waiting += 1
        try:
            await asyncio.sleep(0)  # all that has come by now is counted before any is worked on
            if path in WORK and self.waiting > self.most:
                busy = answer({"detail": "too many requests at once; try again"}, 503, BUSY)
                await busy(scope, receive, noting)
            else:
                await self.app(scope, receive, noting)
        finally:
            self.waiting -= 1
            seconds = time.perf_counter() - start
            self.metrics.answered(path, status, seconds)
            level = logging.WARNING if status >= 500 else logging.DEBUG
            if log.isEnabledFor(level):
                told = {"path": path, "status": status, "ms": round(seconds * 1000, 2)}
                log.log(level, "request", extra=told)


async def body(request: Request, options: Options) -> bytes:
    """The request's body. Raises ProblemError if it is too large or too slow."""
    too_large = ProblemError(
        413, f"a request has at most {options.max_bytes} bytes; send fewer records"
    )
    length = request.headers.get("content-length", "0")
    if int(length) > options.max_bytes:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(options.max_seconds):
            async for part in request.stream():
                size += len(part)
                if size > options.max_bytes:
                    raise too_large
                parts.append(part)
    except TimeoutError:
        raise ProblemError(
            408, f"the request took over {options.max_seconds} s to arrive"
        ) from None
    return b"".join(parts)
