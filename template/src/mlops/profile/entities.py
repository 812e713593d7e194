"""Columns that name an entity with many rows, such as a patient: rows to be kept on one side.

An entity shows by what is the same in all of its rows: other columns that vary between entities,
or the target.
"""

from dataclasses import dataclass

import polars as pl

from ..data.column_names import cols, values_of
from ..data.contract import Column, Contract
from ..data.folds import choose_policy
from .survey import SAMPLE, Survey

LEAST_ENTITIES = 20
LEAST_ROWS = 1.5  # of an entity, on average
MOST_ROWS = {"string": 200.0, "integer": 50.0}  # a whole number that comes more often is a measure
LEAST_SAME = 0.98  # of pairs of an entity's rows say the same
OWN_WAY = ("key", "time")
MOST_CANDIDATES = 5


@dataclass(frozen=True)
class Entity:
    """A column that names entities: how many rows each has on average, and what never varies."""

    column: str
    entities: int
    rows_each: float
    same: tuple[str, ...]
    same_target: bool


def find_entities(table: pl.LazyFrame, survey: Survey, contract: Contract) -> list[Entity]:
    """Find the entities of a table, the one with the most columns of its own first.

    A table that is split by time or group has none to be found.
    """
    if choose_policy(contract) in ("time", "group"):
        return []
    entities = []
    for column in list_candidates(survey, contract)[:MOST_CANDIDATES]:
        rows = gather_whole_entities(table, survey, column)
        if entity := describe_entity(rows, column, survey, contract):
            entities.append(entity)
    return sorted(entities, key=lambda entity: -len(entity.same))


def list_candidates(survey: Survey, contract: Contract) -> list[Column]:
    """List the texts and whole numbers of which each value has some rows, but not very many."""
    candidates = []
    for column in contract.columns:
        extent = survey.extents[column.name]
        rows_each = extent.present / max(extent.distinct, 1)
        named = (
            column.role in ("feature", "ignored", "key")
            and column.type in MOST_ROWS
            and extent.distinct >= LEAST_ENTITIES
        )
        if named and LEAST_ROWS <= rows_each <= MOST_ROWS[column.type]:
            candidates.append(column)
    return candidates


def gather_whole_entities(table: pl.LazyFrame, survey: Survey, column: Column) -> pl.DataFrame:
    """Gather all rows of some entities: a sample of rows would cut them apart."""
    if not survey.is_sampled:
        return survey.sample
    pieces = survey.rows // SAMPLE + 1
    chosen = cols([column.name]).as_expr().hash(seed=0) % pieces == 0
    return table.filter(chosen).collect(engine="streaming")


def describe_entity(
    rows: pl.DataFrame, column: Column, survey: Survey, contract: Contract
) -> Entity | None:
    """Describe what is the same in all rows of an entity; None if that is not enough to be one."""
    others = [c for c in contract.columns if c.name != column.name and c.role not in OWN_WAY]
    texts = pl.DataFrame([values_of(rows, c.name).alias(c.name).cast(pl.String) for c in others])
    entity = values_of(rows, column.name)
    known = entity.is_not_null()
    pairs = list_neighbours(entity.filter(known))
    if len(pairs) < LEAST_ENTITIES:
        return None
    same = [
        other.name
        for other in others
        if is_same_within(values_of(texts, other.name).filter(known), pairs)
    ]
    target = contract.target.name
    attributes = tuple(name for name in same if name != target)
    if len(attributes) < 2 and target not in same:
        return None
    extent = survey.extents[column.name]
    rows_each = extent.present / extent.distinct
    return Entity(column.name, extent.distinct, rows_each, attributes, target in same)


def list_neighbours(entity: pl.Series) -> pl.DataFrame:
    """List pairs of rows of one entity that follow each other: their places, `one` and `other`."""
    order = entity.arg_sort()
    return pl.DataFrame({"one": order[:-1], "other": order[1:]}).filter(
        entity.gather(order[:-1]) == entity.gather(order[1:])
    )


def is_same_within(values: pl.Series, pairs: pl.DataFrame) -> bool:
    """Tell whether two rows of an entity say the same, much more often than any two rows."""
    within = values.gather(pairs["one"]).eq_missing(values.gather(pairs["other"])).mean()
    shares = values.value_counts(name="rows")["rows"] / max(len(values), 1)
    at_large = float((shares**2).sum())
    return bool(1 - float(within or 0.0) < min(1 - LEAST_SAME, 0.1 * (1 - at_large)))  # type: ignore[arg-type]
