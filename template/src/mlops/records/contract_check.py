"""Do rows keep the contract? Asked before they are added, and again of the whole table in CI.

Nothing is written; a fault is told by file, column and row (the first below the header is 1).
"""

from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from ..core.errors import UserError
from ..core.params import Params
from ..core.problem import Problem
from ..data.arrivals import describe_unlabelled, describe_unseen
from ..data.change_log import Part, locate_landed_parts
from ..data.contract import Contract
from ..data.ingest import ingest
from ..data.validate import ValidationReport, describe_reasons, reject_rate_verdict, validate
from .addresses import redact
from .column_differences import describe_arrival
from .delivery import deliver
from .inspection import inspect
from .reading_options import AS_IT_IS, Reading

SHOWN = 10  # reasons


def check_file(source: str, *, query: str | None = None, reading: Reading = AS_IT_IS) -> list[str]:
    """Check a delivery before it is added. Raises UserError with the first reasons, by row."""
    contract = Contract.load()
    with TemporaryDirectory() as scratch:
        deliveries = deliver(source, Path(scratch), query=query, reading=reading)
        befores = accumulate((each.rows for each in deliveries), initial=0)
        parts = [Part(each.path, before) for each, before in zip(deliveries, befores, strict=False)]
        notices = [line for each in deliveries for line in each.notices]
        notes = [
            line for each in deliveries for line in describe_arrival(each.path, contract, source)
        ]
        report, reasons = _judge(parts, contract)
    place, notes = redact(source), [*notes, *_note_no_faults(report)]
    if not report["quarantined"]:
        return [*notices, f"{place}: all {report['read']:,} rows keep the contract.", *notes]
    many, rows = report["quarantined"], report["read"]
    head = f"{place}: {many:,} of {rows:,} rows go to quarantine, such as"
    raise UserError("\n".join([head, *reasons, *notes]))


def check_table() -> list[str]:
    """Check the table as it lies in data/raw, as the pipeline will read it.

    Raises UserError for a file that is not as it should be, and if more rows are rejected than
    params.yaml allows.
    """
    contract, files = Contract.load(), locate_landed_parts()
    limit = Params.read().data.max_reject_rate
    for part in files:
        if not part.numbered:  # a compacted file holds columns of ours
            inspect(part.path)
    report, reasons = _judge(files, contract)
    verdict = reject_rate_verdict(report, limit, Problem.read())
    if not verdict.passed:
        raise UserError("\n".join([verdict.sentence(), *reasons]))
    kept = f"{len(files)} file(s) keep the contract: {verdict.meaning}, {limit:.0%} may be."
    faults = describe_reasons(report["reasons"])
    return [kept, *filter(None, [faults]), *_note_no_faults(report)]


def _note_no_faults(report: ValidationReport) -> list[str]:
    return [*describe_unlabelled(report["unlabelled"]), *describe_unseen(report["unseen"])]


def _judge(files: list[Part], contract: Contract) -> tuple[ValidationReport, list[str]]:
    """Run the stages ingest and validate aside; return the counts, and lines of first reasons."""
    with TemporaryDirectory() as name:
        folder, held = Path(name), Path(name) / "quarantine.parquet"
        ingest(files, contract, folder / "ingested")
        rows = pl.scan_parquet(folder / "ingested/*.parquet")
        clean, unlabelled = folder / "clean.parquet", folder / "unlabelled.parquet"
        report = validate(rows, contract, clean, held, unlabelled)
        return report, _list_reasons(pl.scan_parquet(held), files)


def _list_reasons(quarantine: pl.LazyFrame, files: list[Part]) -> list[str]:
    """Write a line for each of the first reasons, the most frequent kind first; a row is counted
    in its file.
    """
    before = {part.path.name: part.before for part in files}
    row = pl.col("row") - pl.col("source").replace_strict(before, return_dtype=pl.Int64)
    reasons = quarantine.select("source", row, "reasons").explode("reasons").unnest("reasons")
    often = pl.len().over("source", "column", "rule")
    reasons = reasons.sort(often, "row", descending=[True, False], maintain_order=True)
    line = "  {} row {}: {} breaks the rule {}: '{}'"
    text = pl.format(line, "source", "row", "column", "rule", "value")
    return list(reasons.head(SHOWN).select(text).collect().to_series())
