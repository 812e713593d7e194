"""Tables of a database, streamed in and out over ADBC (Arrow Database Connectivity)."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from ..core.errors import UserError
from ..core.full_disk import is_full_disk
from .addresses import quote_name, redact, refuse_password
from .sqlite_types import type_columns

BATCH = {adbc_driver_sqlite.StatementOptions.BATCH_ROWS.value: "100000"}
DATABASE_ERRORS = (adbc_driver_sqlite.dbapi.Error, pa.ArrowException, ValueError, OSError)

# What a query begins with, after remarks and brackets; anything else is the name of a table.
QUERY = re.compile(r"(\s|--[^\n]*(\n|$)|/\*.*?\*/|\()*(select|with|values)\b(?!\.)", re.I | re.S)

# What drivers say of a query or of a file, what that means, and the way out (None: what is there).
CORRECT, ANEW = "correct the query", "get the file again, or restore it"
FAULTS: dict[str, tuple[str, str | None]] = {
    r'no such table: (?:main\.)?(.+)|relation "(.+?)" does not exist': (
        "there is no table {}",
        None,
    ),
    r'no such column: (.+)|column "?(.+?)"? does not exist': ("there is no column {}", CORRECT),
    r"no such function: (.+)|function (.+?) does not exist": ("there is no function {}", CORRECT),
    r'near "(.+)": syntax error|syntax error at or near "(.+)"': ("no SQL near {}", CORRECT),
    r"incomplete input|syntax error at end of input": ("the query is not whole", CORRECT),
    r"file is not a database": ("it is no SQLite database", "check the path"),
    r"disk image is malformed|malformed database schema": ("the database file is damaged", ANEW),
    r"Invalid UTF8 sequence|codec can't decode": ("some of its texts are not UTF-8", ANEW),
}
PREFIX = re.compile(r"^[A-Z_]+: (?:\[\w+\] )?(?:Failed to [^:]+: )?")  # of a driver's own
TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name",
    "postgresql": (
        "SELECT table_name FROM information_schema.tables WHERE table_schema NOT IN "
        "('information_schema', 'pg_catalog') ORDER BY table_name"
    ),
}


def land_query(
    uri: str,
    table_or_query: str,
    target: Path,
    since: tuple[str, int | float | str | None] | None = None,
) -> None:
    """Write the rows of a table or of a query (SELECT or WITH) to Parquet, batch by batch.

    `uri` is sqlite:///PATH or postgresql://USER@HOST/DATABASE. Exact decimals come as text, which
    the contract reads as numbers. `since` is a column and a value: rows where it is less are left
    out. Raises UserError, which never shows a password.
    """
    query = table_or_query.strip().rstrip(";")
    if not QUERY.match(query):
        query = _select(["*"], ".".join(map(quote_name, query.split("."))))
    (column, value), whole = since or ("", None), query
    if value is not None:
        name = quote_name(column)
        condition = f"{name} >= {quote_value(value)} OR {name} IS NULL"
        query = _select(["*"], _as_table(query), condition)
    with connect(uri) as cursor:
        if since:
            _check_column(cursor, whole, column)
        if uri.startswith("sqlite:"):
            cursor.adbc_prepare(query)  # what is wrong with it is told in its own words
            query = type_columns(cursor, _as_table(query), redact(uri))
            cursor.adbc_statement.set_options(**BATCH)
        else:
            query = _cast_to_text(cursor, query)
        try:
            _land(cursor, query, target, skipped=int(uri.startswith("sqlite:")))
        except DATABASE_ERRORS as error:
            if not is_full_disk(error) and (name := _find_unreadable_column(uri, query)):
                fault, _ = _explain(error)
                raise UserError(
                    f"{redact(uri)}: column '{name}' cannot be read ({fault}); correct it, or "
                    "leave it out with a --query that names the other columns."
                ) from None
            raise


def _land(cursor: Any, query: str, target: Path, skipped: int) -> None:
    """Write the rows of a query to Parquet, batch by batch, but for the first few."""
    cursor.execute(query)
    batches = cursor.fetch_record_batch()
    types = {f.name: getattr(f.type, "storage_type", f.type) for f in batches.schema}
    schema = pa.schema(types.items())
    with pq.ParquetWriter(target, schema) as writer:
        for batch in batches:
            rows = batch.cast(schema).slice(skipped)
            rows.validate(full=True)  # SQLite's texts may be no UTF-8
            writer.write_batch(rows)
            skipped = 0


def _find_unreadable_column(uri: str, query: str) -> str:
    """Find the first column that cannot be read by itself; "" if each can. Raises UserError if the
    database has gone.
    """
    with connect(uri) as cursor:
        names = _list_columns(cursor, query)
    for name in names:
        try:
            with connect(uri) as cursor:  # anew, as an error ends a transaction
                cursor.execute(_select([quote_name(name)], _as_table(query)))
                for batch in cursor.fetch_record_batch():
                    batch.validate(full=True)
        except UserError:
            return name
    return ""


def _check_column(cursor: Any, query: str, column: str) -> None:
    """Raise UserError if a query has no such column; SQLite would take its name for a text."""
    names = _list_columns(cursor, query)
    if column not in names:
        raise UserError(
            f"--cursor {column}: there is no such column; there are {', '.join(names[:30])}."
        )


def _list_columns(cursor: Any, query: str) -> list[str]:
    """List the columns of a query, without a row of it."""
    cursor.execute(_select(["*"], _as_table(query), "1 = 0"))
    return [field.name for field in cursor.fetch_arrow_table().schema]


def export_table(records: pl.LazyFrame, uri: str, table: str, replace: bool) -> None:
    """Write records to a new table (NAME or SCHEMA.NAME), batch by batch, all of them or none.

    Raises UserError, also if the table is there already and not to be replaced.
    """
    oldest = pl.CompatLevel.oldest()  # the drivers do not know the newest types of Arrow yet
    empty = records.head(0).collect().to_arrow(compat_level=oldest)

    def batches() -> Iterator[pa.RecordBatch]:
        for frame in records.collect_batches(engine="streaming"):
            yield from frame.to_arrow(compat_level=oldest).cast(empty.schema).to_batches()

    reader = pa.RecordBatchReader.from_batches(empty.schema, batches())
    schema, _, name = table.rpartition(".")
    level = "catalog_name" if uri.startswith("sqlite:") else "db_schema_name"
    place = {level: schema} if schema else {}
    with connect(uri, must_exist=False) as cursor:
        cursor.adbc_ingest(name, reader, "replace" if replace else "create", **place)


@contextmanager
def connect(uri: str, *, must_exist: bool = True) -> Iterator[Any]:
    """Open a cursor, whose work holds if the block ends well. Raises UserError for all that goes
    wrong with the database.
    """
    refuse_password(uri)
    sqlite = Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None
    if sqlite and must_exist and not sqlite.is_file():  # SQLite would make an empty one of it
        raise UserError(f"{sqlite}: there is no such database file; check the path.")
    try:
        connect = (
            adbc_driver_sqlite.dbapi.connect if sqlite else adbc_driver_postgresql.dbapi.connect
        )
        with (
            closing(connect(str(sqlite or uri))) as connection,
            closing(connection.cursor()) as cursor,
        ):
            yield cursor
            connection.commit()
    except DATABASE_ERRORS as error:
        if is_full_disk(error):
            raise
        fault, way_out = _explain(error)
        way_out = way_out or _name_tables(uri)
        # The driver's own error may hold a password.
        raise UserError(f"{redact(uri)}: {fault}; {way_out}.") from None


def _explain(error: Exception) -> tuple[str, str | None]:
    """Say what a driver has met, without the password, and the way out (None: what is there)."""
    reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
    password = os.environ.get("PGPASSWORD")
    reason = PREFIX.sub("", reason.replace(password, "***") if password else reason)
    for pattern, (meaning, way_out) in FAULTS.items():
        if match := re.search(pattern, reason):
            name = next(filter(None, match.groups()), "")
            return meaning.format(f"'{name}'"), way_out
    return reason, "check the address, the table or query, and your rights"


def _name_tables(uri: str) -> str:
    """Name the tables and views that a database has."""
    try:
        with connect(uri) as cursor:
            cursor.execute(TABLES["sqlite" if uri.startswith("sqlite:") else "postgresql"])
            names = [name for (name,) in cursor.fetchall()]
    except UserError:
        return "check the address"
    return f"it has {', '.join(names[:20])}" if names else "it has no table at all"


def quote_value(value: float | str) -> str:
    """Quote a text; write a number as it is. The database gives it the type it is compared with."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def _select(columns: Iterable[str], source: str, condition: str = "") -> str:
    """Compose a query of parts that are quoted, or are a query themselves."""
    where = ["WHERE", condition] if condition else []
    return " ".join(["SELECT", ", ".join(columns), "FROM", source, *where])


def _as_table(query: str) -> str:
    """Make a query what another selects from; on lines of its own, as it may end in a comment."""
    return f"(\n{query}\n) AS delivered"


def _cast_to_text(cursor: Any, query: str) -> str:
    """Have PostgreSQL make a text of what is no number, date or text (a UUID, JSON)."""
    known = (pa.types.is_primitive, pa.types.is_boolean, pa.types.is_string)
    columns = []
    for field in cursor.adbc_execute_schema(query):
        name = quote_name(field.name)
        is_known = any(is_kind(field.type) for is_kind in known)
        columns.append(name if is_known else f"{name}::text AS {name}")
    return _select(columns, _as_table(query))
