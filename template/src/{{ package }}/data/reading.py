"""Stage ingest: the delivered files, as they came, become one table typed by the contract.

Most rows of most files are in order, so each file is streamed once past the plain casts, and
only the rows with a cell that did not read at once are read again thoroughly: spaces trimmed,
number formats undone, every date format tried. What then cannot be read is null in the table,
and is told in `_unreadable` for the rules to judge.
"""

from pathlib import Path
from typing import Any

import polars as pl

from ..errors import UserError
from ..files import INGESTED, RAW, REPORTS, replacing, sha256, write_json
from . import cells, sources
from .contract import Contract

UNREADABLE = pl.List(pl.Struct({"column": pl.String, "value": pl.String}))


def run() -> None:
    """Read data/raw, write data/ingested and reports/ingest.json."""
    report = ingest(landed(), Contract.load())
    write_json(REPORTS / "ingest.json", report)
    print(
        f"ingest: {report['rows']:,} rows from {len(report['sources'])} file(s), "
        f"{report['repaired']:,} repaired, {report['unreadable']:,} with unreadable cells"
    )


def landed() -> list[Path]:
    """The delivered files in order. Raises UserError if there are none."""
    files = sorted(path for path in RAW.glob("[0-9]*-*") if path.suffix != ".dvc")
    if not files:
        raise UserError(f"{RAW} holds no table: bring one in with 'data add', or run 'dvc pull'.")
    return files


def ingest(files: list[Path], contract: Contract) -> dict[str, Any]:
    """Write one or two Parquet files a source to data/ingested; return the counts.

    "repaired" are rows that read only thoroughly, "unreadable" those that did not even then.
    """
    told: list[dict[str, Any]] = []
    rows = repaired = unreadable = 0
    with replacing(INGESTED) as folder:
        folder.mkdir()
        for path in files:
            good, rest = _ingest_file(path, rows, contract, folder)
            broken = rest.filter(pl.col("_unreadable").is_not_null())
            count = _count(good) + _count(rest)
            told.append({"file": path.name, "rows": count, "sha256": sha256(path)})
            rows += count
            unreadable += _count(broken)
            repaired += _count(rest) - _count(broken)
    return {"rows": rows, "sources": told, "repaired": repaired, "unreadable": unreadable}


def _ingest_file(
    path: Path, before: int, contract: Contract, folder: Path
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Stream one file to `folder`: the rows that read at once, and the rest. Return both."""
    raw = numbered(path, before, contract)
    types = raw.collect_schema()
    values = {f"={c.name}": cells.value(c, types[c.name], thorough=False) for c in contract.columns}
    marked = raw.with_columns(**values).with_columns(
        _good=pl.all_horizontal(
            pl.col(f"={c.name}").is_not_null() | cells.blank(c, types[c.name])
            for c in contract.columns
        )
    )
    at_once = marked.filter("_good").select(
        *(pl.col(f"={c.name}").alias(c.name) for c in contract.columns),
        *("_row", "_source", pl.lit(None, UNREADABLE).alias("_unreadable")),
    )
    left = marked.filter(~pl.col("_good")).select(types.names())
    good, rest, texts = (folder / f"{path.name}.{part}.parquet" for part in ("1", "2", "texts"))
    try:
        sinks = [at_once.sink_parquet(good, lazy=True, compression="lz4")]
        sinks.append(left.sink_parquet(texts, lazy=True, compression="lz4"))
        pl.collect_all(sinks, engine="streaming")
        typed(pl.scan_parquet(texts), contract).sink_parquet(rest, compression="lz4")
    except pl.exceptions.PolarsError as error:
        raise UserError(f"{path.name} cannot be read: {str(error).splitlines()[0]}.") from error
    texts.unlink()
    return pl.scan_parquet(good), pl.scan_parquet(rest)


def numbered(path: Path, before: int, contract: Contract) -> pl.LazyFrame:
    """The contract's columns of a file as delivered, `_row` (from before + 1) and `_source`.

    Raises UserError if a column is missing.
    """
    table = sources.read(path)
    there = table.collect_schema().names()
    absent = [column.name for column in contract.columns if column.name not in there]
    if absent:
        raise UserError(
            f"{path.name} lacks column {', '.join(absent)} of contract.yaml: deliver it, "
            "or take it out of the contract."
        )
    named = table.select(column.name for column in contract.columns)
    numbers = named.with_row_index("_row", offset=before + 1)
    return numbers.with_columns(pl.col("_row").cast(pl.Int64), _source=pl.lit(path.name))


def typed(frame: pl.LazyFrame, contract: Contract) -> pl.LazyFrame:
    """The contract's columns, read thoroughly, and `_unreadable`; other columns are kept.

    `_unreadable` lists the {column, value} of cells that hold something which is not of the
    contract's type, and is null where there are none.
    """
    types = frame.collect_schema()
    values = {f"={c.name}": cells.value(c, types[c.name], thorough=True) for c in contract.columns}
    broken = [
        (
            pl.col(f"={c.name}").is_null() & ~cells.blank(c, types[c.name], thorough=True),
            (c.name,),
            pl.col(c.name),
        )
        for c in contract.columns
    ]
    names = [column.name for column in contract.columns]
    return frame.with_columns(**values).select(
        *(pl.col(f"={name}").alias(name) for name in names),
        *(name for name in types.names() if name not in names),
        cells.listed(broken, ["column", "value"]).cast(UNREADABLE).alias("_unreadable"),
    )


def _count(table: pl.LazyFrame) -> int:
    return int(table.select(pl.len()).collect(engine="streaming").item())
