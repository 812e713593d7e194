"""A connection with limits of size and time, also before its request reaches the application.

httptools, which uvicorn reads HTTP with, takes headers without end, waits for them for ever, and
keeps what nobody reads of an answer.
"""

import asyncio
import contextlib
from collections import Counter
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .options import Options

MOST_HEAD = 16_384  # bytes of the request line and the headers
MOST_QUEUED = 8  # requests sent before the ones before them were answered
SPARE_FILES = 64  # that a process opens beside its connections
REFUSAL = (
    "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    "Retry-After: 1\r\nConnection: close\r\n\r\n{content}"
)
TOO_LONG = ("431 Request Header Fields Too Large", "the headers are too long")
FULL = ("503 Service Unavailable", "too many connections; try again")


class Connection(HttpToolsProtocol):
    """Ends by itself where its client takes longer than `max_seconds` for one of its parts."""

    max_seconds: float
    max_connections: int

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a new connection, if need be in the place of one that only waits."""
        super().connection_made(transport)
        self._since, self._chunks, self._unsent = self.loop.time(), 0, False
        self._heading = self._incomplete = True  # the first byte of a request is awaited, too
        self._last = False  # request of this connection
        self._timer = self.loop.call_later(self.max_seconds / 2, self._check)
        if len(self.connections) > self.max_connections and not self._cut_another_off():
            self._refuse(*FULL)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what has come, and refuse a head that is too long."""
        self._chunks += len(data)
        super().data_received(data)
        if self._heading and self._chunks > MOST_HEAD and not self.transport.is_closing():
            self._refuse(*TOO_LONG)

    def on_message_begin(self) -> None:
        """Note when the head of a request begins."""
        self._heading = self._incomplete = True
        self._since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request on. Raises ValueError, which ends the connection, if it is too much."""
        if self._chunks > MOST_HEAD:  # of one piece, or with a part of the body
            head = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if head > MOST_HEAD:
                raise ValueError(TOO_LONG)
        if len(self.pipeline) >= MOST_QUEUED:
            raise ValueError
        self._heading, self._chunks = False, 0
        super().on_headers_complete()
        # uvicorn would close with a body half read, and the answer would be lost by the reset.
        self._last, self.cycle.keep_alive = not self.cycle.keep_alive, True

    def on_message_complete(self) -> None:
        """Note that the client has sent what it had to."""
        self._incomplete, self._chunks = False, 0
        self._since = self.loop.time()
        super().on_message_complete()
        self._close_after_the_last()

    def on_response_complete(self) -> None:
        """Close the connection where it was for one request only."""
        super().on_response_complete()
        self._close_after_the_last()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or too much of it."""
        if self._heading and self._chunks > MOST_HEAD:
            self._refuse(*TOO_LONG)
        else:
            super().send_400_response(msg)

    def _check(self) -> None:
        """End the connection if its client is too slow; else look again later."""
        waited = self.loop.time() - self._since
        unsent = self.transport.get_write_buffer_size() > 0
        # A body has its own time; what comes after its answer is read for a while, and dropped.
        patience = self.max_seconds if self._heading else 2 * self.max_seconds
        if (self._incomplete and waited > patience) or (unsent and self._unsent):
            self.transport.abort()
            return
        self._unsent = unsent
        self._timer = self.loop.call_later(self.max_seconds / 2, self._check)

    def _close_after_the_last(self) -> None:
        if self._last and self.cycle.response_complete and not self._incomplete:
            self.transport.close()

    def _is_waiting(self) -> bool:
        """Tell whether it is the client's turn, not the service's."""
        return self.cycle is None or self.cycle.response_complete or self._incomplete

    def _cut_another_off(self) -> bool:
        """End what waits longest, of the address that has most connections; False: none waits."""
        others = (each for each in self.connections if isinstance(each, Connection))
        waiting = [each for each in others if each is not self and each._is_waiting()]
        if not waiting:
            return False
        addresses = Counter(each.client and each.client[0] for each in waiting)
        busiest, _ = addresses.most_common(1)[0]
        of_it = [each for each in waiting if (each.client and each.client[0]) == busiest]
        min(of_it, key=lambda each: each._since).transport.abort()
        return True

    def _refuse(self, status: str, reason: str) -> None:
        content = f'{{"detail":"{reason}"}}'
        text = REFUSAL.format(status=status, length=len(content), content=content)
        self.transport.write(text.encode())
        self.transport.close()


def limit_connections(options: Options) -> type[Connection]:
    """Make the class of a service's connections; it has no more than there may be open files."""
    most = options.max_connections
    with contextlib.suppress(ImportError):  # Windows has no such limit
        import resource  # noqa: PLC0415

        files, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = most + SPARE_FILES
        if files < wanted:
            files = wanted if highest == resource.RLIM_INFINITY else min(wanted, highest)
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, highest))
            most = min(most, max(1, files - SPARE_FILES))
    limits: dict[str, Any] = {"max_seconds": options.max_seconds, "max_connections": most}
    return type("Connection", (Connection,), limits)
