"""Stage validate: each row is in the clean table, waits for its label, or is in quarantine with all
the reasons.

A row without a label is a record like any other: it keeps all rules, and is not learned from. Rows
that share a key are told apart last, among those that keep every rule of the contract, so that a
broken row never takes the place of a sound one, nor one without a label that of one with it.
"""

from pathlib import Path
from typing import TypedDict

import polars as pl

from ..core.params import Params
from ..core.paths import (
    CLEAN,
    INGESTED,
    QUARANTINE,
    REPORTS,
    UNLABELLED,
    replacing,
    write_json,
)
from ..core.problem import Problem
from ..gates.gates import Finding, Verdict, assign_verdict, block_unless_passed
from ..gates.yaml_location import list_column_entries
from .arrivals import Unseen, describe_unlabelled, describe_unseen, find_unseen
from .column_names import ROW, SOURCE, UPDATE, cols, internal
from .contract import Contract
from .ingest import count_rows, write_parquet
from .repeats import select_repeats
from .row_rules import is_labelled, is_sound, list_reasons

IS_REPEATED, IS_CLEAN = internal("repeated"), internal("clean")


class Reason(TypedDict):
    """How many rows break a rule of a column, with up to three values as delivered."""

    column: str
    rule: str
    rows: int
    examples: list[str]


class Duplicates(TypedDict):
    """The policy for rows that share a key, and how many of them gave way to another."""

    policy: str
    rows: int


class ValidationReport(TypedDict):
    """Counts of rows. `clean` are those to learn from; `unlabelled` keep every rule, but wait for
    their label, and are no part of what `reject_rate` is a share of. `rejected` are those that
    break a rule; one that the policy for duplicates replaces by another is in quarantine too, but
    is not rejected. `unseen` tells the categories that the contract does not list.
    """

    read: int
    clean: int
    unlabelled: int
    quarantined: int
    rejected: int
    reject_rate: float
    reasons: list[Reason]
    duplicates: Duplicates
    unseen: list[Unseen]


def run() -> None:
    """Read data/ingested; write the clean table, the rows without a label, the quarantine and
    reports/validation.json.

    Raises BlockedError if more rows are rejected than params.yaml allows.
    """
    report = validate(pl.scan_parquet(INGESTED / "*.parquet"), Contract.load())
    write_json(REPORTS / "validation.json", report)
    held = f"{report['quarantined']:,} in quarantine ({report['reject_rate']:.2%} rejected)"
    print(f"validate: {report['clean']:,} of {report['read']:,} rows are clean, {held}")
    for line in (*describe_unlabelled(report["unlabelled"]), *describe_unseen(report["unseen"])):
        print(f"validate: {line}")
    block_unless_passed(
        [reject_rate_verdict(report, Params.read().data.max_reject_rate, Problem.read())]
    )


def validate(
    table: pl.LazyFrame,
    contract: Contract,
    fit_to: Path = CLEAN,
    unfit_to: Path = QUARANTINE,
    unlabelled_to: Path = UNLABELLED,
) -> ValidationReport:
    """Stream the typed rows to the clean table, to those without a label (in the contract's columns
    alone, like a delivery to score) or to quarantine, and return the counts.
    """
    with (
        replacing(fit_to) as clean,
        replacing(unlabelled_to) as unlabelled,
        replacing(unfit_to) as quarantine,
    ):
        fit, unfit = judge_rows(table, contract)
        delivered = cols(contract.names)
        waiting = fit.filter(~is_labelled(contract)).select(delivered)
        # One by one: side by side, polars piles up what the slower of the two has yet to write.
        write_parquet({clean: fit.filter(is_labelled(contract))})
        write_parquet({unlabelled: waiting})
        write_parquet({quarantine: unfit})
        files = [pl.scan_parquet(path) for path in (clean, unlabelled, quarantine)]
        kept, wait, held = map(count_rows, files)
        kinds = count_reasons(files[2])
        rejected = _count_rejected(files[2], contract)
        records = pl.concat([file.select(delivered) for file in files[:2]])
        unseen = find_unseen(records, contract)
    return {
        "read": kept + wait + held,
        "clean": kept,
        "unlabelled": wait,
        "quarantined": held,
        "rejected": rejected,
        "reject_rate": rejected / max(kept + held, 1),
        "reasons": kinds,
        "duplicates": {
            "policy": contract.duplicates,
            "rows": sum(kind["rows"] for kind in kinds if kind["rule"] == "duplicate"),
        },
        "unseen": unseen,
    }


def _count_rejected(quarantine: pl.LazyFrame, contract: Contract) -> int:
    """Count the rows that break a rule, which a duplicate does if the policy is to reject it; one
    that has no label never does by being a duplicate.
    """
    fault = pl.element().struct.field("rule") != "duplicate"
    broken = pl.col("reasons").list.eval(fault).list.any()
    target = pl.col("record").struct.field(contract.target.name)
    faults = broken | target.is_not_null() if contract.duplicates == "reject" else broken
    return count_rows(quarantine.filter(faults))


