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
from .addresses import redact, refuse_password

# SQLite types cells, not columns: the driver goes by the first batch, so that is a large one.
BATCH = {adbc_driver_sqlite.StatementOptions.BATCH_ROWS.value: "100000"}

# What a query begins with, after remarks and brackets; anything else is the name of a table.
QUERY = re.compile(r"(\s|--[^\n]*(\n|$)|/\*.*?\*/|\()*(select|with|values)\b(?!\.)", re.I | re.S)


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
    column, value = since or ("", None)
    if value is not None:
        query = _select(["*"], _as_table(query), f"{quote_name(column)} >= {quote_value(value)}")
    with connect(uri) as cursor:
        if uri.startswith("sqlite:"):
            cursor.adbc_statement.set_options(**BATCH)
        else:
            query = _cast_to_text(cursor, query)
        cursor.execute(query)
        batches = cursor.fetch_record_batch()
        types = {f.name: getattr(f.type, "storage_type", f.type) for f in batches.schema}
        schema = pa.schema(types.items())
        with pq.ParquetWriter(target, schema) as writer:
            for batch in batches:
                writer.write_batch(batch.cast(schema))


def export_table(records: pl.LazyFrame, uri: str, table: str, replace: bool) -> None:
    """Write records to a new table, batch by batch, all of them or none.

    Raises UserError, also if the table is there already and not to be replaced.
    """
    oldest = pl.CompatLevel.oldest()  # the drivers do not know the newest types of Arrow yet
    empty = records.head(0).collect().to_arrow(compat_level=oldest)

    def batches() -> Iterator[pa.RecordBatch]:
        for frame in records.collect_batches(engine="streaming"):
            yield from frame.to_arrow(compat_level=oldest).cast(empty.schema).to_batches()

    reader = pa.RecordBatchReader.from_batches(empty.schema, batches())
    with connect(uri, must_exist=False) as cursor:
        cursor.adbc_ingest(table, reader, "replace" if replace else "create")


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
    except (adbc_driver_sqlite.dbapi.Error, pa.ArrowException, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        if password := os.environ.get("PGPASSWORD"):
            reason = reason.replace(password, "***")
        raise UserError(
            f"{redact(uri)}: {reason}; check the address, the table or query, and your rights."
        ) from None  # the driver's own error may hold a password


def quote_name(name: str) -> str:
    """Quote the name of a column or table, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


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
