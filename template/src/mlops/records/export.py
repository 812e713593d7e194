"""Records out: shown in the terminal, or exported whole to a file or a database."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from ..core.errors import UserError
from ..core.paths import replacing
from ..data import cells, change_log
from ..data.column_names import UPDATE, col, cols
from ..data.contract import SCALES, Column, Contract
from ..data.ingest import count_rows, number_rows, type_rows
from ..data.number_text import write_number
from ..data.validate import judge_rows
from . import table
from .addresses import is_database, redact, refuse_password, split_address
from .condition import check_condition, explain_failure, select_meeting

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
    shown = None
    if head and where is None and not only_count:
        shown = _read_first(contract, version, head)
    if shown is None:
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
    if not is_database(target) and Path(target).is_dir():
        raise UserError(f"{target} is a folder; name a file.")
    if not is_database(target) and Path(target).exists() and not replace:
        raise UserError(f"{target} is there already; say --replace to write over it.")
    with _open_records(contract, where, version) as records:
        rows = count_rows(records)
        if is_database(target):
            _write_to_database(records, contract, target, replace)
        else:
            with replacing(Path(target)) as scratch:
                WRITERS[form](format_as_delivered(records, contract, form), scratch)
    return [f"{rows:,} records are in {redact(target)}"]


@contextmanager
def _open_records(
    contract: Contract, where: str | None, version: int | None
) -> Iterator[pl.LazyFrame]:
    """Open the records that meet a condition, at a version, as long as the block lasts."""
    if where is not None:
        check_condition(where, contract)
    parts = change_log.locate_parts(change_log.read_log(), version)
    with table.open_content(parts, contract) as clean, explain_failure(where):
        records = clean if where is None else select_meeting(clean, where)
        yield records.select(cols(contract.names))


def _read_first(contract: Contract, version: int | None, head: int) -> pl.DataFrame | None:
    """Read the first records without the others; None where a later row may take their place.

    That is so in a table of several files or of rows that share a key, as the log knows.
    """
    changes = change_log.read_log()
    in_effect = change_log.select_in_effect(changes, version)
    if len(in_effect) != 1 or in_effect[0].contract != contract.digest():
        return None
    if in_effect[0].rows != in_effect[0].added + in_effect[0].rejected:
        return None
    (part,) = change_log.locate_parts(changes, version)
    none_gives_way = contract.model_copy(update={"duplicates": "keep_all"})
    numbered = number_rows(part, contract)
    try:
        for many in (1000 + 10 * head, in_effect[0].rows):
            rows = type_rows(numbered.head(many), contract).drop(UPDATE)
            records = judge_rows(rows, none_gives_way)[0].select(cols(contract.names))
            first = records.head(head).collect(engine="streaming")
            if first.height == head:
                break
        return first
    except pl.exceptions.PolarsError:  # read whole, a damaged file is told by its name
        return None


def format_as_delivered(records: pl.LazyFrame, contract: Contract, form: str) -> pl.LazyFrame:
    """Write dates, and in CSV numbers, as the contract reads them from such a file."""
    texts: dict[str, pl.Expr] = {}
    for column in contract.columns if form != ".parquet" else ():
        cell = col(column.name)
        if column.formats and (known := _find_lossless_format(records, column)):
            texts[column.name] = cells.write_time(cell, known)
        elif column.type == "number" and form == ".csv" and column.unit in SCALES:
            write = partial(write_number, column=column)
            texts[column.name] = cell.map_elements(write, return_dtype=pl.String)
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


def _write_to_database(
    records: pl.LazyFrame, contract: Contract, target: str, replace: bool
) -> None:
    """Write records to a table, as they are read from one: SQLite has no dates of its own."""
    from .databases import export_table  # noqa: PLC0415  (its drivers take half a second to load)

    uri, name = split_address(target)
    if not name:
        raise UserError("name the table at the address's end, such as ?orders.")
    if uri.startswith("sqlite:"):
        records = format_as_delivered(records, contract, ".jsonl")
    export_table(records, uri, name, replace)
