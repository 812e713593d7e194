"""What is no fault of rows, and yet worth saying: no label, or a category that was not known.

Categories that the contract knows are those that were met so far; a new shop is the normal case.
"""

from typing import Any, NamedTuple, TypedDict

import polars as pl

from ..core.formatting import count
from .column_names import col
from .contract import Column, Contract
from .row_rules import is_labelled, is_sound

EXAMPLES, LOOKED_AT = 3, 100  # of values


class Unseen(TypedDict):
    """How many rows hold categories of a column that the contract does not know, with some."""

    column: str
    rows: int
    examples: list[str]


class ArrivalCounts(NamedTuple):
    """Rows that break the contract, those that keep it but lack a label, and unseen categories."""

    rejected: int
    unlabelled: int
    unseen: list[Unseen]

    def notes(self) -> list[str]:
        """Say what is no fault of the rows."""
        return [*describe_unlabelled(self.unlabelled), *describe_unseen(self.unseen)]


def count_arrivals(rows: pl.LazyFrame, contract: Contract) -> ArrivalCounts:
    """Count typed rows by what they are, in one pass."""
    sound = is_sound(contract)
    figures = rows.select(
        *_measure_unseen(contract, sound),
        rejected=(~sound).sum(),
        unlabelled=(sound & ~is_labelled(contract)).sum(),
    )
    row = figures.collect(engine="streaming").row(0, named=True)
    return ArrivalCounts(row["rejected"], row["unlabelled"], _gather_unseen(row, contract))


def find_unseen(records: pl.LazyFrame, contract: Contract) -> list[Unseen]:
    """Find the columns that hold categories which the contract does not know."""
    if not _list_known(contract):
        return []
    figures = records.select(_measure_unseen(contract, pl.lit(True)))
    return _gather_unseen(figures.collect(engine="streaming").row(0, named=True), contract)


def _list_known(contract: Contract) -> list[Column]:
    return [column for column in contract.columns if column.known_categories]


def _measure_unseen(contract: Contract, among: pl.Expr) -> list[pl.Expr]:
    """Measure a struct for each column with known categories, called by its place among them."""
    measures = []
    for place, column in enumerate(_list_known(contract)):
        new = among & ~col(column.name).is_in(column.known_categories)
        values = col(column.name).filter(new)
        examples = values.head(LOOKED_AT).implode()
        measures.append(pl.struct(rows=values.count(), examples=examples).alias(str(place)))
    return measures


def _gather_unseen(row: dict[str, Any], contract: Contract) -> list[Unseen]:
    gathered = []
    for place, column in enumerate(_list_known(contract)):
        figures = row[str(place)]
        if figures["rows"]:
            examples = list(dict.fromkeys(figures["examples"]))[:EXAMPLES]
            gathered.append(Unseen(column=column.name, rows=figures["rows"], examples=examples))
    return gathered


def describe_unlabelled(rows: int) -> list[str]:
    """Say how many rows wait for their label; nothing if none does."""
    verb = "has" if rows == 1 else "have"
    return [f"{count(rows, 'row')} {verb} no label yet: kept, not learned from"] if rows else []


def describe_unseen(unseen: list[Unseen]) -> list[str]:
    """Write a line for each column with categories that the contract does not know."""
    return [
        f"{each['column']} has unseen categories in {count(each['rows'], 'row')}, such as "
        f"{each['examples'][0]!r}: accepted, and learned with the next model"
        for each in unseen
    ]
