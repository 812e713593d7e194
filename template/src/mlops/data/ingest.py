"""Stage ingest: the delivered files, as they came, become one table typed by the contract.

Most rows are in order, so each file is streamed past the plain casts, and only the rows with a
cell that did not read at once are read again thoroughly. What then cannot be read is null in the
table, and is told in `UNREADABLE` for the rules to judge.
"""

import zlib
from pathlib import Path
from typing import TypedDict

import polars as pl

from ..core.errors import UserError
from ..core.paths import INGESTED, REPORTS, replacing, write_json
from . import cells
from .change_log import Part, locate_landed_parts
from .column_names import ROW, SOURCE, UNREADABLE, UPDATE, col, cols, internal
from .contract import Contract
from .row_rules import REASONS, join_reasons
from .sources import scan_file

ENDS = (".read.parquet", ".reread.parquet")


class SourceCount(TypedDict):
    """The rows that a file of data/raw brought."""

    file: str
    rows: int


class IngestReport(TypedDict):
    """Counts of rows: `repaired` read only thoroughly, `unreadable` did not even then."""

    rows: int
    sources: list[SourceCount]
    repaired: int
    unreadable: int


def run() -> None:
    """Read data/raw, write data/ingested and reports/ingest.json."""
    report = ingest(locate_landed_parts(), Contract.load())
    write_json(REPORTS / "ingest.json", report)
    odd = f"{report['repaired']:,} repaired, {report['unreadable']:,} with unreadable cells"
    print(f"ingest: {report['rows']:,} rows from {len(report['sources'])} file(s), {odd}")


def ingest(parts: list[Part], contract: Contract, target: Path = INGESTED) -> IngestReport:
    """Write the rows of one or more parts as Parquet to the folder `target`; return the counts.

    Raises UserError for a file that lacks a column, or was damaged after it landed.
    """
    with replacing(target) as folder:
        folder.mkdir()
        try:
            for number, raw in enumerate(scan_parts(parts, contract)):
                at_once, thoroughly = type_rows_quickly(raw, contract)
                good, rest = (folder / f"{number:03}{end}" for end in ENDS)
                write_parquet({good: at_once, rest: thoroughly})
        except (pl.exceptions.PolarsError, OSError, EOFError, zlib.error):
            check_readable(parts, contract)
            raise
        rows = pl.scan_parquet(folder / "*.parquet")
        counts = rows.group_by(SOURCE).len().collect(engine="streaming")
        reread = count_rows(pl.scan_parquet(folder / f"*{ENDS[1]}"))
        unreadable = count_rows(rows.filter(pl.col(UNREADABLE).is_not_null()))
    by_source = dict.fromkeys((part.path.name for part in parts), 0) | dict(counts.iter_rows())
    return {
        "rows": sum(by_source.values()),
        "sources": [{"file": name, "rows": many} for name, many in by_source.items()],
        "repaired": reread - unreadable,
        "unreadable": unreadable,
    }


def scan_parts(parts: list[Part], contract: Contract | None = None) -> list[pl.LazyFrame]:
    """Scan the numbered rows of the parts; those of one schema together, as there can be many."""
    groups: dict[str, list[pl.LazyFrame]] = {}
    for part in parts:
        raw = number_rows(part, contract)
        groups.setdefault(str(raw.collect_schema()), []).append(raw)
    return [pl.concat(group) for group in groups.values()]