def judge_rows(table: pl.LazyFrame, contract: Contract) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Part typed rows (data/ingest.py) into the records, with and without a label, which keep the
    contract, and all others: their number `row`, the file `source`, the `reasons`, and, apart from
    these as its columns may be called like them, the `record`.
    """
    repeated = pl.col(ROW).is_in(find_repeats(table, contract).implode())
    marked = table.with_columns(repeated.alias(IS_REPEATED))
    marked = marked.with_columns((is_sound(contract) & ~pl.col(IS_REPEATED)).alias(IS_CLEAN))
    delivered = cols(contract.names)
    reasons = list_reasons(contract, pl.col(IS_REPEATED)).alias("reasons")
    clean = marked.filter(IS_CLEAN).select(delivered, ROW)
    held = marked.filter(~pl.col(IS_CLEAN)).select(
        pl.col(ROW).alias("row"),
        pl.col(SOURCE).alias("source"),
        reasons,
        pl.struct(delivered).alias("record"),
    )
    return clean, held


def find_repeats(table: pl.LazyFrame, contract: Contract) -> pl.Series:
    """Find the `ROW` of each row that must go because of its key, by the contract's policy.

    Keys are compared by a 64-bit hash, to take few bytes a row; two of 15 million keys share one
    in 1 of 100,000 tables. Rows without a key, or with a fault, take no part; one without a label
    gives way to one with it, unless all are kept.
    """
    keys = cols(contract.key_names)
    none = pl.Series(ROW, [], pl.Int64)
    is_updated = UPDATE in table.collect_schema().names()
    if not contract.keys or (contract.duplicates == "keep_all" and not is_updated):
        return none
    keyed = table.drop_nulls(keys)
    digest = pl.struct(keys).hash().alias("hash")
    hashes = keyed.select(digest).collect(engine="streaming")["hash"].sort()
    if not (hashes == hashes.shift()).any():  # the usual case, and quick
        return none
    update = pl.col(UPDATE) if is_updated else pl.lit(0, pl.Int64)
    sound = keyed.filter(is_sound(contract)).select(
        ROW, digest, update=update, labelled=is_labelled(contract)
    )
    rows = sound.collect(engine="streaming")
    beaten = none
    if contract.duplicates != "keep_all":
        known, waiting = rows.filter("labelled"), rows.filter(~pl.col("labelled"))
        beaten = waiting.join(known, on="hash", how="semi")[ROW]
        rows = rows.filter(~pl.col(ROW).is_in(beaten.implode()))
    return beaten.append(select_repeats(rows, contract.duplicates))


def count_reasons(quarantine: pl.LazyFrame) -> list[Reason]:
    """Count the rows that each reason holds back, most first."""
    reasons = quarantine.select("reasons").explode("reasons").unnest("reasons")
    kinds = reasons.group_by("column", "rule").agg(rows=pl.len())
    kinds = kinds.sort("rows", "column", "rule", descending=[True, False, False])
    counts = []
    for column, rule, rows in kinds.collect(engine="streaming").iter_rows():
        same = reasons.filter(column=column, rule=rule).filter(pl.col("value") != "")
        values = same.select("value").head(100).collect(engine="streaming").to_series()
        examples = values.unique(maintain_order=True).head(3).to_list()
        counts.append(Reason(column=column, rule=rule, rows=rows, examples=examples))
    return counts


def describe_faults(unfit: pl.LazyFrame, scratch: Path) -> str:
    """Put the most frequent faults of rows in words; they are read once, to a scratch file."""
    held = scratch / "unfit.parquet"
    write_parquet({held: unfit.select("reasons")})
    return describe_reasons(count_reasons(pl.scan_parquet(held)))


def describe_reasons(kinds: list[Reason]) -> str:
    """Put the most frequent reasons in words; that a key comes again is no fault."""
    return "; ".join(
        f"{kind['column']} breaks the rule {kind['rule']} in {kind['rows']:,}"
        + "".join(f", such as {value!r}" for value in kind["examples"][:1])
        for kind in [kind for kind in kinds if kind["rule"] != "duplicate"][:3]
    )


def reject_rate_verdict(report: ValidationReport, limit: float, problem: Problem) -> Verdict:
    """Judge the gate `reject_rate` on reports/validation.json."""
    rate, advice, concerned = report["reject_rate"], "", list[str]()
    if rate > limit:
        worst = min(report["reasons"], key=lambda reason: reason["rule"] == "duplicate")
        concerned.append(worst["column"])
        often = f"{worst['column']} breaks the rule '{worst['rule']}' ({worst['rows']:,} rows"
        often += "".join(f", such as {value!r}" for value in worst["examples"][:1])
        advice = f"{often}): correct the source or contract.yaml, or raise data.max_reject_rate."
    waiting = report.get("unlabelled", 0)  # reports of older versions lack it
    meaning = f"{report['rejected']:,} of {report['read'] - waiting:,} rows were rejected"
    finding = Finding(rate <= limit, rate, limit, meaning, advice)
    return assign_verdict(problem, "reject_rate", finding, list_column_entries(concerned))
