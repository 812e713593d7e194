"""Do rows keep the contract? Asked before they are added, and again of the whole table in CI.

Nothing is written; a fault is told by file, column and row (the first below the header is 1).
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from ..core.errors import UserError
from ..core.params import Params
from ..core.problem import Problem
from ..data.change_log import Part, landed
from ..data.contract import Contract
from ..data.ingest import ingest, numbered, typed
from ..data.validate import parts, validate, verdict, why
from .inspection import inspect

SHOWN = 10  # reasons


def check_file(path: Path) -> list[str]:
    """Check a delivery before it is added. Raises UserError with the first reasons, by row."""
    inspect(path)
    contract = Contract.load()
    table = typed(numbered(Part(path), contract), contract).collect()
    clean, quarantine = pl.collect_all(parts(table.lazy(), contract))
    if quarantine.is_empty():
        return [f"{path}: all {clean.height:,} rows keep the contract."]
    head = f"{path}: {quarantine.height:,} of {table.height:,} rows go to quarantine, such as"
    raise UserError("\n".join([head, *_reasons(quarantine.lazy(), [Part(path)])]))


def check_table() -> list[str]:
    """Check the table as it lies in data/raw, as the pipeline will read it.

    Raises UserError for a file that is not as it should be, and if more rows are rejected than
    params.yaml allows.
    """
    contract, files, limit = Contract.load(), landed(), Params.read().data.max_reject_rate
    for part in files:
        inspect(part.path)
    with TemporaryDirectory() as name:
        folder = Path(name)
        ingest(files, contract, folder / "ingested")
        table = pl.scan_parquet(folder / "ingested/*.parquet")
        held = folder / "quarantine.parquet"
        report = validate(table, contract, folder / "clean.parquet", held)
        found = verdict(report, limit, Problem.read())
        if not found.passed:
            raise UserError("\n".join([found.sentence(), *_reasons(pl.scan_parquet(held), files)]))
    kept = f"{len(files)} file(s) keep the contract: {found.meaning}, {limit:.0%} may be."
    return [kept, *filter(None, [why(report["reasons"])])]


def _reasons(quarantine: pl.LazyFrame, files: list[Part]) -> list[str]:
    """A line for each of the first reasons, of the most frequent kind; rows count in their file."""
    before = {part.path.name: part.before for part in files}
    row = pl.col("_row") - pl.col("_source").replace_strict(before, return_dtype=pl.Int64)
    told = quarantine.select("_source", row, "reasons").explode("reasons").unnest("reasons")
    often = pl.len().over("_source", "column", "rule")
    told = told.sort(often, "_row", descending=[True, False], maintain_order=True).head(SHOWN)
    line = "  {} row {}: {} breaks the rule {}: '{}'"
    said = told.select(pl.format(line, "_source", "_row", "column", "rule", "value"))
    return list(said.collect().to_series())
