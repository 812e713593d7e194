"""Stage validate: each row is in the clean table, or in quarantine with all the reasons.

Rows that share a key are told apart last, among those that keep every rule of the contract, so
that a broken row never takes the place of a sound one.
"""

from pathlib import Path
from typing import Any

import polars as pl

from ..core.params import Params
from ..core.paths import CLEAN, INGESTED, QUARANTINE, REPORTS, replacing, write_json
from ..core.problem import Problem
from ..gates.gates import Finding, Verdict, block_unless_passed, judged
from ..gates.yaml_location import columns
from .column_names import cols, internal
from .contract import Contract
from .ingest import rows_in, stream
from .row_rules import REPEATED, reasons, sound

IS_CLEAN = internal("clean")


def run() -> None:
    """Read data/ingested; write the clean table, the quarantine and reports/validation.json.

    Raises BlockedError if more rows are rejected than params.yaml allows.
    """
    report = validate(pl.scan_parquet(INGESTED / "*.parquet"), Contract.load())
    write_json(REPORTS / "validation.json", report)
    held = f"{report['quarantined']:,} in quarantine ({report['reject_rate']:.2%} rejected)"
    print(f"validate: {report['clean']:,} of {report['read']:,} rows are clean, {held}")
    block_unless_passed([verdict(report, Params.read().data.max_reject_rate, Problem.read())])


def validate(
    table: pl.LazyFrame,
    contract: Contract,
    fit_to: Path = CLEAN,
    unfit_to: Path = QUARANTINE,
) -> dict[str, Any]:
    """Stream the typed rows to the clean table or to quarantine, and return the counts.

    "rejected" are rows that break a rule; one that the policy for duplicates replaces by another
    is in quarantine too, but does not count in "reject_rate".
    """
    with replacing(fit_to) as clean, replacing(unfit_to) as quarantine:
        fit, unfit = parts(table, contract)
        # One by one: side by side, polars piles up what the slower of the two has yet to write.
        stream({clean: fit})
        stream({quarantine: unfit})
        kept, held = rows_in(clean), rows_in(quarantine)
        kinds = summary(pl.scan_parquet(quarantine))
    repeated = sum(kind["rows"] for kind in kinds if kind["rule"] == "duplicate")
    rejected = held if contract.duplicates == "reject" else held - repeated
    return {
        "read": kept + held,
        "clean": kept,
        "quarantined": held,
        "rejected": rejected,
        "reject_rate": rejected / max(kept + held, 1),
        "reasons": kinds,
        "duplicates": {"policy": contract.duplicates, "rows": repeated},
    }


def parts(table: pl.LazyFrame, contract: Contract) -> list[pl.LazyFrame]:
    """Of typed rows (data/ingest.py) the clean ones, and all others with their reasons."""
    repeated = pl.col("_row").is_in(repeats(table, contract).implode())
    marked = table.with_columns(repeated.alias(REPEATED))
    marked = marked.with_columns((sound(contract) & ~pl.col(REPEATED)).alias(IS_CLEAN))
    delivered = cols(column.name for column in contract.columns)
    clean = marked.filter(IS_CLEAN).select(delivered, "_row")
    held = marked.filter(~pl.col(IS_CLEAN))
    return [clean, held.select("_row", "_source", reasons(contract).alias("reasons"), delivered)]


def repeats(table: pl.LazyFrame, contract: Contract) -> pl.Series:
    """The `_row` of each row that must go because of its key, by the contract's policy.

    Keys are compared by a 64-bit hash, to take few bytes a row; two of 15 million keys share one
    in 1 of 100,000 tables. Rows without a key, or with a fault, take no part.
    """
    keys = cols(column.name for column in contract.keys)
    none = pl.Series("_row", [], pl.Int64)
    if not contract.keys or contract.duplicates == "keep_all":
        return none
    keyed = table.drop_nulls(keys)
    digest = pl.struct(keys).hash().alias("hash")
    hashes = keyed.select(digest).collect(engine="streaming")["hash"].sort()
    if not (hashes == hashes.shift()).any():  # the usual case, and quick
        return none
    rows = keyed.filter(sound(contract)).select("_row", digest).collect(engine="streaming")
    earlier, later = (pl.col("hash") == pl.col("hash").shift(by) for by in (1, -1))
    goes = {"keep_last": later, "keep_first": earlier, "reject": earlier | later}
    return rows.sort("hash", "_row").filter(goes[contract.duplicates])["_row"]


def summary(quarantine: pl.LazyFrame) -> list[dict[str, Any]]:
    """How many rows each reason holds back, most first, with up to three values as delivered."""
    told = quarantine.select("reasons").explode("reasons").unnest("reasons")
    kinds = told.group_by("column", "rule").agg(rows=pl.len())
    kinds = kinds.sort("rows", "column", "rule", descending=[True, False, False])
    found = kinds.collect(engine="streaming").to_dicts()
    for kind in found:
        same = told.filter(column=kind["column"], rule=kind["rule"]).filter(pl.col("value") != "")
        some = same.select("value").head(100).collect(engine="streaming").to_series()
        kind["examples"] = some.unique(maintain_order=True).head(3).to_list()
    return found


def faults(unfit: pl.LazyFrame, scratch: Path) -> str:
    """The most frequent faults of rows, in words; the rows are looked at once, through a scratch
    file.
    """
    held = scratch / "unfit.parquet"
    stream({held: unfit.select("reasons")})
    return why(summary(pl.scan_parquet(held)))


def why(kinds: list[dict[str, Any]]) -> str:
    """The most frequent ones of a summary, in words; that a key comes again is no fault."""
    return "; ".join(
        f"{kind['column']} breaks the rule {kind['rule']} in {kind['rows']:,}"
        + "".join(f", such as {value!r}" for value in kind["examples"][:1])
        for kind in [kind for kind in kinds if kind["rule"] != "duplicate"][:3]
    )


def verdict(report: dict[str, Any], limit: float, problem: Problem) -> Verdict:
    """The gate `reject_rate` on reports/validation.json."""
    rate, advice, concerned = report["reject_rate"], "", list[str]()
    if rate > limit:
        worst = min(report["reasons"], key=lambda reason: reason["rule"] == "duplicate")
        concerned.append(worst["column"])
        often = f"{worst['column']} breaks the rule '{worst['rule']}' ({worst['rows']:,} rows"
        often += "".join(f", such as {value!r}" for value in worst["examples"][:1])
        advice = f"{often}): correct the source or contract.yaml, or raise data.max_reject_rate."
    meaning = f"{report['rejected']:,} of {report['read']:,} rows were rejected"
    finding = Finding(rate <= limit, rate, limit, meaning, advice)
    return judged(problem, "reject_rate", finding, columns(concerned))
