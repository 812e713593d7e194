"""Stage profile: look at the clean table before anything is learned from it.

reports/profile.html is for people, reports/profile.json says the same.
"""

from dataclasses import asdict, dataclass

import polars as pl

from ..core.formatting import count
from ..core.params import Params
from ..core.paths import CLEAN, PROFILE, PROFILE_PAGE, UNLABELLED, write_json, write_text
from ..data.change_log import read_log
from ..data.contract import Contract
from ..data.ingest import count_rows
from ..data.row_rules import is_labelled
from .associations import Association
from .column_profile import ColumnProfile
from .entities import Entity
from .finding import SEVERITIES, Finding
from .findings import list_findings
from .formulas import Formula
from .measures import measure_table
from .periods import Timeline
from .profile_page import render_page
from .shift import Arrival, Comparison, list_arrivals
from .target import Relation

MOST_PAIRS = 200  # in the report, the strongest


@dataclass(frozen=True)
class TableProfile:
    """What the page and the JSON tell.

    `sampled` rows stand for all where they are fewer. `shown` is the class that bins of a column
    tell the share of, "" where they tell the mean of a number; `measure` is that of each strength.
    `parts` compares training and test, `versions` the newest rows with those before.
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
    arrivals = list_arrivals(read_log())
    waiting = count_rows(pl.scan_parquet(UNLABELLED))
    profile = profile_table(
        pl.scan_parquet(CLEAN), Contract.load(), Params.read(), arrivals, waiting
    )
    write_profile(profile)
    print(f"profile: {summarise(profile)}")


def profile_table(
    table: pl.LazyFrame,
    contract: Contract,
    params: Params,
    arrivals: list[Arrival],
    waiting: int = 0,
) -> TableProfile:
    """Profile the labelled ones of records with their `ROW`, streamed. `arrivals` say which rows
    came when, `waiting` how many unlabelled ones there are besides.

    Raises UserError if there is no row.
    """
    labelled = is_labelled(contract)
    waiting += count_rows(table.filter(~labelled))
    measures = measure_table(table.filter(labelled), contract, params.split, arrivals, waiting)
    survey, shown = measures.survey, measures.target.shown
    return TableProfile(
        name=contract.name,
        target=contract.target.name,
        task=contract.task,
        shown=shown,
        measure="AUC" if shown else "R²",
        rows=survey.rows,
        sampled=survey.sample.height,
        repeated=survey.repeated,
        labels=survey.labels,
        findings=list_findings(measures, contract, params.data.max_leak_score),
        columns=measures.columns,
        relations=measures.relations,
        associations=measures.associations[:MOST_PAIRS],
        formulas=measures.formulas,
        entities=measures.entities,
        parts=measures.judged_apart,
        arrivals=arrivals,
        versions=measures.versions,
        timeline=measures.timeline,
    )


def write_profile(profile: TableProfile) -> None:
    """Write reports/profile.json and reports/profile.html."""
    page = render_page(profile)
    write_json(PROFILE, asdict(profile))
    write_text(PROFILE_PAGE, page)


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
