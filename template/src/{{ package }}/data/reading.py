"""Stage ingest: the delivered files, as they came, become one table typed by the contract.

Most rows are in order, so each file is streamed past the plain casts, and only the rows with a
cell that did not read at once are read again thoroughly. What then cannot be read is null in the
table, and is told in `_unreadable` for the rules to judge.
"""

import zlib
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import UserError
from ..files import INGESTED, REPORTS, replacing, write_json
from . import cells
from .contract import Contract
from .rules import REASONS, reasons_where
from .sources import landed, read


def run() -> None:
    """Read data/raw, write data/ingested and reports/ingest.json."""
    report = ingest(landed(), Contract.load())
    write_json(REPORTS / "ingest.json", report)
    odd = f"{report['repaired']:,} repaired, {report['unreadable']:,} with unreadable cells"
    print(f"ingest: {report['rows']:,} rows from {len(report['sources'])} file(s), {odd}")


def ingest(files: list[Path], contract: Contract) -> dict[str, Any]:
    """Write two Parquet files a source to data/ingested; return the counts.

    "repaired" are rows that read only thoroughly, "unreadable" those that did not even then. Raises
    UserError for a file that lacks a column, or was damaged after it landed.
    """
    report: dict[str, Any] = {"rows": 0, "sources": [], "repaired": 0, "unreadable": 0}
    with replacing(INGESTED) as folder:
        folder.mkdir()
        for path in files:
            try:
                counts = _ingest_file(path, report["rows"], contract, folder)
            except (pl.exceptions.PolarsError, OSError, EOFError, zlib.error) as error:
                detail = str(error).partition("\n")[0]
                raise UserError(f"{path} could not be read into {INGESTED}: {detail}") from error
            report["sources"].append({"file": path.name, "rows": counts["rows"]})
            report |= {name: report[name] + count for name, count in counts.items()}
    return report


def _ingest_file(path: Path, before: int, contract: Contract, folder: Path) -> dict[str, int]:
    """Stream one file to `folder`: the rows that read at once, then the rest."""
    good, rest = (folder / f"{path.name}.{part}.parquet" for part in "12")
    raw = numbered(path, before, contract)
    tried = _tried(raw, contract, thorough=False)
    values = [pl.col(f"={column.name}").alias(column.name) for column in contract.columns]
    unread = pl.any_horizontal(f"?{column.name}" for column in contract.columns)
    none = pl.lit(None, REASONS).alias("_unreadable")
    at_once = tried.filter(~unread).select(*values, "_row", "_source", none)
    left = tried.filter(unread).select(raw.collect_schema().names())
    stream({good: at_once, rest: typed(left, contract)})
    again, broken = rows_in(rest), rows_in(rest, pl.col("_unreadable").is_not_null())
    return {"rows": rows_in(good) + again, "repaired": again - broken, "unreadable": broken}


def stream(tables: dict[Path, pl.LazyFrame]) -> None:
    """Write the tables to Parquet files, in one pass over what they are made from."""
    sinks = (t.sink_parquet(path, lazy=True, compression="lz4") for path, t in tables.items())
    pl.collect_all(sinks, engine="streaming")


def rows_in(path: Path, where: bool | pl.Expr = True) -> int:
    return int(pl.scan_parquet(path).filter(where).select(pl.len()).collect().item())


def numbered(path: Path, before: int, contract: Contract) -> pl.LazyFrame:
    """The contract's columns as delivered, `_row` (from before + 1) and `_source`, or UserError."""
    table = read(path)
    names = [column.name for column in contract.columns]
    if absent := set(names) - set(table.collect_schema()):
        raise UserError(f"{path.name} lacks column {min(absent)} of contract.yaml; add it.")
    numbers = table.select(names).with_row_index("_row", offset=before + 1)
    return numbers.with_columns(pl.col("_row").cast(pl.Int64), _source=pl.lit(path.name))


def typed(frame: pl.LazyFrame, contract: Contract) -> pl.LazyFrame:
    """The contract's columns, read thoroughly, all others as they are, and `_unreadable`: the cells
    that hold something else, as a list of reasons; null where there are none.
    """
    tried = _tried(frame, contract, thorough=True)
    names = [column.name for column in contract.columns]
    values = [pl.col(f"={name}").alias(name) for name in names]
    told = reasons_where([(pl.col(f"?{name}"), name, "readable", pl.col(name)) for name in names])
    unreadable = pl.when(told.list.len() > 0).then(told).alias("_unreadable")
    return tried.select(*values, pl.exclude("^[=?].*$", *names), unreadable)


def _tried(frame: pl.LazyFrame, contract: Contract, thorough: bool) -> pl.LazyFrame:
    """With the value of each cell in `=column`, and in `?column` whether it did not read."""
    made, unread = {}, {}
    for column in contract.columns:
        name, dtype = column.name, frame.collect_schema()[column.name]
        made[f"={name}"] = cells.value(column, dtype, thorough)
        unread[f"?{name}"] = pl.col(f"={name}").is_null() & ~cells.blank(column, dtype, thorough)
    return frame.with_columns(**made).with_columns(**unread)
