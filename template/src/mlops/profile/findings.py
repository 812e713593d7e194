"""What is to be done about a table, by all that was measured of it, the worst first."""

from collections.abc import Iterator

from ..data.contract import Contract
from .column_findings import find_in_column
from .finding import SEVERITIES, Finding
from .leak_findings import (
    find_filled_by_outcome,
    find_formula_findings,
    find_later_dates,
    find_leak_suspects,
    find_near_duplicates,
)
from .measures import Measures
from .table_findings import (
    find_groups,
    find_rare_classes,
    find_repeated_rows,
    find_shifts,
    find_time_gaps,
    find_unlabelled,
    find_untimed,
)


def list_findings(measures: Measures, contract: Contract, max_leak_score: float) -> list[Finding]:
    """List the findings; `max_leak_score` is the limit of the gate leak."""
    findings = [
        *find_what_tells_too_much(measures, contract, max_leak_score),
        *find_in_rows(measures, contract),
        *find_in_columns(measures, contract),
        *find_what_differs(measures),
    ]
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def find_what_tells_too_much(
    measures: Measures, contract: Contract, max_leak_score: float
) -> Iterator[Finding]:
    """Find leaks, columns known too late, and a target that others make up."""
    sample = measures.survey.sample
    leaks = list(
        find_leak_suspects(sample.filter(measures.parts == "train"), contract, max_leak_score)
    )
    suspects = {name for leak in leaks for name in leak.columns}
    yield from leaks
    yield from find_formula_findings(measures.formulas, contract)
    yield from find_later_dates(sample, contract)
    unsuspected = [column for column in contract.inputs if column.name not in suspects]
    yield from find_filled_by_outcome(measures.coded, measures.target, unsuspected)


def find_in_rows(measures: Measures, contract: Contract) -> Iterator[Finding]:
    """Find what is to be done about the rows as a whole."""
    yield from find_groups(measures.entities, contract)
    yield from find_repeated_rows(measures.survey, contract)
    yield from find_rare_classes(measures.survey, contract)
    yield from find_unlabelled(measures.survey, measures.waiting, contract)
    yield from find_untimed(contract)
    yield from find_time_gaps(measures.timeline, contract)


def find_in_columns(measures: Measures, contract: Contract) -> Iterator[Finding]:
    """Find what is to be done about one column, or two that say the same."""
    for profile in measures.columns:
        yield from find_in_column(profile, contract[profile.name], measures.survey)
    yield from find_near_duplicates(measures.associations, measures.formulas, contract)


def find_what_differs(measures: Measures) -> Iterator[Finding]:
    """Find the columns that differ between parts, or versions, of the table."""
    kind = "shift in time" if measures.timeline else "shift between parts"
    yield from find_shifts(measures.judged_apart, kind, measures.survey)
    for comparison in measures.versions:
        yield from find_shifts(comparison, "shift between versions", measures.survey)
