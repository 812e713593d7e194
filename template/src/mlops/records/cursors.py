"""How far a database has been read: by a query or table of it, and a column that grows."""

import hashlib
from typing import Any

import polars as pl

from ..core.errors import UserError
from ..core.paths import RAW
from ..data import change_log
from ..data.change_log import Change
from ..data.column_names import col
from ..data.sources import scan_file
from .addresses import redact
from .delivery import Delivery, Reached


def digest_query(query: str | None) -> str:
    """Digest a query, which may hold what the log may not; "" for a whole table."""
    if not query:
        return ""
    text = " ".join(query.split()).rstrip("; ")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def find_reached(changes: list[Change], source: str, query: str | None, cursor: str) -> Reached:
    """Find how far a table or query was read before, by the column `cursor`; None: not at all.

    The first time, that is where the last `data add` of the same source ended.
    """
    asked = redact(source), digest_query(query)
    same = [
        change
        for change in change_log.select_lineage(changes)
        if (change.source, change.query) == asked
    ]
    if reached := [change.reached for change in same if change.cursor == cursor]:
        return reached[-1]
    added = [RAW / change.file for change in same if change.operation in ("start", "add")]
    return _measure_greatest(scan_file(added[-1]), cursor) if added and added[-1].exists() else None


def measure_reached(delivery: Delivery, cursor: str) -> Reached:
    """Measure how far a delivery reaches. Raises UserError if it has no such column."""
    if cursor not in delivery.columns:
        raise UserError(
            f"--cursor {cursor}: {delivery.path.stem} has no such column; it has "
            f"{', '.join(delivery.columns[:30])}."
        )
    return _measure_greatest(pl.scan_parquet(delivery.path), cursor)


def _measure_greatest(rows: pl.LazyFrame, cursor: str) -> Reached:
    """Take the greatest value of a column, as JSON can hold it; None if it has none."""
    if cursor not in rows.collect_schema().names():
        return None
    greatest: Any = rows.select(col(cursor).max()).collect(engine="streaming").item()
    known = greatest is None or isinstance(greatest, int | float)
    return greatest if known else str(greatest)
