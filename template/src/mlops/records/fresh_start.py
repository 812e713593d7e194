"""A table started over: its contract, and what problem.yaml says that went with the one before."""

import polars as pl

from ..core.formatting import percent
from ..core.problem import PROBLEM, Problem
from ..data import change_log
from ..data.contract import Contract
from .column_figures import count_values
from .delivery import Delivery, concatenate
from .writer import Writer


def start_over(writer: Writer, contract: Contract, deliveries: list[Delivery]) -> list[str]:
    """Put the new contract of the deliveries in the place of what was there. Returns the lines that
    say what is replaced, and what was drafted of problem.yaml.
    """
    old = change_log.select_in_effect(writer.changes)
    lines = [
        f"{'the bundled sample ' if change.operation == 'sample' else ''}{change.file} is replaced"
        for change in old
        if change.file
    ]
    with_sample = any(change.operation == "sample" for change in old)
    problem = Problem.read() if with_sample else None  # before anything changes
    writer.keep_settings()
    if problem:
        problem.start_over(contract.target.name)
        lines.append(
            "problem.yaml is started over, with neutral values: say what decisions are worth"
        )
    contract.save()
    return lines + _draft_value(contract, deliveries)


def _draft_value(contract: Contract, deliveries: list[Delivery]) -> list[str]:
    """Draft what a hit is worth by how rare it is, unless a person has said it."""
    if contract.task != "binary" or not PROBLEM.exists():
        return []
    problem = Problem.read()
    if not problem.is_value_drafted():
        return []
    share = _measure_positive_share(deliveries, contract)
    hit = problem.draft_value(share)
    if hit is None:
        return []
    return [
        f"problem.yaml: a hit is drafted to be worth {hit:g} where a false alarm costs 1, as "
        f"{percent(share, 2)} of the labels are {contract.positive}: say what they are really worth"
    ]


def _measure_positive_share(deliveries: list[Delivery], contract: Contract) -> float:
    """Measure which share of the labels, 0 to 1, is positive."""
    rows, target = concatenate(deliveries), contract.target
    counts = count_values(rows, rows.collect_schema(), [target])[target.name]
    labels = pl.Series(list(counts)).cast(pl.String)
    positive = labels.to_list().index(contract.positive)
    return list(counts.values())[positive] / sum(counts.values())
