"""Stage validate: each row is in the clean table, or in quarantine with all the reasons.

The rules are the contract's. Rows that share a key are told apart last, among the rows that
keep every other rule, so that a broken row never takes the place of a sound one.
"""

from pathlib import Path
from typing import Any

import polars as pl

from ..errors import UserError
from ..files import CLEAN, INGESTED, QUARANTINE, REPORTS, replacing, write_json
from ..gates import Verdict, block_unless_passed
from ..settings import Params, Problem
from . import cells, reading
from .contract import Column, Contract
from .inspection import inspect

SHOWN = 10
REASON = ["column", "rule", "value"]
REASONS = pl.List(pl.Struct(dict.fromkeys(REASON, pl.String)))
NOUNS = {
    "integer": "a whole number",
    "number": "a finite number",
    "boolean": "yes or no",
    "date": "a date in the formats of the contract",
    "timestamp": "a time in the formats of the contract",
}


def run() -> None:
    """Read data/ingested; write the clean table, the quarantine and reports/validation.json.

    Raises BlockedError if more rows are rejected than params.yaml allows.
    """
    table = pl.scan_parquet(INGESTED / "*.parquet")
    report = validate(table, Contract.load())
    write_json(REPORTS / "validation.json", report)
    print(
        f"validate: {report['clean']:,} of {report['read']:,} rows are clean, "
        f"{report['quarantined']:,} in quarantine ({report['reject_rate']:.2%} rejected)"
    )
    block_unless_passed([verdict(report, Params.read().data.max_reject_rate, Problem.read())])


def validate(table: pl.LazyFrame, contract: Contract) -> dict[str, Any]:
    """Stream the typed rows to the clean table or to quarantine, and return the counts.

    "rejected" are the rows that break a rule; a row that the policy for duplicates replaces by
    another is in quarantine too, but it is no fault and does not count in "reject_rate".
    """
    replaced = repeats(table, contract)
    with replacing(CLEAN) as clean, replacing(QUARANTINE) as quarantine:
        sinks = [
            part.sink_parquet(path, lazy=True, compression="lz4")
            for part, path in zip(
                _parts(table, contract, replaced), (clean, quarantine), strict=True
            )
        ]
        pl.collect_all(sinks, engine="streaming")
        kept, held = _count(clean), _count(quarantine)
        reasons = _summary(pl.scan_parquet(quarantine))
    rejected = held if contract.duplicates == "reject" else held - len(replaced)
    return {
        "read": kept + held,
        "clean": kept,
        "quarantined": held,
        "rejected": rejected,
        "reject_rate": rejected / max(kept + held, 1),
        "reasons": reasons,
        "duplicates": {"policy": contract.duplicates, "rows": len(replaced)},
    }


def check(frame: pl.DataFrame, contract: Contract) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The clean and the quarantined rows of a small typed frame (see `reading.typed`)."""
    table = frame.lazy()
    clean, quarantine = pl.collect_all(_parts(table, contract, repeats(table, contract)))
    return clean, quarantine


def check_file(path: Path) -> list[str]:
    """Check a delivery before it is added; nothing is written.

    Raises UserError with the first reasons, by row (the first below the header is 1).
    """
    inspect(path)
    contract = Contract.load()
    delivered = reading.numbered(path, 0, contract)
    clean, quarantine = check(reading.typed(delivered, contract).collect(), contract)
    if quarantine.is_empty():
        return [f"{path}: all {clean.height:,} rows keep the contract."]
    told = [
        f"  row {row}: {words(contract, reason)}"
        for row, reasons in quarantine.sort("_row").select("_row", "reasons").iter_rows()
        for reason in reasons
    ]
    more = [f"  and {len(told) - SHOWN:,} more"] if len(told) > SHOWN else []
    total = clean.height + quarantine.height
    head = f"{path}: {quarantine.height:,} of {total:,} rows go to quarantine:"
    raise UserError("\n".join([head, *told[:SHOWN], *more]))


def rules(column: Column, contract: Contract) -> list[tuple[str, pl.Expr]]:
    """The name of each rule of a column, and the expression that holds where it is kept.

    A missing value breaks `required` alone; the target is required always.
    """
    cell = pl.col(column.name)
    found = []
    if column.required or column.role == "target":
        found.append(("required", cell.is_not_null()))
    if column.type in ("integer", "number"):
        if column.minimum is not None:
            found.append(("minimum", (cell >= column.minimum).fill_null(True)))
        if column.maximum is not None:
            found.append(("maximum", (cell <= column.maximum).fill_null(True)))
    if allowed := categories(column, contract):
        found.append(("category", cell.cast(pl.String).is_in(allowed).fill_null(True)))
    return found


def categories(column: Column, contract: Contract) -> tuple[str, ...]:
    return column.categories or (contract.classes if column.role == "target" else ())


def repeats(table: pl.LazyFrame, contract: Contract) -> pl.Series:
    """The `_row` of each row that must go because of its key, by the contract's policy.

    Memory is flat: 8 bytes a row, a hash of the key; only keys that come up twice are looked at.
    """
    names = [column.name for column in contract.keys]
    if not names or contract.duplicates == "keep_all":
        return pl.Series("_row", [], dtype=pl.Int64)
    keyed = table.filter(pl.all_horizontal(pl.col(names).is_not_null()))
    digest = pl.struct(names).hash()
    hashes = keyed.select(digest.alias("hash")).collect(engine="streaming")["hash"].sort()
    twice = hashes.filter(hashes == hashes.shift()).unique()
    same = keyed.filter(digest.is_in(twice.implode()), _sound(contract))
    rows = same.select("_row", *names).collect(engine="streaming")
    number = pl.col("_row")
    goes = {
        "keep_last": number < number.max().over(names),
        "keep_first": number > number.min().over(names),
        "reject": pl.len().over(names) > 1,
    }
    return rows.filter(goes[contract.duplicates])["_row"].sort()


def _sound(contract: Contract) -> pl.Expr:
    kept = [holds for column in contract.columns for _, holds in rules(column, contract)]
    return pl.all_horizontal(pl.col("_unreadable").is_null(), *kept)


def _parts(
    table: pl.LazyFrame, contract: Contract, replaced: pl.Series
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The clean rows, and the others with the reasons."""
    names = [column.name for column in contract.columns]
    repeated = pl.col("_row").is_in(replaced.implode())
    marked = table.with_columns(_kept=_sound(contract) & ~repeated)
    bad = marked.filter(~pl.col("_kept")).with_columns(reasons=_reasons(contract, repeated))
    return marked.filter("_kept").select(*names, "_row"), bad.select(
        "_row", "_source", "reasons", *names
    )


