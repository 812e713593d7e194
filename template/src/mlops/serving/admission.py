"""How much of requests is held at once: bytes are admitted, not only requests.

A body that is not finished takes what has come of it, never a place. Where there is no room for
more, the largest unfinished body goes first, so that whoever sends little is let in.
"""

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response
from pydantic_core import to_json
from starlette.requests import ClientDisconnect

from .options import Options
from .service_metrics import Metrics

BUSY = {"Retry-After": "1"}
HUNG_UP = 499  # as nginx calls it: nobody is there to be answered
TOO_MUCH = "too much at once; try again"


class ProblemError(Exception):
    """An answer that is no success, and the sentence that says why."""

    def __init__(self, status: int, detail: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(to_json(content), status, headers, "application/json")


class Turn:
    """A request on its way. Its clock starts when all of it is there: how long its client takes to
    send it is not the service's latency.
    """

    def __init__(self) -> None:
        self.start: float | None = time.perf_counter()
        self.held, self.begun = 0, False
        self.deadline: asyncio.Timeout | None = None  # while its body is read


def check_sender(request: Request) -> None:
    """Raise ProblemError if a page of another site has a browser send this, or it is compressed."""
    headers = request.headers
    origin = headers.get("origin")
    if origin and urlsplit(origin).netloc != headers.get("host"):
        raise ProblemError(403, "pages of other sites may not ask this service")
    if headers.get("content-type", "").lower().startswith("text/plain"):
        raise ProblemError(415, "send JSON, with Content-Type: application/json")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise ProblemError(415, "send JSON as it is, without a Content-Encoding")


class Admission:
    """Lets requests in, as long as they and their bodies are not too much."""

    def __init__(self, options: Options, metrics: Metrics) -> None:
        self._options, self._held, self._waiting = options, 0, 0
        self._most = max(options.max_total_bytes, 2 * options.max_bytes)
        self._unfinished: set[Turn] = set()
        metrics.waiting.set_function(lambda: self._waiting)
        metrics.held.set_function(lambda: self._held)

    async def take(self, request: Request) -> bytes:
        """Return the body of a request, which counts as waiting from now on.

        Raises ProblemError if it is too large, too slow, or too much beside what others have sent.
        """
        check_sender(request)
        turn: Turn = request.scope["turn"]
        turn.start = None
        content = await self._read(request, turn)
        turn.start, turn.begun = time.perf_counter(), True
        self._waiting += 1
        await asyncio.sleep(0)  # all that has come by now is counted before any is worked on
        if self._waiting > self._options.max_waiting:
            raise ProblemError(503, TOO_MUCH, BUSY)
        return content

    def leave(self, turn: Turn) -> None:
        """Give free what a request took."""
        self._held -= turn.held
        self._waiting -= turn.begun

    async def _read(self, request: Request, turn: Turn) -> bytes:
        most, seconds = self._options.max_bytes, self._options.max_seconds
        too_large = ProblemError(413, f"a request has at most {most} bytes; send fewer records")
        if int(request.headers.get("content-length", "0")) > most:
            raise too_large
        parts: list[bytes] = []
        self._unfinished.add(turn)
        try:
            async with asyncio.timeout(seconds) as turn.deadline:
                async for part in request.stream():
                    if turn not in self._unfinished:
                        break  # it had to go while this part was on its way
                    if turn.held + len(part) > most:
                        raise too_large
                    self._make_room(turn, len(part))
                    turn.held += len(part)
                    self._held += len(part)
                    parts.append(part)
        except TimeoutError:
            if turn in self._unfinished:
                message = f"the request took over {seconds} s to arrive"
                raise ProblemError(408, message) from None
        except ClientDisconnect:
            raise ProblemError(HUNG_UP, "the client hung up") from None
        finally:
            had_to_go = turn not in self._unfinished
            self._unfinished.discard(turn)
        if had_to_go:
            raise ProblemError(503, TOO_MUCH, BUSY)
        return b"".join(parts)

    def _make_room(self, turn: Turn, size: int) -> None:
        """Turn the largest unfinished bodies away until there is room for `size` bytes more.

        Raises ProblemError if that would be this one.
        """
        while self._held + size > self._most:
            largest = max(self._unfinished, key=lambda other: other.held)
            if largest.held <= turn.held + size or not largest.deadline:
                raise ProblemError(503, TOO_MUCH, BUSY)
            self._unfinished.remove(largest)
            self._held -= largest.held
            largest.held = 0
            largest.deadline.reschedule(0)
