"""What a whole table holds in each column: counts, limits and values, streamed."""

from typing import Any, NamedTuple

import polars as pl

from ..data import cells
from ..data.column_names import ROW, col
from ..data.contract import NUMERIC, Column
from ..data.ingest import count_rows
from .number_evidence import CODE

SAMPLE = 10_000
PROSE = 5  # words of two letters or more, as names hardly have
WORD = r"(?:^|\s)[^\s\p{L}]*\p{L}{2,}"


class Figures(NamedTuple):
    """Counts of a column's cells over the whole table; `distinct` is right within some percent, and
    `ordered` (by its numbers) and `words` (of a usual text) as far as the sample tells.

    `codes` are, in a column of texts that is read as numbers, digits that are no quantity.
    """

    rows: int
    present: int
    readable: int
    infinite: int
    codes: int
    distinct: int
    low: Any
    high: Any
    ordered: bool = False
    words: float = 0.0

    @property
    def is_prose(self) -> bool:
        """Tell texts of many words, which hardly come again, from names and categories."""
        return self.words >= PROSE and not self.is_repeated

    @property
    def is_repeated(self) -> bool:
        """Tell names and numbers of things, which (nearly) never come again, from what does."""
        return bool(self.distinct <= max(10, self.present / 2))


def sample_evenly(frame: pl.LazyFrame) -> pl.DataFrame:
    """Take about SAMPLE rows, evenly spaced."""
    step = max(1, count_rows(frame) // SAMPLE)
    even = frame.with_row_index(ROW).filter(pl.col(ROW) % step == 0)
    return even.collect(engine="streaming")


def measure_columns(
    frame: pl.LazyFrame, sample: pl.DataFrame, columns: list[Column]
) -> dict[str, Figures]:
    """Measure each column on the whole table.

    Only columns of which the sample has odd cells are read thoroughly, as that takes long.
    """
    types, measures = sample.schema, []
    for column in columns:
        quick, slow = (cells.read_cell(column, types[column.name], way) for way in (False, True))
        odd, even = sample.select(odd=slow.count(), even=quick.count()).row(0)
        thorough = odd != even
        cell, ordered = col(column.name), column.type not in ("string", "boolean")
        value = slow if thorough else quick
        are_texts, numeric = types[column.name] == pl.String, column.type in NUMERIC
        texts = cell.str.strip_chars() if thorough else cell
        present = ~cells.is_blank(column, types[column.name], thorough)
        figures = pl.struct(
            rows=pl.len(),
            present=present.sum(),
            readable=value.count(),
            infinite=cell.cast(pl.Float64, strict=False).is_infinite().sum() if ordered else 0,
            codes=texts.str.contains(CODE).sum() if are_texts and numeric else 0,
            distinct=cell.approx_n_unique(),
            low=value.min() if ordered else None,
            high=value.max() if ordered else None,
        )
        measures.append(figures.alias(column.name))
    measured = frame.select(measures).collect(engine="streaming").row(0, named=True)
    by_order = {column.name: _is_ordered(sample, column) for column in columns}
    words = {column.name: _count_words(sample, column) for column in columns}
    return {
        name: Figures(**figures, ordered=by_order[name], words=words[name])
        for name, figures in measured.items()
    }


def _is_ordered(sample: pl.DataFrame, column: Column) -> bool:
    """Tell whether the numbers of a column never fall from row to row, or never rise."""
    if column.type not in NUMERIC:
        return False
    cell = cells.read_cell(column, sample.schema[column.name], thorough=True).alias("value")
    step = sample.select(cell).to_series().drop_nulls().diff().drop_nulls()
    return bool((step >= 0).all() or (step <= 0).all())


def _count_words(sample: pl.DataFrame, column: Column) -> float:
    """Count the words of the middle one of the texts that are there; 0 if the cells are none."""
    if column.type != "string" or sample.schema[column.name] != pl.String:
        return 0.0
    cell = cells.read_cell(column, pl.String(), thorough=True)
    median = sample.select(cell.str.count_matches(WORD).median()).item()
    return float(median or 0.0)


def count_values(
    frame: pl.LazyFrame, types: pl.Schema, columns: list[Column]
) -> dict[str, dict[Any, int]]:
    """Count how often each value of these columns occurs, the smallest value first."""
    values = [cells.read_cell(c, types[c.name], thorough=True).alias("value") for c in columns]
    counts = [frame.select(v).drop_nulls().group_by("value").len().sort("value") for v in values]
    tables = pl.collect_all(counts, engine="streaming")
    return {c.name: dict(table.iter_rows()) for c, table in zip(columns, tables, strict=True)}