def _reasons(contract: Contract, repeated: pl.Expr) -> pl.Expr:
    """All reasons of a row; a cell that is unreadable is not also missing."""
    cell = pl.element().struct.field
    unread = pl.col("_unreadable")
    unread_in = unread.list.eval(cell("column"))
    told = []
    for column in contract.columns:
        for name, holds in rules(column, contract):
            broken = ~holds
            if name == "required":
                broken &= ~unread_in.list.contains(column.name).fill_null(False)
            told.append((broken, (column.name, name), pl.col(column.name)))
    if keys := [column.name for column in contract.keys]:
        told.append((repeated, (", ".join(keys), "duplicate"), pl.concat_str(keys, separator=", ")))
    readable = pl.struct(cell("column"), pl.lit("readable").alias("rule"), cell("value"))
    none = pl.lit([], REASONS)
    broken_cells = unread.list.eval(readable).cast(REASONS).fill_null(none)
    return pl.concat_list(broken_cells, cells.listed(told, REASON).cast(REASONS).fill_null(none))


def _summary(quarantine: pl.LazyFrame) -> list[dict[str, Any]]:
    """How many rows each reason holds back, most first, with up to three values as delivered."""
    reasons = quarantine.select("_row", "reasons").explode("reasons").unnest("reasons")
    values = reasons.group_by(REASON).agg(pl.len(), pl.col("_row").min())
    told = values.group_by("column", "rule").agg(
        rows=pl.col("len").sum(),
        examples=pl.col("value")
        .sort_by("_row")
        .filter(pl.col("value").sort_by("_row") != "")
        .head(3),
    )
    shown = pl.element().filter(pl.element() != "")
    told = told.with_columns(pl.col("examples").list.eval(shown))
    ordered = told.sort("rows", "column", "rule", descending=[True, False, False])
    return ordered.collect(engine="streaming").to_dicts()


def words(contract: Contract, reason: dict[str, str]) -> str:
    """A reason as a person reads it: `distance: -5 is below the minimum 0`."""
    name, rule, value = (reason[field] for field in REASON)
    if rule == "duplicate":
        how = {"keep_last": "a later", "keep_first": "an earlier", "reject": "another"}
        return f"{name}: {value} is there again in {how[contract.duplicates]} row"
    column = contract[name]
    return (
        f"{name}: "
        + {
            "required": "the value is missing",
            "readable": f"{value!r} is not {NOUNS.get(column.type)}",
            "minimum": f"{value} is below the minimum {column.minimum}",
            "maximum": f"{value} is above the maximum {column.maximum}",
            "category": f"{value!r} is not one of {', '.join(categories(column, contract)[:SHOWN])}",
        }[rule]
    )


def verdict(report: dict[str, Any], limit: float, problem: Problem) -> Verdict:
    """The gate `reject_rate` on reports/validation.json."""
    advice = ""
    passed = report["reject_rate"] <= limit
    if not passed:
        faults = [reason for reason in report["reasons"] if reason["rule"] != "duplicate"]
        worst = (faults or report["reasons"])[0]
        examples = "".join(f", such as {value!r}" for value in worst["examples"][:1])
        advice = (
            f"Most often {worst['column']} breaks the rule '{worst['rule']}' ({worst['rows']:,} "
            f"rows{examples}): correct the source or contract.yaml, or raise "
            "data.max_reject_rate in params.yaml."
        )
    return Verdict(
        name="reject_rate",
        passed=passed,
        measured=report["reject_rate"],
        limit=limit,
        meaning=f"{report['rejected']:,} of {report['read']:,} rows were rejected",
        what_to_do=advice,
        owner=problem.owners.data_engineer or "data engineer",
    )


def _count(path: Path) -> int:
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())
