"""The database of a journal: how to connect, how to add a row, and what may go wrong.

SQLite goes on writing into a file that somebody has deleted or replaced, and nobody would ever read
those rows: after each write it is checked that the file is still the one that was opened.
"""

import errno
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..core.errors import UserError

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
GONE, REPLACED = "gone", "replaced"
OF_SQLITE = {"FULL": "full", "BUSY": "locked", "LOCKED": "locked", "READONLY": "read-only"}
OF_THE_SYSTEM = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "read-only",
    errno.EACCES: "read-only",
}
NOTHING: tuple[int, ...] = ()
OTHERWISE = "unreachable"
REASONS = (GONE, REPLACED, *dict.fromkeys([*OF_SQLITE.values()]), OTHERWISE)


class MovedError(Exception):
    """What was written went into a file that is no longer at its place."""


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


class Database(Protocol):
    """A kind of database."""

    inserts: Inserts
    errors: tuple[type[Exception], ...]

    def connect(self) -> Connection: ...

    def verify(self) -> None:
        """Raise MovedError if what was written would not be found."""

    def clear_up(self) -> None:
        """Take away what an earlier file has left, once its connection is closed."""


def choose_database(url: str, durable: bool) -> Database:
    """Choose the database by its address. Raises UserError if that is of neither SQLite nor
    PostgreSQL, or its driver is not here.
    """
    if url.startswith(SQLITE) and url != SQLITE:
        return SqliteFile(Path(url.removeprefix(SQLITE)), durable)
    if url.startswith(POSTGRESQL):
        return Postgresql(url)
    raise UserError("JOURNAL_URL must be sqlite:///FILE or postgresql://HOST/NAME.")


class SqliteFile:
    """A file of SQLite, which is made where there is none."""

    inserts = INSERTS_OF_SQLITE
    errors: tuple[type[Exception], ...] = (sqlite3.Error, OSError)

    def __init__(self, file: Path, durable: bool) -> None:
        self._file, self._durable = file, durable
        self._log = file.with_name(f"{file.name}-wal")
        self._opened = self._logged = NOTHING

    def connect(self) -> Connection:
        """Open the file."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._file, check_same_thread=False, timeout=5)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'NORMAL'}")
        self._opened = identify(self._file)
        return connection

    def verify(self) -> None:
        """Raise MovedError if another file, or none, is at the place of the one that was opened."""
        if (found := identify(self._file)) != self._opened:
            raise MovedError(REPLACED if found else GONE)
        self._logged = identify(self._log)

    def clear_up(self) -> None:
        """Delete the log of a file that was moved: SQLite would write it into the next one."""
        if self._logged and identify(self._log) == self._logged:
            self._log.unlink()
            self._file.with_name(f"{self._file.name}-shm").unlink(missing_ok=True)


class Postgresql:
    """A server of PostgreSQL, which looks after its files itself."""

    inserts = INSERTS_OF_POSTGRESQL

    def __init__(self, url: str) -> None:
        """Raises UserError if the driver is not here."""
        try:
            import psycopg  # noqa: PLC0415  (only where the journal is in PostgreSQL)
        except ImportError as error:
            raise UserError(
                "PostgreSQL needs its driver: uv add --group serving 'psycopg[binary]'."
            ) from error
        self.errors: tuple[type[Exception], ...] = (psycopg.Error, OSError)
        self.connect = partial(psycopg.connect, url, connect_timeout=5)

    def verify(self) -> None:
        """Do nothing."""

    def clear_up(self) -> None:
        """Do nothing."""


def identify(file: Path) -> tuple[int, ...]:
    """Return what tells a file from another that has its name; NOTHING where there is none."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return NOTHING
    return status.st_dev, status.st_ino


def explain_error(error: Exception) -> str:
    """Say in one of the REASONS why a database cannot be written."""
    if isinstance(error, MovedError):
        return str(error)
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorname", "").split("_")
        return OF_SQLITE.get(code[1] if len(code) > 1 else "", OTHERWISE)
    if isinstance(error, OSError):
        return OF_THE_SYSTEM.get(error.errno or 0, OTHERWISE)
    return OTHERWISE
