"""Grow the table by what the service was asked, once the truth about it has come."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from ..core.formatting import listed
from ..data import change_log
from ..data.cells import DTYPES
from ..data.column_names import cols
from ..data.contract import Contract
from ..records import intake, table
from .ground_truth import join_ground_truth

FILE = Path("journal/known.parquet")


def grow_table(journal: str, days: int, since: datetime | None) -> list[str]:
    """Add to the table the records of the last `days` whose truth is known and whose key is new.

    A table without keys gets those whose truth came after `since`.

    What only the table holds, as what is known after the decision, is empty in them. Returns the
    lines to print. Raises UserError if there is no journal, or the table does not take them.
    """
    contract, now = Contract.load(), datetime.now(UTC)
    if lacking := find_unknown_to_service(contract):
        return [f"no record: the journal does not hold {listed(lacking)}, which the table requires"]
    rows = join_ground_truth(journal, now - timedelta(days=days), now, contract).drop_nulls("truth")
    if since and not contract.keys:
        rows = rows.filter(pl.col("truth_at") > since)
    new = select_new(shape_as_table(rows, contract), contract)
    if new.is_empty():
        return ["no record with ground truth is new to the table"]
    FILE.parent.mkdir(exist_ok=True)
    try:
        new.write_parquet(FILE)
        return intake.add(str(FILE))
    finally:
        FILE.unlink(missing_ok=True)


def find_unknown_to_service(contract: Contract) -> list[str]:
    """Return the required columns of which the service is told nothing."""
    held = (*contract.keys, *contract.inputs, contract.target)
    return [c.name for c in contract.columns if c.required and c not in held]


def shape_as_table(answered: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Return rows with the contract's columns; what the journal does not hold is null."""
    rows = answered.select(pl.col("truth").alias(contract.target.name))
    for part in ("key", "inputs"):  # a column may be in both
        cells = answered[part].struct.unnest() if part in answered.columns else pl.DataFrame()
        rows = rows.hstack(cells.select(cols(set(cells.columns) - set(rows.columns))))
    empty = {column.name: pl.lit(None, DTYPES[column.type]) for column in contract.columns}
    rows = rows.with_columns(**{k: null for k, null in empty.items() if k not in rows.columns})
    return rows.select(list(empty))


def select_new(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Return one row of each key, the last, that the table does not hold."""
    keys = [column.name for column in contract.keys]
    if not keys or rows.is_empty():
        return rows
    wanted = rows.drop_nulls(keys).unique(keys, keep="last", maintain_order=True)
    here = table.find_by_keys(
        change_log.locate_parts(change_log.read_log()), wanted.select(keys), contract
    )
    return wanted.join(here.select(keys).collect(), on=keys, how="anti")
