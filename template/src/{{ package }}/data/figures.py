"""What the whole table says of its columns, streamed: memory does not grow with the table."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from . import cells
from .contract import Column

SAMPLE = 10_000


@dataclass(frozen=True)
class Figures:
    """What the whole table says of one column.

    `distinct` counts different cells as delivered, in a large table within 10 %.
    `low` and `high` are None but for numbers and dates.
    """

    rows: int
    present: int
    unreadable: int
    infinite: int
    distinct: int
    low: Any
    high: Any

    @property
    def repeats(self) -> bool:
        """False if the values are (nearly) as many as rows, as names and numbers of things are."""
        return self.distinct <= max(10, self.present / 2)


def sampled(frame: pl.LazyFrame) -> pl.DataFrame:
    """Up to twice SAMPLE rows, evenly spaced."""
    rows = int(frame.select(pl.len()).collect(engine="streaming").item())
    even = frame.with_row_index("_row").filter(pl.col("_row") % max(1, rows // SAMPLE) == 0)
    return even.drop("_row").collect(engine="streaming")


def figures(frame: pl.LazyFrame, sample: pl.DataFrame, columns: list[Column]) -> dict[str, Figures]:
    """One pass over the whole table, reading as quickly as the sample allows."""
    small = len(sample) <= SAMPLE
    measures: dict[str, pl.Expr] = {"rows": pl.len()}
    for place, column in enumerate(columns):
        dtype = sample.schema[column.name]
        quick, slow = (
            cells.value(column, dtype, thorough).alias("v") for thorough in (False, True)
        )
        thorough = bool(
            (
                sample.select(quick).to_series().is_null()
                & sample.select(slow).to_series().is_not_null()
            ).any()
        )
        value = cells.value(column, dtype, thorough)
        present = ~cells.blank(column, dtype, thorough)
        ordered = column.type not in ("string", "boolean")
        cell = pl.col(column.name)
        number = cell.cast(pl.Float64, strict=False)
        measures |= {
            f"{place} present": present.sum(),
            f"{place} unreadable": (present & value.is_null()).sum(),
            f"{place} infinite": number.is_infinite().sum() if ordered else pl.lit(0),
            f"{place} distinct": cell.n_unique() if small else cell.approx_n_unique(),
            f"{place} low": value.min() if ordered else pl.lit(None),
            f"{place} high": value.max() if ordered else pl.lit(None),
        }
    found = frame.select(**measures).collect(engine="streaming").row(0, named=True)
    fields = ("present", "unreadable", "infinite", "distinct", "low", "high")
    return {
        column.name: Figures(found["rows"], **{f: found[f"{place} {f}"] for f in fields})
        for place, column in enumerate(columns)
    }


def values(
    frame: pl.LazyFrame, types: pl.Schema, columns: list[Column]
) -> dict[str, dict[Any, int]]:
    """How often each value of these columns occurs, the smallest value first."""
    counts = [
        frame.select(cells.value(c, types[c.name], thorough=True).alias("value"))
        .group_by("value")
        .len()
        .sort("value")
        for c in columns
    ]
    found = pl.collect_all(counts, engine="streaming")
    return {
        column.name: {value: rows for value, rows in table.iter_rows() if value is not None}
        for column, table in zip(columns, found, strict=True)
    }
