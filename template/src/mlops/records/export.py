"""Records out: shown in the terminal, or exported whole to a file or a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from ..core.errors import UserError
from ..core.paths import replacing
from ..data import cells, change_log
from ..data.column_names import col, cols
from ..data.contract import Column, Contract
from ..data.ingest import count_rows
from . import table
from .addresses import is_database, redact, refuse_password, split_address

WRITERS: dict[str, Any] = {
    ".csv": pl.LazyFrame.sink_csv,
    ".jsonl": pl.LazyFrame.sink_ndjson,
    ".ndjson": pl.LazyFrame.sink_ndjson,
    ".parquet": pl.LazyFrame.sink_parquet,
}
TABLE = pl.Config(
    tbl_rows=-1,
    tbl_cols=-1,
    tbl_hide_dataframe_shape=True,
    tbl_hide_column_data_types=True,
    tbl_width_chars=10_000,
    fmt_str_lengths=40,
    apply_on_context_enter=True,
)


def show(
    *,
    where: str | None = None,
    head: int = 20,
    only_count: bool = False,
    form: str = "table",
    version: int | None = None,
) -> list[str]:
    """Show the first records (0: all) that meet an SQL condition, as a table, CSV or JSON Lines."""
    contract = Contract.load()
    with _open_records(contract, where, version) as records:
        if only_count:
            return [str(count_rows(records))]
        shown = (records.head(head) if head else records).collect(engine="streaming")
    if form == "table":
        with TABLE:
            return str(shown).splitlines()
    text = shown.write_csv() if form == "csv" else shown.write_ndjson()
    return text.splitlines()


def export(
    target: str, *, where: str | None = None, version: int | None = None, replace: bool = False
) -> list[str]:
    """Write the records to .csv, .jsonl or .parquet, or to a table of SQLite or PostgreSQL.

    Raises UserError for an unknown kind of target, or if something is there and not to be replaced.
    """
    contract = Contract.load()
    refuse_password(target)
    form = Path(target).suffix.lower()
    if not is_database(target) and form not in WRITERS:
        raise UserError(f"{target}: the file name must end in {', '.join(WRITERS)}.")
    if not is_database(target) and Path(target).exists() and not replace:
        raise UserError(f"{target} is there already; say --replace to write over it.")
    with _open_records(contract, where, version) as records:
        rows = count_rows(records)
        if is_database(target):
            _write_to_database(records, target, replace)
        else:
            with replacing(Path(target)) as scratch:
                WRITERS[form](format_as_delivered(records, contract, form), scratch)
    return [f"{rows:,} records are in {redact(target)}"]


@contextmanager
def _open_records(
    contract: Contract, where: str | None, version: int | None
) -> Iterator[pl.LazyFrame]:
    """Open the records that meet a condition, at a version, as long as the block lasts."""
    parts = change_log.locate_parts(change_log.read_log(), version)
    with table.open_content(parts, contract) as clean:
        records = clean.filter(table.parse_condition(where, contract)) if where else clean
        yield records.select(cols(contract.names))


def format_as_delivered(records: pl.LazyFrame, contract: Contract, form: str) -> pl.LazyFrame:
    """Write dates, and in CSV decimals, as the contract reads them from such a file."""
    texts: dict[str, pl.Expr] = {}
    for column in contract.columns if form != ".parquet" else ():
        cell = col(column.name)
        if column.formats and (known := _find_lossless_format(records, column)):
            texts[column.name] = cells.write_time(cell, known)
        elif column.type == "number" and column.decimal != "." and form == ".csv":
            texts[column.name] = cell.cast(pl.String).str.replace(".", column.decimal, literal=True)
    return records.with_columns(**texts)


def _find_lossless_format(records: pl.LazyFrame, column: Column) -> str | None:
    """Find the first of the column's formats in which nothing of a value is lost."""
    cell = col(column.name)
    for form in column.formats:
        text = cells.write_time(cell, form)
        same = (cells.read_time(text, (form,)).cast(cells.DTYPES[column.type]) == cell).all()
        if records.select(same).collect(engine="streaming").item():
            return form
    return None


def _write_to_database(records: pl.LazyFrame, target: str, replace: bool) -> None:
    from .databases import export_table  # noqa: PLC0415  (its drivers take half a second to load)

    uri, name = split_address(target)
    if not name:
        raise UserError("name the table at the address's end, such as ?orders.")
    export_table(records, uri, name, replace)
