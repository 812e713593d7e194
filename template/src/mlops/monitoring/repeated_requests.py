"""Count a record once, however often the service was asked about it.

A record is known by its key. The first answer counts, as that is what is acted upon; answers within
a stated time after it are repeats. A repeat's truth is the record's.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import polars as pl

PLACE, COUNTED = "place", "counted"


def count_once(rows: pl.DataFrame, within: timedelta) -> pl.DataFrame:
    """Return the answers that count, of rows as `join_ground_truth` gives them, in their order.

    Where nothing has a key, as where the contract names none, every answer counts.
    """
    if "key" not in rows.columns or not rows.height:
        return rows
    parts = rows["key"].struct.fields
    keyed = pl.all_horizontal(pl.col("key").struct.field(part).is_not_null() for part in parts)
    placed = rows.with_row_index(PLACE)
    shared = placed.filter(keyed & pl.col("key").is_duplicated()).sort("key", "at", PLACE)
    repeats = dict(find_repeats(shared.select("key", "at", PLACE).iter_rows(), within))
    if not repeats:
        return rows
    placed = placed.with_columns(pl.col(PLACE).replace(repeats).alias(COUNTED))
    told = placed.filter(pl.col("truth").is_not_null()).sort("truth_at", maintain_order=True)
    truths = told.group_by(COUNTED).agg(
        pl.col("truth", "truth_at").last(), differs=pl.col("truth").n_unique() > 1
    )
    doubtful = placed.filter("contradicted")[COUNTED].implode()
    delay = (pl.col("truth_at") - pl.col("at")).dt.total_seconds(fractional=True).clip(0)
    return (
        placed.filter(pl.col(PLACE) == pl.col(COUNTED))
        .drop("truth", "truth_at")
        .join(truths, on=COUNTED, how="left", maintain_order="left")
        .with_columns(
            delay=pl.when(pl.col("truth").is_not_null()).then(delay),
            contradicted=pl.col(COUNTED).is_in(doubtful) | pl.col("differs").fill_null(False),
        )
        .select(rows.columns)
    )


def find_repeats(
    answers: Iterable[tuple[object, datetime, int]], within: timedelta
) -> Iterable[tuple[int, int]]:
    """Yield the place of each repeat with that of the answer that counts for it.

    `answers` are (key, time, place) in the order of keys, and of time for each.
    """
    record: object = None
    until, first = datetime.min, 0
    for key, at, place in answers:
        if key == record and at < until:
            yield place, first
        else:
            record, until, first = key, at + within, place
