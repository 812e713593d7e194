"""Survey a clean table that may be larger than memory: counts of all rows, and a sample of them.

Everything that needs an order of the values, or several columns at once, is measured on the sample.
A row is in it by its number, so each look at a table sees the same rows; Knuth's multiplicative
hash spreads the numbers, so that no rhythm of the rows (each tenth is of one shop) can bias it.
"""

from typing import Any, NamedTuple

import polars as pl

from ..core.errors import UserError
from ..data.column_names import ROW, col, cols
from ..data.contract import Column, Contract

SAMPLE = 100_000
MIXER, RANGE = 2_654_435_761, 1 << 32


class Extent(NamedTuple):
    """A column over all rows; `distinct` values are counted within some percent where there are
    more rows than a sample has. `low`, `high` and `mean` are None for texts.
    """

    present: int
    distinct: int
    low: Any
    high: Any
    mean: float | None


class Survey(NamedTuple):
    """The table's `rows`, each column's extent, and a sample (all rows, if there are few).

    `repeated` rows say in every column but the key what another one says. `labels` counts the
    target's values, the most frequent first; {} if it is a number.
    """

    rows: int
    extents: dict[str, Extent]
    sample: pl.DataFrame
    repeated: int
    labels: dict[str, int]

    @property
    def is_sampled(self) -> bool:
        """Tell whether there are more rows than those of the sample."""
        return self.rows > self.sample.height


def survey_table(table: pl.LazyFrame, contract: Contract) -> Survey:
    """Survey clean rows, with their `ROW`, in two passes: one to count them, one for the rest.

    Raises UserError if there is none.
    """
    rows = int(table.select(pl.len()).collect(engine="streaming").item())
    if not rows:
        raise UserError(
            "there is no clean row to look at: 'data check' tells which rules of contract.yaml the "
            "rows break, and how many have no label."
        )
    exact = rows <= SAMPLE
    compared = cols(c.name for c in contract.columns if c.role != "key")
    extents = [measure_extent(column, exact).alias(column.name) for column in contract.columns]
    digests = pl.struct(compared).hash().n_unique().alias("different")
    mixed = pl.col(ROW).cast(pl.UInt64) * MIXER % RANGE
    share = SAMPLE / rows
    goal = col(contract.target.name).cast(pl.String).alias("label")
    labels = table.select(goal).drop_nulls().group_by("label").len()
    queries = [
        table.select(pl.struct(extents).alias("extents"), digests),
        table if exact else table.filter(mixed < int(share * RANGE)),
        labels.head(0) if contract.task == "regression" else labels,
    ]
    figures, sample, counts = pl.collect_all(queries, engine="streaming")
    measured = figures["extents"].struct.unnest().row(0, named=True)
    counts = counts.sort("len", "label", descending=[True, False])
    return Survey(
        rows,
        {name: Extent(**extent) for name, extent in measured.items()},
        sample.sort(ROW),
        rows - figures["different"].item(),
        dict(counts.iter_rows()),
    )


def measure_extent(column: Column, exact: bool) -> pl.Expr:
    """Measure one column over all rows."""
    cell, ordered = col(column.name), column.type not in ("string", "boolean")
    numeric = column.type in ("integer", "number")
    return pl.struct(
        present=cell.count(),
        distinct=cell.drop_nulls().n_unique() if exact else cell.drop_nulls().approx_n_unique(),
        low=cell.min() if ordered else None,
        high=cell.max() if ordered else None,
        mean=cell.mean() if numeric else None,
    )
