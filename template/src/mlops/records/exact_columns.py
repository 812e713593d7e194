"""Values that a guessed type would change are kept as text, or refused: nothing saturates."""

import polars as pl

from ..core.errors import UserError
from ..data import cells
from ..data.contract import NUMERIC, Column
from .column_figures import Figures, measure_columns
from .number_evidence import gather_evidence
from .number_forms import explain_code


def keep_exact(
    frame: pl.LazyFrame, sample: pl.DataFrame, columns: list[Column], known: dict[str, str]
) -> tuple[list[Column], dict[str, Figures], list[str]]:
    """Measure the columns on the whole table, as text where no other type holds them exactly.

    `known` says why columns are text already, where that is to be told. Returns the columns, their
    figures and a sentence for each that is text instead of numbers. Raises UserError for a column
    of times that no type here holds exactly.
    """
    figures = measure_columns(frame, sample, columns)
    losses = {
        column.name: reason
        for column in columns
        if (reason := _find_loss(frame, sample.schema[column.name], column, figures[column.name]))
    }
    texts = {
        column.name: Column(name=column.name, type="string", role=column.role)
        for column in columns
        if column.name in losses
    }
    figures |= measure_columns(frame, sample, list(texts.values())) if texts else {}
    sentences = [f"{name} is read as text: {why}." for name, why in (known | losses).items()]
    return [texts.get(column.name, column) for column in columns], figures, sentences


def _find_loss(
    frame: pl.LazyFrame, dtype: pl.DataType, column: Column, seen: Figures
) -> str | None:
    """Say why the numbers of a column must be text, if so. Raises UserError for such times."""
    if seen.codes:
        example = gather_evidence(frame, [column.name])[column.name].code_example
        return explain_code(str(example))
    typed = cells.is_taken_as_is(column, dtype)
    if not typed or seen.readable + seen.infinite >= seen.present:
        return None
    value = cells.read_cell(column, dtype, thorough=True)
    lost = value.is_null() & ~cells.is_blank(column, dtype, thorough=True)
    cell = frame.filter(lost).select(cells.write_cell(column.name, dtype)).head(1)
    example = cell.collect(engine="streaming").item()
    if column.type in NUMERIC:
        return f"{example} has more digits than numbers hold exactly"
    raise UserError(
        f"column '{column.name}' holds {example}, but a {column.type} here is of the years 1 to "
        "9999 and exact to the microsecond; correct it, or leave it out with "
        f"--ignore '{column.name}'."
    )
