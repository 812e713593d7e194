"""Whole numbers that JSON lets stand among fractions, and that the reader has rounded like them."""

import re
from pathlib import Path

import polars as pl

from ..core.errors import UserError
from ..data.column_names import col
from ..data.number_text import LARGEST
from ..data.sources import extension, open_unpacked
from .json_records import JSON

LONG = re.compile(rb"(?<![\w.+\"-])-?[0-9]{16,}(?![\w.\"])")


def refuse_rounded_numbers(path: Path, table: pl.LazyFrame) -> None:
    """Raise UserError for a column of fractions that has lost digits of a whole number."""
    floats = [name for name, dtype in table.collect_schema().items() if dtype.is_float()]
    if extension(path) not in JSON or not floats:
        return
    limits = table.select((col(name).abs().max() >= LARGEST).alias(name) for name in floats)
    large = limits.collect(engine="streaming").row(0, named=True)
    suspects = [name for name in floats if large[name]]
    rounded = _find_rounded(path) if suspects else {}
    for name in suspects:
        same = table.select(col(name)).filter(col(name).is_in(list(rounded))).head(1)
        values = same.collect(engine="streaming")
        if not values.is_empty():
            raise UserError(
                f"{path.name}: column '{name}' holds {rounded[values.item()]} among fractions, "
                "with which it would lose digits; write it in quotes, or round it."
            )


def _find_rounded(path: Path) -> dict[float, int]:
    """Find the whole numbers in a file that no float is equal to, by the nearest one."""
    with open_unpacked(path) as stream:
        numbers = {int(match) for line in stream for match in LONG.findall(line)}
    return {float(number): number for number in numbers if int(float(number)) != number}
