"""What was predicted, and the truth when it comes: a database, written beside the answers.

Rows are written in batches by a thread of their own. A service that is killed loses what it has
taken in the last WINDOW seconds; a `durable` journal loses nothing that was answered. While the
database is down rows wait, up to MOST of them; what comes then is lost, and counted.
"""

import asyncio
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from pydantic_core import to_json

from ..core.errors import UserError
from .service_metrics import Metrics

WINDOW = 0.1
MOST = 50_000  # rows that wait
BATCH = 2_000
RETRY = 1.0  # seconds until the next try while the database is down
SQLITE, POSTGRESQL = "sqlite:///", ("postgresql://", "postgres://")
TABLES = (
    """CREATE TABLE IF NOT EXISTS predictions (
        id text NOT NULL, role text NOT NULL, at text NOT NULL, key text, version integer,
        model text NOT NULL, prediction text NOT NULL, score double precision NOT NULL,
        decision text NOT NULL, inputs text NOT NULL, PRIMARY KEY (id, role)
    )""",
    """CREATE TABLE IF NOT EXISTS truths (
        at text NOT NULL, id text, key text, truth text NOT NULL
    )""",
)
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


class Inserts(NamedTuple):
    """The statements that add a row, in the words of one kind of database."""

    prediction: str
    truth: str


INSERTS_OF_SQLITE = Inserts(
    "INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    "INSERT INTO truths VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
)
INSERTS_OF_POSTGRESQL = Inserts(
    "INSERT INTO predictions VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
    "ON CONFLICT DO NOTHING",
    "INSERT INTO truths VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
)


class Connection(Protocol):
    """As much of a database (PEP 249) as is needed."""

    def cursor(self) -> Any: ...
    def commit(self) -> None: ...
    def close(self) -> None: ...


class Database(NamedTuple):
    """How to connect, how to add a row, and what may go wrong."""

    connect: Callable[[], Connection]
    inserts: Inserts
    errors: tuple[type[Exception], ...]


def choose_database(url: str, durable: bool) -> Database:
    """Choose the database by its address. Raises UserError if that is of neither SQLite nor
    PostgreSQL, or its driver is not here.
    """
    if url.startswith(SQLITE):
        file = Path(url.removeprefix(SQLITE))
        errors = (sqlite3.Error, OSError)
        return Database(lambda: _connect_sqlite(file, durable), INSERTS_OF_SQLITE, errors)
    if not url.startswith(POSTGRESQL):
        raise UserError("JOURNAL_URL must be sqlite:///FILE or postgresql://HOST/NAME.")
    try:
        import psycopg  # noqa: PLC0415  (only where the journal is in PostgreSQL)
    except ImportError as error:
        raise UserError(
            "PostgreSQL needs its driver: uv add --group serving 'psycopg[binary]'."
        ) from error
    connect = partial(psycopg.connect, url, connect_timeout=5)
    return Database(connect, INSERTS_OF_POSTGRESQL, (psycopg.Error, OSError))


def _connect_sqlite(file: Path, durable: bool) -> Connection:
    file.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(file, check_same_thread=False, timeout=5)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    return connection


class Journal:
    """Takes rows at once, and writes them soon."""

    def __init__(self, url: str, metrics: Metrics, durable: bool = False) -> None:
        """Open a journal at sqlite:///FILE or postgresql://... Raises UserError for another `url`.

        A database that does not answer is no error: it may come later.
        """
        self.durable = durable
        self._database, self._metrics = choose_database(url, durable), metrics
        self._rows: deque[Row] = deque()
        self._taken = self._written = 0
        self._waiting: deque[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[bool]]] = deque()
        self._wake, self._ended = threading.Event(), threading.Event()
        self._connection: Connection | None = None
        metrics.pending.set_function(lambda: len(self._rows))
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def put(self, rows: Sequence[Row]) -> None:
        """Take rows, to be written within WINDOW seconds; never waits."""
        if len(self._rows) + len(rows) > MOST:
            self._metrics.journal.labels("lost").inc(len(rows))
            return
        self._rows.extend(rows)
        self._taken += len(rows)

    async def kept(self) -> bool:
        """Wait until all rows taken so far are in the database; False if they cannot be by now."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[bool] = loop.create_future()
        self._waiting.append((self._taken, loop, done))
        self._wake.set()
        return await done

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
        """Write all that waits, unless the database is down."""
        try:
            while self._rows:
                self._write([self._rows[place] for place in range(min(BATCH, len(self._rows)))])
            up = True
        except self._database.errors as error:
            log.error("the journal cannot be written", extra={"reason": type(error).__name__})
            self._disconnect()
            up = False
        self._metrics.journal_up.set(up)
        while self._waiting and (not up or self._waiting[0][0] <= self._written):
            _, loop, done = self._waiting.popleft()
            loop.call_soon_threadsafe(_resolve, done, up)
        if not up:
            self._ended.wait(RETRY)

    def _write(self, rows: list[Row]) -> None:
        connection = self._connected()
        cursor = connection.cursor()
        for kind, insert in zip((Prediction, Truth), self._database.inserts, strict=True):
            if batch := [_encode_cells(row) for row in rows if isinstance(row, kind)]:
                cursor.executemany(insert, batch)
        connection.commit()
        for _ in rows:
            self._rows.popleft()
        self._written += len(rows)
        self._metrics.journal.labels("written").inc(len(rows))

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._database.connect()
            for statement in TABLES:
                self._connection.cursor().execute(statement)
            self._connection.commit()
        return self._connection

    def _disconnect(self) -> None:
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


def _resolve(done: asyncio.Future[bool], up: bool) -> None:
    if not done.done():  # whoever asked may have gone
        done.set_result(up)
