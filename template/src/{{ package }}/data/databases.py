"""Tables and queries of a database, streamed to Parquet over ADBC (Arrow Database Connectivity)."""

import re
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import UserError

# SQLite types cells, not columns: the driver goes by the first batch, so that is a large one.
BATCH = {adbc_driver_sqlite.StatementOptions.BATCH_ROWS.value: "100000"}


def land_query(uri: str, table_or_query: str, target: Path) -> None:
    """Write the rows of a table or of a query (SELECT or WITH) to Parquet, batch by batch.

    `uri` is sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE. Exact decimals come as
    text, which the contract reads as numbers. Raises UserError, which never shows the password.
    """
    query = table_or_query.strip().rstrip(";")
    if not re.match(r"(select|with)\s", query, re.IGNORECASE):
        name = query.replace('"', '""').replace(".", '"."')
        query = f'SELECT * FROM "{name}"'  # noqa: S608
    shown = re.sub(r"(://[^:/@]*):.*@", r"\1:***@", uri.partition("?")[0])
    if uri.count("@") > 1:
        raise UserError(f"{shown}: write an @ within the password as %40.")
    try:
        with closing(_connect(uri)) as connection, closing(connection.cursor()) as cursor:
            if uri.startswith("sqlite:"):
                cursor.adbc_statement.set_options(**BATCH)
            else:
                query = _plain(cursor, query)
            cursor.execute(query)
            batches = cursor.fetch_record_batch()
            types = {f.name: getattr(f.type, "storage_type", f.type) for f in batches.schema}
            schema = pa.schema(types.items())
            with pq.ParquetWriter(target, schema) as writer:
                for batch in batches:
                    writer.write_batch(batch.cast(schema))
    except (adbc_driver_sqlite.dbapi.Error, pa.ArrowException, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        password = urlsplit(uri).password or ""
        for secret in filter(None, (password, unquote(password))):
            reason = reason.replace(secret, "***")
        raise UserError(
            f"{shown}: {reason}; check the address, the table or query, and your rights."
        ) from None  # the driver's own error may hold the password


def _plain(cursor: Any, query: str) -> str:
    """The query with every column that is no number, date or text (a UUID, JSON) made a text."""
    cursor.execute(f"SELECT * FROM ({query}) AS wanted LIMIT 0")  # noqa: S608
    with cursor.fetch_record_batch() as nothing:
        kinds = {field.name: field.type for field in nothing.schema}
    known = (pa.types.is_primitive, pa.types.is_boolean, pa.types.is_string)
    columns = []
    for name, kind in kinds.items():
        quoted = '"' + name.replace('"', '""') + '"'
        odd = not any(is_known(kind) for is_known in known)
        columns.append(f"{quoted}::text AS {quoted}" if odd else quoted)
    return f"SELECT {', '.join(columns)} FROM ({query}) AS wanted"  # noqa: S608


def _connect(uri: str) -> Any:
    if not uri.startswith("sqlite:///"):
        return adbc_driver_postgresql.dbapi.connect(uri)
    path = Path(uri.removeprefix("sqlite:///"))
    if not path.is_file():  # SQLite would make an empty database of it
        raise UserError(f"{path}: there is no such database file; check the path.")
    return adbc_driver_sqlite.dbapi.connect(str(path))
