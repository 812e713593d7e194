"""Rows that share a key: which of them stay, by the policy of the contract."""

import polars as pl

from .column_names import ROW
from .contract import Duplicates


def select_repeats(rows: pl.DataFrame, policy: Duplicates) -> pl.Series:
    """Select the `ROW` of each row that gives way to another of the same `hash`.

    The policy holds among the rows of one `update` (0: none), of which those that stay take the
    place of all before it; then it holds among what is left, with the rows that were added since.
    So a row that broke the contract when its update came takes the place it was meant for once the
    contract allows it, and none that came after it.
    """
    shared = rows.filter(pl.col("hash").is_duplicated()).sort("hash", ROW)
    of_updates = shared.filter(pl.col("update") > 0)
    beaten = _apply_policy(of_updates, ["hash", "update"], policy)
    survivors = of_updates.filter(~pl.col(ROW).is_in(beaten.implode()))
    newest = survivors.group_by("hash").agg(pl.col("update").max().alias("newest"))
    standing = shared.join(newest, on="hash", how="left", maintain_order="left").filter(
        ~pl.col(ROW).is_in(beaten.implode()), pl.col(ROW) >= pl.col("newest").fill_null(0)
    )
    beaten_by_all = _apply_policy(standing, ["hash"], policy)
    stay = standing.filter(~pl.col(ROW).is_in(beaten_by_all.implode()))
    return shared.filter(~pl.col(ROW).is_in(stay[ROW].implode()))[ROW]


def _apply_policy(rows: pl.DataFrame, same: list[str], policy: Duplicates) -> pl.Series:
    """Select the `ROW` of those that the policy takes out of sorted rows that share a key."""
    keys = list(map(pl.col, same))
    earlier, later = (
        pl.all_horizontal(key == key.shift(by) for key in keys).fill_null(False) for by in (1, -1)
    )
    goes = {
        "keep_last": later,
        "keep_first": earlier,
        "reject": earlier | later,
        "keep_all": pl.lit(False),
    }
    return rows.filter(goes[policy])[ROW]
