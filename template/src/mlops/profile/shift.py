"""How columns differ between parts of the table: training and test, old rows and new, periods.

The population stability index (PSI) sums (new - old) * ln(new / old) over the bins of a column,
with no share below FLOOR. Two draws from one distribution give about (bins - 1) * (1/n + 1/m),
which is told apart: small parts differ by chance.
"""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..core.params import SplitParams
from ..data.change_log import Change, select_in_effect
from ..data.column_names import ROW, values_of
from ..data.contract import Column, Contract
from ..data.split import assign_parts
from .codes import DATED, Coded

FLOOR = 0.0001
LEAST_ROWS = 30  # on either side, else nothing is compared

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Shift:
    """A column on two sides: its PSI, what of that chance gives, missing shares, and the share of
    new texts that the old side does not have (None of numbers).
    """

    column: str
    psi: float
    by_chance: float
    missing_before: float
    missing_after: float
    unseen: float | None
    is_dated: bool

    @property
    def beyond_chance(self) -> float:
        return max(0.0, self.psi - 2 * self.by_chance)


@dataclass(frozen=True)
class Comparison:
    """Two parts of the table by column, the most shifted first; rows are of the sample."""

    before: str
    after: str
    rows_before: int
    rows_after: int
    columns: list[Shift]


@dataclass(frozen=True)
class Arrival:
    """Rows that one change of the table brought, by their numbers; `first` to `last`."""

    version: int
    when: str
    first: int
    last: int


def list_arrivals(changes: list[Change]) -> list[Arrival]:
    """List which rows of the table came with which version, the oldest first."""
    ends = accumulate(change.rows for change in changes)
    end_of = {change.version: end for change, end in zip(changes, ends, strict=True)}
    return [
        Arrival(each.version, each.when, end_of[each.version] - each.rows + 1, end_of[each.version])
        for each in select_in_effect(changes)
        if each.file and each.rows
    ]


def assign_sample_parts(sample: pl.DataFrame, contract: Contract, params: SplitParams) -> pl.Series:
    """Assign each row of the sample "train", "valid" or "test"; null where there is no label.

    A table that is not sampled is split as stage split does it.
    """
    labelled = sample.filter(values_of(sample, contract.target.name).is_not_null())
    if labelled.height < 2 * LEAST_ROWS:
        return pl.Series("part", [None] * sample.height, dtype=pl.String)
    parts = labelled.select(ROW, assign_parts(labelled, contract, params).alias("part"))
    return sample.select(ROW).join(parts, on=ROW, how="left", maintain_order="left")["part"]


def compare_parts(
    sample: pl.DataFrame, contract: Contract, coded: dict[str, Coded], parts: pl.Series
) -> Comparison | None:
    """Compare the rows to learn from with those to judge by; None if either has too few."""
    learned, judged = (parts.is_in(names) for names in (["train", "valid"], ["test"]))
    sides = tuple(side.fill_null(False).to_numpy() for side in (learned, judged))
    names = "the rows to learn from", "the rows to judge by"
    return compare_sides(sample, contract, coded, (sides[0], sides[1]), names)


def compare_arrivals(
    sample: pl.DataFrame, contract: Contract, coded: dict[str, Coded], arrivals: list[Arrival]
) -> list[Comparison]:
    """Compare the newest rows with all before them, and with those of the first version."""
    if len(arrivals) < 2:
        return []
    rows = sample[ROW].to_numpy()
    first, newest = arrivals[0], arrivals[-1]
    new, brought = rows >= newest.first, f"those that version {newest.version} brought"
    sides = {f"the rows before version {newest.version}": rows < newest.first}
    if len(arrivals) > 2:
        sides[f"the rows of version {first.version}"] = rows <= first.last
    comparisons = [
        compare_sides(sample, contract, coded, (old, new), (name, brought))
        for name, old in sides.items()
    ]
    return [each for each in comparisons if each]


def compare_sides(
    sample: pl.DataFrame,
    contract: Contract,
    coded: dict[str, Coded],
    sides: tuple[Mask, Mask],
    names: tuple[str, str],
) -> Comparison | None:
    """Compare two parts of the sample, given as masks of its rows; None if either is too small."""
    sizes = [int(side.sum()) for side in sides]
    if min(sizes) < LEAST_ROWS:
        return None
    shifts = [
        compare_column(coded[column.name], values_of(sample, column.name), column, sides)
        for column in contract.columns
        if column.name in coded and column.role not in ("key", "time", "ignored")
    ]
    shifts.sort(key=lambda shift: -shift.beyond_chance)
    return Comparison(names[0], names[1], sizes[0], sizes[1], shifts)


def compare_column(
    coded: Coded, values: pl.Series, column: Column, sides: tuple[Mask, Mask]
) -> Shift:
    """Compare one column on two sides."""
    shares = [np.bincount(coded.codes[s], minlength=len(coded.labels)) / s.sum() for s in sides]
    unseen = None
    if column.type == "string":
        before, after = (values.filter(pl.Series(side)).drop_nulls() for side in sides)
        unseen = float((~after.is_in(before.unique().to_list())).mean() or 0.0)  # type: ignore[arg-type]
    used = int(np.sum((shares[0] + shares[1]) > 0))
    return Shift(
        column.name,
        measure_psi(*shares),
        (used - 1) * float(sum(1 / side.sum() for side in sides)),
        float(shares[0][-1]),
        float(shares[1][-1]),
        unseen,
        column.type in DATED,
    )


def measure_psi(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return the population stability index of shares of the same bins, (bins,)."""
    before, after = np.maximum(before, FLOOR), np.maximum(after, FLOOR)
    return float(np.sum((after - before) * np.log(after / before)))
