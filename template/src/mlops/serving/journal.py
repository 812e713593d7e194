"""What was predicted, and the truth when it comes: a database, written beside the answers.

Rows are written in batches by a thread of their own. A service that is killed loses what it has
taken in the last WINDOW seconds; a `durable` journal loses nothing that was answered, and holds
nothing that was not. While the database is down rows wait, up to MOST bytes of them; what comes
then is lost, and counted.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import takewhile
from typing import Any, NamedTuple

from pydantic_core import to_json

from .journal_database import (
    REASONS,
    TABLES,
    Connection,
    MovedError,
    choose_database,
    explain_error,
)
from .service_metrics import Metrics

WINDOW = 0.1
MOST = 32_000_000  # bytes that wait
ROW = 1_000  # bytes of a row beside those of its record
BATCH = 2_000
RETRY = 1.0  # seconds until the next try while the database is down
log = logging.getLogger(__name__)


class Prediction(NamedTuple):
    """`role`: "champion" gave the answer, "probe" where who deploys had asked; "shadow" only took
    part. Times are UTC (ISO 8601).
    """

    id: str
    role: str
    at: str
    key: dict[str, Any] | None
    version: int | None
    model: str
    prediction: Any
    score: float
    decision: Any
    inputs: dict[str, Any]


class Truth(NamedTuple):
    """What really was, for a prediction's `id` or a record's `key`."""

    at: str
    id: str | None
    key: dict[str, Any] | None
    truth: Any


Row = Prediction | Truth
Kept = Future[bool]


class Batch(NamedTuple):
    """Rows that came together, up to the `end`th of all; `size` is in bytes."""

    end: int
    size: int
    kept: Kept | None


class Journal:
    """Takes rows at once, and writes them soon."""

    def __init__(self, url: str, metrics: Metrics, durable: bool = False) -> None:
        """Open a journal at sqlite:///FILE or postgresql://... Raises UserError for another `url`.

        A database that does not answer is no error: it may come later.
        """
        self.durable, self._up = durable, True
        self._database, self._metrics = choose_database(url, durable), metrics
        self._errors: tuple[type[Exception], ...] = (*self._database.errors, MovedError)
        self._rows: deque[Row] = deque()
        self._taken = self._written = self._bytes = 0
        self._batches: deque[Batch] = deque()
        self._lock = threading.Lock()  # rows come from several threads
        self._wake, self._ended = threading.Event(), threading.Event()
        self._connection: Connection | None = None
        metrics.pending.set_function(lambda: len(self._rows))
        for reason in REASONS:
            metrics.journal_faults.labels(reason)
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def has_room(self, size: int) -> bool:
        """Tell whether rows of a request of so many bytes may come: those before are being written.

        While the database is down, they may: then they are lost rather than answers refused.
        """
        return not self._up or self._bytes + size <= MOST

    def put(self, rows: Sequence[Row], size: int = 0, kept: Kept | None = None) -> None:
        """Take rows of a request of `size` bytes, to be written within WINDOW seconds.

        Never waits. `kept` is told whether they are in the database, as soon as that is known.
        """
        size += ROW * len(rows)
        with self._lock:
            if not self._up and self._bytes + size > MOST:
                self._metrics.journal.labels("lost").inc(len(rows))
                if kept:
                    kept.set_result(False)
                return
            self._rows.extend(rows)
            self._taken += len(rows)
            self._bytes += size
            self._batches.append(Batch(self._taken, size, kept))
        if kept:
            self._wake.set()

    def close(self) -> None:
        """Write what is left, and end."""
        self._ended.set()
        self._wake.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.is_set():
            self._wake.wait(WINDOW)
            self._wake.clear()
            self._empty()
        self._empty()
        self._metrics.journal.labels("lost").inc(len(self._rows))
        if self._connection:
            self._connection.close()

    def _empty(self) -> None:
        """Write all that waits, unless the database is down; a file that is gone is made anew."""
        try:
            try:
                self._write_all()
            except MovedError as error:
                self._tell(error)
                self._database.clear_up()
                self._write_all()
            self._up = True
        except self._errors as error:
            self._tell(error)
            self._up = False
            if self.durable:
                self._withdraw()
        self._metrics.journal_up.set(self._up)
        if not self._up:
            self._ended.wait(RETRY)

    def _write_all(self) -> None:
        while count := self._count_next():
            self._write([self._rows[place] for place in range(count)])

    def _count_next(self) -> int:
        """Count the rows to write at once; those that came together stay together."""
        with self._lock:
            ends = (batch.end - self._written for batch in self._batches)
            first = next(ends, 0)
            return max(first, *takewhile(lambda end: end <= BATCH, ends), 0)

    def _write(self, rows: list[Row]) -> None:
        connection = self._connected()
        cursor = connection.cursor()
        for kind, insert in zip((Prediction, Truth), self._database.inserts, strict=True):
            if batch := [_encode_cells(row) for row in rows if isinstance(row, kind)]:
                cursor.executemany(insert, batch)
        connection.commit()
        self._database.verify()
        self._drop(len(rows), "written")

    def _withdraw(self) -> None:
        """Forget what waits: whoever asked is told to try again, so none of it was decided."""
        self._drop(len(self._rows), "withdrawn")

    def _drop(self, count: int, outcome: str) -> None:
        """Take the first rows out, and tell who waits for them."""
        with self._lock:
            for _ in range(count):
                self._rows.popleft()
            self._written += count
            done = [*takewhile(lambda batch: batch.end <= self._written, self._batches)]
            for batch in done:
                self._batches.popleft()
                self._bytes -= batch.size
        self._metrics.journal.labels(outcome).inc(count)
        for batch in done:
            if batch.kept and batch.kept.set_running_or_notify_cancel():  # who asked may have gone
                batch.kept.set_result(outcome == "written")

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._database.connect()
            for statement in TABLES:
                self._connection.cursor().execute(statement)
            self._connection.commit()
        return self._connection

    def _tell(self, error: Exception) -> None:
        """Say why the journal cannot be written, and let go of its connection."""
        reason = explain_error(error)
        told = {"reason": reason, "error": type(error).__name__}
        log.error("the journal cannot be written", extra=told)
        self._metrics.journal_faults.labels(reason).inc()
        connection, self._connection = self._connection, None
        if connection:
            with suppress(*self._database.errors):
                connection.close()


def _encode_cells(row: Row) -> list[Any]:
    """Encode a row as the database takes it: what has parts is JSON."""
    plain = (str, int, float, type(None))
    return [
        cell if isinstance(cell, plain) and not isinstance(cell, bool) else to_json(cell).decode()
        for cell in row
    ]
