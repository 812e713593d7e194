"""Tables and queries of a database, streamed to Parquet over ADBC (Arrow Database Connectivity)."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import UserError

EXAMPLES = {"TEXT": "''", "REAL": "0.5", "INTEGER": "0"}
SCHEMES = ("sqlite:///", "postgresql://", "postgres://")


def land_query(uri: str, table_or_query: str, target: Path) -> int:
    """Write the rows of a table or of a query (SELECT or WITH) to Parquet; return their number.

    `uri` is sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE. One batch at a time is in
    memory. Exact decimals become double precision numbers; what has no plain type becomes text.
    Raises UserError, which never shows the password.
    """
    try:
        with closing(_connect(uri)) as connection, closing(connection.cursor()) as cursor:
            return _write(_batches(cursor, uri, _query(table_or_query)), target)
    except (adbc_driver_sqlite.dbapi.Error, pa.ArrowException, OSError) as error:
        reason = _without_password(str(error), uri).strip().splitlines()[0].rstrip(".")
        raise UserError(
            f"{shown(uri)}: {reason}; check the address, the name of the table and your rights."
        ) from None  # the driver's own error may hold the password


def shown(uri: str) -> str:
    """The address as it may be shown: without password and options."""
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", uri.partition("?")[0])


def _without_password(text: str, uri: str) -> str:
    options = parse_qs(urlsplit(uri).query).get("password", [])
    for secret in filter(None, (urlsplit(uri).password, *options)):
        text = text.replace(unquote(secret), "***")
        text = text.replace(secret, "***")
    return text


def _connect(uri: str) -> Any:
    if not uri.startswith("sqlite:///"):
        if uri.count("@") > 1:
            raise UserError(f"{shown(uri)}: write an @ within the password as %40.")
        return adbc_driver_postgresql.dbapi.connect(uri)
    path = Path(uri.removeprefix("sqlite:///"))
    if not path.is_file():  # SQLite would make an empty database of it
        raise UserError(f"{path}: there is no such database file; check the path.")
    return adbc_driver_sqlite.dbapi.connect(str(path))


def _query(table_or_query: str) -> str:
    if re.match(r"\s*(select|with)\s", table_or_query, re.IGNORECASE):
        return table_or_query.strip().rstrip(";")
    return "SELECT * FROM " + ".".join(map(_quoted, table_or_query.split(".")))  # noqa: S608


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _batches(cursor: Any, uri: str, query: str) -> Iterator[pa.RecordBatch]:
    """The rows, every column of a plain type. Raises UserError for columns of the same name."""
    cursor.execute(f"SELECT * FROM ({query}) AS wanted LIMIT 0")  # noqa: S608
    with cursor.fetch_record_batch() as nothing:
        fields = list(nothing.schema)
    names = [field.name for field in fields]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"the query has several columns called '{twice}'; give each its own name.")
    if uri.startswith("sqlite:///"):
        yield from _sqlite(cursor, query, names)
        return
    wanted = ", ".join(f"{_quoted(f.name)}{_cast(f.type)} AS {_quoted(f.name)}" for f in fields)
    cursor.execute(f"SELECT {wanted} FROM ({query}) AS wanted")  # noqa: S608
    yield from cursor.fetch_record_batch()


def _cast(kind: pa.DataType) -> str:
    """What PostgreSQL must do to a column for it to come as a plain type."""
    if getattr(kind, "type_name", "") == "numeric":
        return "::float8"
    types = pa.types
    numeric = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    dated = types.is_date(kind) or types.is_timestamp(kind)
    return "" if numeric or dated or types.is_string(kind) else "::text"


def _sqlite(cursor: Any, query: str, names: list[str]) -> Iterator[pa.RecordBatch]:
    """SQLite types cells, not columns, and the driver goes by the first ones it sees.

    So the types are asked for, and a first row of the right types is put before the others.
    """
    kinds = ", ".join(
        f"MAX(typeof({_quoted(name)}) IN ('text', 'blob')), MAX(typeof({_quoted(name)}) = 'real')"
        for name in names
    )
    cursor.execute(f"SELECT {kinds} FROM ({query})")  # noqa: S608
    found = cursor.fetchone()
    casts, first = [], []
    for name, is_text, is_real in zip(names, found[::2], found[1::2], strict=True):
        kind = "TEXT" if is_text else "REAL" if is_real else "INTEGER"
        casts.append(f"CAST({_quoted(name)} AS {kind})")
        first.append(f"{EXAMPLES[kind]} AS {_quoted(name)}")
    plain = f"SELECT {', '.join(casts)} FROM ({query})"  # noqa: S608
    cursor.execute(f"SELECT {', '.join(first)} UNION ALL {plain}")
    skip = 1
    for batch in cursor.fetch_record_batch():
        yield batch.slice(skip)
        skip = 0


def _write(batches: Iterator[pa.RecordBatch], target: Path) -> int:
    first = next(batches)
    rows: int = first.num_rows
    with pq.ParquetWriter(target, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows
