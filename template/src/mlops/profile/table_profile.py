"""Stage profile: look at the clean table before anything is learned from it.

reports/profile.html is for people, reports/profile.json says the same.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import polars as pl

from ..core.formatting import count
from ..core.params import Params
from ..core.paths import CLEAN, PROFILE, PROFILE_PAGE, replacing, write_json
from ..data.change_log import read_log
from ..data.column_names import cols, values_of
from ..data.contract import Column, Contract
from .associations import Association, associate_columns
from .codes import code_values
from .column_findings import find_in_column
from .column_profile import ColumnProfile, profile_column
from .entities import Entity, find_entities
from .finding import SEVERITIES, Finding
from .formulas import Formula, find_formulas
from .leak_findings import (
    find_filled_by_outcome,
    find_formula_findings,
    find_later_dates,
    find_leak_suspects,
    find_near_duplicates,
)
from .periods import Timeline, trace_columns
from .profile_page import render_page
from .shift import (
    Arrival,
    Comparison,
    assign_sample_parts,
    compare_arrivals,
    compare_parts,
    list_arrivals,
)
from .survey import Survey, survey_table
from .table_findings import (
    find_groups,
    find_rare_classes,
    find_repeated_rows,
    find_shifts,
    find_time_gaps,
    find_unlabelled,
    find_untimed,
)
from .target import Relation, read_target, relate

MOST_PAIRS = 200  # in the report, the strongest


@dataclass(frozen=True)
class TableProfile:
    """What the page and the JSON tell.

    `sampled` rows stand for all where they are fewer. `shown` is the class that bins of a column
    tell the share of, "" where they tell the mean of a number; `measure` is that of each strength.
    """

    name: str
    target: str
    task: str
    shown: str
    measure: str
    rows: int
    sampled: int
    repeated: int
    labels: dict[str, int]
    findings: list[Finding]
    columns: list[ColumnProfile]
    relations: dict[str, Relation]
    associations: list[Association]
    formulas: list[Formula]
    entities: list[Entity]
    parts: Comparison | None
    arrivals: list[Arrival]
    versions: list[Comparison]
    timeline: Timeline | None


def run() -> None:
    """Profile the clean table; write the page and the JSON."""
    contract = Contract.load()
    profile = profile_table(
        pl.scan_parquet(CLEAN), contract, Params.read(), list_arrivals(read_log())
    )
    write_profile(profile)
    print(f"profile: {summarise(profile)}")


def profile_table(
    table: pl.LazyFrame, contract: Contract, params: Params, arrivals: list[Arrival]
) -> TableProfile:
    """Profile clean rows with their `_row`, streamed. `arrivals` say which rows came when."""
    survey = survey_table(table, contract)
    sample = survey.sample
    coded = {c.name: code_values(values_of(sample, c.name), c) for c in contract.columns}
    labelled = sample.drop_nulls(cols([contract.target.name]))
    target = read_target(labelled, contract)
    coded_labelled = {
        c.name: code_values(values_of(labelled, c.name), c)
        for c in contract.columns
        if c.role not in ("target", "key", "ignored")
    }
    related = [
        c for c in contract.columns if c.role not in ("key", "ignored") and recurs(c, survey)
    ]
    time_first = sorted(contract.inputs, key=lambda column: column.role != "time")
    formulas = find_formulas(labelled, [*time_first, contract.target])
    associations = associate_columns(sample, related, coded)
    parts = assign_sample_parts(sample, contract, params.split)
    compared = compare_parts(sample, contract, coded, parts)
    versions = compare_arrivals(sample, contract, coded, arrivals)
    timeline = trace_columns(table, sample, contract, coded)
    entities = find_entities(table, survey, contract)
    columns = [profile_column(column, survey) for column in contract.columns]
    train = sample.filter(parts == "train")

    def list_findings() -> Iterator[Finding]:
        leaks = list(find_leak_suspects(train, contract, params.data.max_leak_score))
        suspects = {name for leak in leaks for name in leak.columns}
        unsuspected = [c for c in contract.inputs if c.name not in suspects]
        yield from leaks
        yield from find_formula_findings(formulas, contract)
        yield from find_later_dates(sample, contract)
        yield from find_filled_by_outcome(coded_labelled, target, unsuspected)
        yield from find_groups(entities, contract)
        yield from find_table_faults(survey, contract, timeline)
        for profile in columns:
            yield from find_in_column(profile, contract[profile.name], survey)
        yield from find_near_duplicates(associations, formulas, contract)
        kind = "shift in time" if timeline else "shift between parts"
        yield from find_shifts(compared, kind, survey)
        for comparison in versions:
            yield from find_shifts(comparison, "shift between versions", survey)

    return TableProfile(
        name=contract.name,
        target=contract.target.name,
        task=contract.task,
        shown=target.shown,
        measure="AUC" if target.shown else "R²",
        rows=survey.rows,
        sampled=sample.height,
        repeated=survey.repeated,
        labels=survey.labels,
        findings=sorted(list_findings(), key=lambda each: SEVERITIES.index(each.severity)),
        columns=columns,
        relations={name: relate(bins, target) for name, bins in coded_labelled.items()},
        associations=associations[:MOST_PAIRS],
        formulas=formulas,
        entities=entities,
        parts=compared,
        arrivals=arrivals,
        versions=versions,
        timeline=timeline,
    )


def recurs(column: Column, survey: Survey) -> bool:
    """Tell whether a column is more than names of rows, with which nothing can move together."""
    extent = survey.extents[column.name]
    is_named = column.type == "string" and extent.distinct > extent.present / 2
    return column.role not in ("key", "ignored") and not is_named


def find_table_faults(
    survey: Survey, contract: Contract, timeline: Timeline | None
) -> Iterator[Finding]:
    """Find what is to be done about the rows as a whole."""
    yield from find_repeated_rows(survey, contract)
    yield from find_rare_classes(survey, contract)
    yield from find_unlabelled(survey, contract)
    yield from find_untimed(contract)
    yield from find_time_gaps(timeline, contract)


def write_profile(profile: TableProfile) -> None:
    """Write reports/profile.json and reports/profile.html."""
    write_json(PROFILE, asdict(profile))
    with replacing(PROFILE_PAGE) as scratch:
        scratch.write_text(render_page(profile), encoding="utf-8")


def summarise(profile: TableProfile) -> str:
    """Say in a line what was found."""
    many = len(profile.findings)
    kinds = [
        f"{sum(each.severity == severity for each in profile.findings)} {severity}"
        for severity in SEVERITIES
    ]
    found = f"{count(many, 'finding')} ({', '.join(kinds)})" if many else "nothing to do about it"
    size = f"{count(profile.rows, 'row')}, {count(len(profile.columns), 'column')}"
    return f"{size}, {found}; see {PROFILE_PAGE}"
