"""Findings on the rows: entities, repeated rows, classes, labels to come, gaps and shifts."""

from collections.abc import Iterator

from ..core.formatting import count, listed, number, percent
from ..data.cells import FORMATS
from ..data.contract import Contract
from .entities import Entity
from .finding import Finding, make_finding
from .periods import Timeline
from .shift import Comparison
from .survey import Survey

REPEATED = 0.01  # share of rows
RARE_CLASS = 0.05
SHIFTED = 0.25  # of the population stability index: more is taken for another population
UNSEEN = 0.1
SHOWN = 5


def find_groups(entities: list[Entity], contract: Contract) -> Iterator[Finding]:
    """Find an entity whose rows the split would tear apart."""
    grouped = {key.name for key in contract.keys} if len(contract.keys) == 1 else set()
    for entity in entities[:1]:
        if entity.column in grouped:
            continue
        same = [*entity.same[:SHOWN], *(["the target"] if entity.same_target else [])]
        yield make_finding(
            "group",
            "high",
            (entity.column,),
            measured=round(entity.rows_each, 2),
            measure="rows of each",
            meaning=f"each {entity.column} has {number(entity.rows_each, 1)} rows on average, and "
            f"{listed(same)} {'is' if len(same) == 1 else 'are'} the same in all of them",
            advice=f"if the model must answer for a new {entity.column}, keep the rows of one "
            f"together (data add --group {entity.column}); else it is judged by rows it has "
            "learned by heart",
            edit="- {property: role, value: group}",
        )


def find_repeated_rows(survey: Survey, contract: Contract) -> Iterator[Finding]:
    """Find rows that say the same as another, unless there are few different ones to be had."""
    possible = 1.0
    for column in contract.columns:
        if column.role != "key":
            possible *= max(survey.extents[column.name].distinct, 1)
    share = survey.repeated / max(survey.rows, 1)
    if share >= REPEATED and possible > 100 * survey.rows:
        yield make_finding(
            "repeated rows",
            "medium",
            (),
            measured=share,
            measure="share of rows",
            meaning=f"{count(survey.repeated, 'row')} ({percent(share)}) say in every column but "
            "the key what another row says",
            advice="if they were delivered twice, take them out (data delete), or give the "
            "contract a key; else equal rows may be on both sides of the split",
        )


def find_rare_classes(survey: Survey, contract: Contract) -> Iterator[Finding]:
    """Find classes of which there are few rows."""
    total = sum(survey.labels.values())
    labels = dict.fromkeys(contract.classes, 0) | survey.labels
    name = min(labels, key=lambda label: labels[label], default="")
    share = labels[name] / total if total else 1.0
    if share < RARE_CLASS:
        yield make_finding(
            "class imbalance",
            "medium",
            (contract.target.name,),
            measured=share,
            measure="share of rows",
            meaning=f"{contract.target.name} is {name} in {percent(share, 2)} of the rows "
            f"({labels[name]:,})",
            advice="judge by the value of decisions (problem.yaml) and by average_precision "
            "(train.metric), not by the share of right answers",
        )


def find_unlabelled(survey: Survey, rows: int, contract: Contract) -> Iterator[Finding]:
    """Find that `rows` have no label yet, beside those of the survey."""
    target, share = contract.target.name, rows / (survey.rows + rows)
    if rows:
        yield make_finding(
            "unlabelled rows",
            "low",
            (target,),
            measured=share,
            measure="share of rows",
            meaning=f"{count(rows, 'row')} ({percent(share)}) have no {target} yet",
            advice="nothing is learned from them; bring the labels with data update",
        )


def find_untimed(contract: Contract) -> Iterator[Finding]:
    """Find that there are dates, and none is the time of a row."""
    dates = [c.name for c in contract.inputs if c.type in FORMATS]
    if dates and not contract.of_role("time"):
        yield make_finding(
            "no time column",
            "medium",
            tuple(dates),
            measured=len(dates),
            measure="columns of dates",
            meaning=f"no column is the time of a row, though {listed(dates)} "
            f"{'holds' if len(dates) == 1 else 'hold'} dates",
            advice="if it says when a row came to be, the newest rows should test the model",
            edit="- {property: role, value: time}",
        )


def find_time_gaps(timeline: Timeline | None, contract: Contract) -> Iterator[Finding]:
    """Find spans of time that lack."""
    gaps = timeline.gaps if timeline else []
    if gaps:
        spans = [f"{gap.start} to {gap.end}" for gap in gaps[:3]]
        more = f" and {len(gaps) - 3} more" if len(gaps) > 3 else ""
        yield make_finding(
            "time gap",
            "medium",
            (contract.of_role("time")[0].name,),
            measured=len(gaps),
            measure="gaps",
            meaning=f"there is no row from {'; '.join(spans)}{more}; {gaps[0].usual} is usual",
            advice="ask the source whether a delivery is missing",
        )


def find_shifts(comparison: Comparison | None, kind: str, survey: Survey) -> Iterator[Finding]:
    """Find the columns that differ between two parts of the table, beyond what chance does.

    That dates go on, and that names of rows are new, is no shift.
    """
    if not comparison:
        return
    shifted = []
    for shift in comparison.columns:
        extent = survey.extents[shift.column]
        recurring = extent.distinct <= extent.present / 2
        if shift.beyond_chance >= SHIFTED and not shift.is_dated:
            shifted.append((shift, f"PSI {number(shift.psi, 2)}"))
        elif recurring and (shift.unseen or 0) >= UNSEEN:
            shifted.append((shift, f"{percent(shift.unseen)} new values"))
    if shifted:
        most, figure = shifted[0]
        each = [f"{shift.column} ({figure})" for shift, figure in shifted[:SHOWN]]
        more = [count(len(shifted) - SHOWN, "column") + " more"] if len(shifted) > SHOWN else []
        yield make_finding(
            kind,
            "medium",
            tuple(shift.column for shift, _ in shifted),
            measured=most.psi if figure.startswith("PSI") else most.unseen,
            measure="PSI" if figure.startswith("PSI") else "share of new values",
            meaning=f"{listed([*each, *more])} {'differs' if len(shifted) == 1 else 'differ'} "
            f"between {comparison.before} and {comparison.after}",
            advice="ask what changed, and whether live values will be like those of "
            f"{comparison.after}: what was learned before may not hold any more",
        )
