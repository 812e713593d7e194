"""All that is measured of a table, for the page to show and for findings to rest on."""

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from ..core.params import SplitParams
from ..data.column_names import cols, values_of
from ..data.contract import Column, Contract
from .associations import Association, associate_columns
from .codes import Coded, code_values
from .column_profile import ColumnProfile, profile_column
from .entities import Entity, find_entities
from .formulas import Formula, find_formulas
from .periods import Timeline, trace_columns
from .shift import (
    Arrival,
    Comparison,
    assign_sample_parts,
    compare_arrivals,
    compare_parts,
)
from .survey import Survey, survey_table
from .target import Relation, Target, read_target, relate

OWN_WAY = ("target", "key", "ignored")  # what is not related to the target


class Measures(NamedTuple):
    """What was measured, and on what.

    `coded` and `target` are of the rows with a label, `parts` of each row of the sample.
    """

    survey: Survey
    coded: dict[str, Coded]
    target: Target
    parts: pl.Series
    columns: list[ColumnProfile]
    relations: dict[str, Relation]
    associations: list[Association]
    formulas: list[Formula]
    entities: list[Entity]
    judged_apart: Comparison | None
    versions: list[Comparison]
    timeline: Timeline | None
    waiting: int


def measure_table(
    table: pl.LazyFrame,
    contract: Contract,
    params: SplitParams,
    arrivals: list[Arrival],
    waiting: int,
) -> Measures:
    """Measure clean rows with their `ROW`, streamed; `waiting` rows have no label yet.

    Raises UserError if there is none.
    """
    survey = survey_table(table, contract)
    sample = survey.sample
    labelled = sample.drop_nulls(cols([contract.target.name]))
    coded = code_columns(sample, contract.columns)
    coded_labelled = code_columns(
        labelled, [column for column in contract.columns if column.role not in OWN_WAY]
    )
    target = read_target(labelled, contract)
    parts = assign_sample_parts(sample, contract, params)
    recurring = [column for column in contract.columns if recurs(column, survey)]
    time_first = sorted(contract.inputs, key=lambda column: column.role != "time")
    return Measures(
        survey=survey,
        coded=coded_labelled,
        target=target,
        parts=parts,
        columns=[profile_column(column, survey) for column in contract.columns],
        relations={name: relate(bins, target) for name, bins in coded_labelled.items()},
        associations=associate_columns(sample, recurring, coded),
        formulas=find_formulas(labelled, [*time_first, contract.target]),
        entities=find_entities(table, survey, contract),
        judged_apart=compare_parts(sample, contract, coded, parts),
        versions=compare_arrivals(sample, contract, coded, arrivals),
        timeline=trace_columns(table, sample, contract, coded),
        waiting=waiting,
    )


def code_columns(rows: pl.DataFrame, columns: Iterable[Column]) -> dict[str, Coded]:
    """Put the values of each column into bins of its own."""
    return {each.name: code_values(values_of(rows, each.name), each) for each in columns}


def recurs(column: Column, survey: Survey) -> bool:
    """Tell whether a column is more than names of rows, with which nothing can move together."""
    extent = survey.extents[column.name]
    is_named = column.type == "string" and extent.distinct > extent.present / 2
    return column.role not in ("key", "ignored") and not is_named
