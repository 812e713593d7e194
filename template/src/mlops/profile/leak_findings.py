"""Findings on what tells the target too well: leaks, columns known too late, formulas."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from ..core.formatting import percent, score
from ..data.column_names import values_of
from ..data.contract import Column, Contract
from ..data.leak import SAMPLE, find_suspects
from .associations import Association
from .codes import DATED, Coded, to_numbers
from .finding import IGNORE, KNOWN_LATER, Finding, make_finding
from .formulas import Formula
from .target import Target, score_alone

LEAST_ROWS = 30
LATER = 0.5  # of the rows with both times
FILLED_AREA, FILLED_R2 = 0.8, 0.5  # of whether a value is there, as a forecast of the target
DUPLICATE = 0.99


def find_leak_suspects(train: pl.DataFrame, contract: Contract, limit: float) -> Iterator[Finding]:
    """Find what the gate `leak` of stage split would block."""
    if train.height < LEAST_ROWS or values_of(train, contract.target.name).n_unique() < 2:
        return
    rows = train.sample(min(train.height, SAMPLE), shuffle=True, seed=0)
    for suspect in find_suspects(rows, contract, limit)[1]:
        yield make_finding(
            "leak",
            "high",
            tuple(filter(None, (suspect.column, suspect.partner))),
            measured=suspect.score,
            measure="score of 1",
            meaning=suspect.sentence(),
            advice="say that it is known only after the decision, or, if it really is known then, "
            "leakReviewed: true; the gate leak blocks until one of them stands there",
            edit=KNOWN_LATER,
        )


def find_later_dates(sample: pl.DataFrame, contract: Contract) -> Iterator[Finding]:
    """Find dates that lie after the row's own time."""
    times = contract.of_role("time")
    dated = [c for c in contract.inputs if c.type in DATED and c.role != "time"]
    for column in dated if times else []:
        own, moment = (to_numbers(values_of(sample, c.name)) for c in (times[0], column))
        if "date" in (times[0].type, column.type):
            own, moment = np.floor(own), np.floor(moment)
        both = ~np.isnan(own) & ~np.isnan(moment)
        share = float(np.mean(moment[both] > own[both])) if both.sum() >= LEAST_ROWS else 0.0
        if share >= LATER:
            yield make_finding(
                "known too late",
                "high",
                (column.name,),
                measured=share,
                measure="share of rows",
                meaning=f"{column.name} is later than {times[0].name} in {percent(share)} of the "
                "rows",
                advice="if the decision is made at that time, it is not known yet",
                edit=KNOWN_LATER,
            )


def find_filled_by_outcome(
    coded: dict[str, Coded], target: Target, inputs: list[Column]
) -> Iterator[Finding]:
    """Find columns of which it tells the target whether they are filled in."""
    for column in inputs:
        present = coded[column.name].is_present
        if min(present.sum(), (~present).sum()) < LEAST_ROWS:
            continue
        filled = Coded(present.astype(np.int64), ("missing", "filled"))
        strength = score_alone(filled, target)
        if strength >= (FILLED_AREA if target.shown else FILLED_R2):
            measure = "AUC" if target.shown else "R²"
            yield make_finding(
                "known too late",
                "high",
                (column.name,),
                measured=strength,
                measure=measure,
                meaning=f"whether {column.name} is filled in tells the target ({measure} "
                f"{score(strength)})",
                advice="it seems to be filled in because of the outcome: then it is not known when "
                "the decision is made",
                edit=KNOWN_LATER,
            )


def find_formula_findings(formulas: list[Formula], contract: Contract) -> Iterator[Finding]:
    """Find the target, or inputs, that follow from other columns."""
    goal = contract.target.name
    for formula in formulas:
        of_target = formula.column == goal
        parts = formula.parts
        if of_target and parts and not all(contract[p].leak_reviewed for p in parts):
            yield make_finding(
                "formula of the target",
                "high",
                parts,
                measured=len(parts),
                measure="columns",
                meaning=f"the target follows from its inputs: {formula.text}",
                advice="if all of them are known when the decision is made, compute it; else say "
                "which is not",
                edit=KNOWN_LATER,
            )
        elif not of_target:
            twins = len(parts) == 1
            yield make_finding(
                "duplicate column" if twins else "formula of inputs",
                "medium" if twins else "low",
                (formula.column, *parts),
                measured=len(parts),
                measure="columns",
                meaning=f"{formula.column} says nothing new: {formula.text}",
                advice="leave it out: two columns that say the same share their importance",
                edit=IGNORE,
            )


def find_near_duplicates(
    associations: list[Association], formulas: list[Formula], contract: Contract
) -> Iterator[Finding]:
    """Find inputs that move together nearly always, without a formula that says why."""
    inputs = {column.name for column in contract.inputs}
    explained = [{formula.column, *formula.parts} for formula in formulas]
    for pair in associations:
        names = {pair.one, pair.other}
        if abs(pair.value) < DUPLICATE:
            break
        if names <= inputs and not any(names <= each for each in explained):
            yield make_finding(
                "near-duplicate columns",
                "medium",
                (pair.other, pair.one),
                measured=pair.value,
                measure=pair.measure,
                meaning=f"{pair.other} and {pair.one} say nearly the same ({pair.measure} "
                f"{score(pair.value)})",
                advice="leave one of them out",
                edit=IGNORE,
            )