def type_rows_quickly(raw: pl.LazyFrame, contract: Contract) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Type numbered rows in two parts: those that read at once, and the rest, read thoroughly."""
    tried = _read_cells(raw, contract, thorough=False)
    unread = pl.any_horizontal(col(_unread(column.name)) for column in contract.columns)
    none = pl.lit(None, REASONS).alias(UNREADABLE)
    at_once = tried.filter(~unread).select(*_values(contract), ROW, SOURCE, UPDATE, none)
    left = tried.filter(unread).select(cols(raw.collect_schema().names()))
    return at_once, type_rows(left, contract)


def check_readable(parts: list[Part], contract: Contract) -> None:
    """Raise UserError for the first file that cannot be read to its end."""
    for part in parts:
        try:
            number_rows(part, contract).select(pl.all().null_count()).collect(engine="streaming")
        except (pl.exceptions.PolarsError, OSError, EOFError, zlib.error) as error:
            raise UserError(
                f"{part.path} was damaged after it landed: get it again with 'uv run dvc checkout'."
            ) from error


def write_parquet(tables: dict[Path, pl.LazyFrame]) -> None:
    """Write the tables to Parquet files, in one pass over what they are made from."""
    sinks = (t.sink_parquet(path, lazy=True, compression="lz4") for path, t in tables.items())
    pl.collect_all(sinks, engine="streaming")


def count_rows(table: pl.LazyFrame) -> int:
    """Count the rows of a table that may be larger than memory."""
    return int(table.select(pl.len()).collect(engine="streaming").item())


def number_rows(part: Part, contract: Contract | None) -> pl.LazyFrame:
    """Scan the contract's columns (or all) as delivered, of the rows that are not gone, with their
    `ROW` and `SOURCE`, and in UPDATE the first row of the update that brought them (0: none).

    Raises UserError for a column that is not there, and must be.
    """
    table, name = scan_file(part.path), part.path.name
    delivered = [each for each in table.collect_schema().names() if each not in (ROW, UPDATE)]
    names = contract.names if contract else delivered
    if contract:
        table = _name_by_contract(table, contract, name)
    if part.numbered:
        rows = table
    else:
        first = pl.lit(part.before + 1 if part.update else 0, pl.Int64).alias(UPDATE)
        rows = table.select(cols(names)).with_row_index(ROW, offset=part.before + 1)
        rows = rows.with_columns(pl.col(ROW).cast(pl.Int64), first)
    lines = rows.select(ROW, cols(names), pl.lit(name).alias(SOURCE), UPDATE)
    if part.gone is None:
        return lines
    gone = part.gone.to_frame(ROW).lazy()
    return lines.join(gone, on=ROW, how="anti", maintain_order="left")


def _name_by_contract(table: pl.LazyFrame, contract: Contract, file: str) -> pl.LazyFrame:
    """Add the columns of the contract that the file calls otherwise, or may lack."""
    delivered = table.collect_schema().names()
    added: dict[str, pl.Expr] = {}
    for column in contract.columns:
        called = column.find_in(delivered)
        if called is None and not column.optional:
            raise UserError(f"{file} lacks column {column.name} of contract.yaml; add it.")
        if called is None:
            added[column.name] = pl.lit(column.default, pl.String)
        elif called != column.name:
            added[column.name] = col(called)
    return table.with_columns(**added)


def type_rows(frame: pl.LazyFrame, contract: Contract) -> pl.LazyFrame:
    """Read the contract's columns thoroughly, and leave all others as they are.

    It adds `UNREADABLE`: the cells that hold something else, as a list of reasons; null if none.
    """
    names, types = contract.names, frame.collect_schema()
    others = [name for name in types.names() if name not in names]
    texts = {name: cells.write_cell(name, types[name]) for name in names}
    reasons = join_reasons([(col(_unread(name)), name, "readable", texts[name]) for name in names])
    unreadable = pl.when(reasons.list.len() > 0).then(reasons).alias(UNREADABLE)
    tried = _read_cells(frame, contract, thorough=True)
    return tried.select(*_values(contract), cols(others), unreadable)


def _read_cells(frame: pl.LazyFrame, contract: Contract, thorough: bool) -> pl.LazyFrame:
    """Add to each column the internal ones `_value` and `_unread`."""
    values, unread = {}, {}
    for column in contract.columns:
        name, dtype = column.name, frame.collect_schema()[column.name]
        values[_value(name)] = cells.read_cell(column, dtype, thorough)
        no_value = col(_value(name)).is_null()
        unread[_unread(name)] = no_value & ~cells.is_blank(column, dtype, thorough)
    return frame.with_columns(**values).with_columns(**unread)


def _value(name: str) -> str:
    """Name the internal column of what was read from the cells of a column."""
    return internal("value", name)


def _unread(name: str) -> str:
    """Name the internal column of whether a cell holds something else than the contract says."""
    return internal("unread", name)


def _values(contract: Contract) -> list[pl.Expr]:
    """Give what was read the names of the contract's columns."""
    return [col(_value(column.name)).alias(column.name) for column in contract.columns]
