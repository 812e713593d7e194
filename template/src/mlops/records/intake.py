"""Tables in: files land in data/raw as they came, each as a version; the first with its contract.

A file that is here already changes nothing. What rows are worth is for stage validate to judge.
"""

from pathlib import Path
from typing import Any, get_args

import polars as pl

from ..core.errors import UserError
from ..core.paths import sha256
from ..core.problem import Problem, Task
from ..data import change_log
from ..data.change_log import ANEW, EMPTY, Change, Operation, Part
from ..data.column_names import cols
from ..data.contract import CONTRACT, Contract
from ..data.ingest import alike, stream
from ..data.row_rules import sound
from ..data.sources import extension
from ..data.validate import faults
from ..data.validate import parts as judged
from . import table
from .addresses import redact
from .contract_draft import draft
from .delivery import Delivery, check_columns, deliver, stem, together
from .table import Effect
from .writer import Writer, own, writing

REVIEW = (
    "contract.yaml is drafted: review it (what is known at decision time?), then run 'uv run dvc "
    "repro'"
)


def add(
    source: str,
    *,
    target: str | None = None,
    query: str | None = None,
    encoding: str | None = None,
    replace: bool = False,
    dry_run: bool = False,
    **options: Any,
) -> list[str]:
    """Land a file, folder, URL or database table; with `target`, draft a contract for it.

    `options` are those of `contract_draft.draft`, `dates` a list of COLUMN=FORMAT|FORMAT.
    Returns the lines to print. Raises UserError if anything is wrong with the table, its columns
    or the options; then nothing has changed.
    """
    if target is None and (replace or any(options.values())):
        raise UserError("such options go with --target; to change the contract, edit its file.")
    if options.get("task") not in (None, *get_args(Task)):
        raise UserError(f"--task must be {', '.join(get_args(Task))}, not '{options['task']}'.")
    options["dates"] = dict(_formats(entry) for entry in options.get("dates", ()))
    with writing() as writer:
        deliveries = deliver(source, writer.scratch, query=query, encoding=encoding)
        if target and (replace or not (own(writer.changes) and CONTRACT.exists())):
            name = _name(source, deliveries)
            contract, notices = draft(together(deliveries), name, target, **options)
            aside = _start(writer, contract)
            says = _land(writer, "start", deliveries, contract, source=source, name=name)
            says += [*aside, *notices, REVIEW]
        else:
            new, says = _new(writer.changes, deliveries, target)
            name = _name(source, deliveries)
            says += _land(writer, "add", new, Contract.load(), source=source, name=name)
        return writer.end(says, dry_run)


def compact(*, dry_run: bool = False) -> list[str]:
    """Land the rows of the table anew, in one file for each format, without what is gone.

    Old versions stay in the history of git and DVC only. Returns the lines to print.
    """
    contract = Contract.load()
    with writing() as writer:
        parts, content = change_log.parts(writer.changes), writer.content_hash(contract)
        if not parts or (len(parts) == 1 and parts[0].gone is None):
            return ["the table lies in one file already; nothing changed"]
        deliveries = []
        for number, rows in enumerate(alike(parts)):
            path = writer.scratch / f"{number}.parquet"
            stream({path: rows.drop("_row", "_source")})
            table_rows = pl.scan_parquet(path)
            columns = table_rows.collect_schema().names()
            deliveries.append(Delivery(path, sha256(path), columns, table.count(table_rows)))
        name = stem(contract.name)
        says = _land(writer, "compact", deliveries, contract, source=contract.name, name=name)
        if writer.changes[-1].after != content:
            raise UserError("the table would not be the same afterwards; nothing changed.")
        return writer.end(says, dry_run)


def _name(source: str, deliveries: list[Delivery]) -> str:
    folder = Path(source)
    return stem(folder.resolve().name if folder.is_dir() else deliveries[0].path.name)


def _new(
    changes: list[Change], deliveries: list[Delivery], target: str | None
) -> tuple[list[Delivery], list[str]]:
    """The deliveries that are not here yet, and a line for each that is."""
    if not CONTRACT.exists():
        columns = ", ".join(deliveries[0].columns[:30])
        raise UserError(f"the first table needs --target, the column to predict; it has {columns}.")
    here, contract = {change.sha256 for change in change_log.standing(changes)}, Contract.load()
    new = [delivery for delivery in deliveries if delivery.sha256 not in here]
    if target and (new or contract.target.name != target):
        files = ", ".join(change.file for change in change_log.standing(changes) if change.file)
        raise UserError(
            f"a table is here already ({files}); leave out --target to add rows to it, or say "
            "--replace to start over."
        )
    for delivery in new:
        check_columns(delivery, [column.name for column in contract.columns], "contract.yaml")
    same = [one.path.name for one in deliveries if one not in new]
    return new, [f"{file} is here already; nothing changed" for file in same]


def _start(writer: Writer, contract: Contract) -> list[str]:
    """The table and its new contract take the place of what was there."""
    old = change_log.standing(writer.changes)
    says = [
        f"{'the bundled sample ' if change.operation == 'sample' else ''}{change.file} steps aside"
        for change in old
        if change.file
    ]
    with_sample = any(change.operation == "sample" for change in old)
    problem = Problem.read() if with_sample else None  # before anything changes
    writer.keep_settings()
    if problem:
        problem.start_over(contract.target.name)
        says.append(
            "problem.yaml is started over, with neutral values: say what decisions are worth"
        )
    contract.save()
    return says


def _land(
    writer: Writer,
    operation: Operation,
    deliveries: list[Delivery],
    contract: Contract,
    *,
    source: str,
    name: str,
) -> list[str]:
    """Files land as they came, each as a version, called `name`."""
    says = []
    for delivery in deliveries:
        starts = operation in ANEW
        parts = [] if starts else change_log.parts(writer.changes)
        before = EMPTY if starts else writer.content_hash(contract)
        part = Part(delivery.path, change_log.total_rows(writer.changes))
        effect, rejected, told = _arrival(writer, parts, part, contract)
        packed = ".gz" * delivery.path.name.lower().endswith(".gz")
        file = writer.land(delivery.path, f"{name}{extension(delivery.path)}{packed}")
        says.append(f"{delivery.path.name} has landed as data/raw/{file} ({delivery.rows:,} rows)")
        says += writer.log(
            operation,
            effect,
            before,
            contract,
            source=redact(source),
            sha256=delivery.sha256,
            file=file,
            rows=delivery.rows,
            rejected=rejected,
        )
        says += [f"{rejected:,} rows break the contract: {told}"] if rejected else []
        operation = "add"
    return says


def _arrival(
    writer: Writer, parts: list[Part], part: Part, contract: Contract
) -> tuple[Effect, int, str]:
    """What a new part does to the table, how many of its rows break the contract, and how."""
    with table.rows([part], contract) as rows:
        fit, unfit = judged(rows, contract)
        rejected = table.count(rows.filter(~sound(contract)))
        told = faults(unfit, writer.scratch) if rejected else ""
        if not (parts and contract.keys):
            return table.effect(None, fit, contract), rejected, told
        touched = table.sharing_keys(parts, fit, contract, writer.scratch)
        after, _ = judged(
            pl.concat([touched, rows.select(cols(touched.collect_schema().names()))]), contract
        )
        return table.effect(judged(touched, contract)[0], after, contract), rejected, told


def _formats(entry: str) -> tuple[str, tuple[str, ...]]:
    column, _, formats = entry.rpartition("=")
    if not column or "%" not in formats:
        raise UserError(f"--dates '{entry}': write it as \"COLUMN=%d/%m/%Y|%Y-%m-%d\".")
    return column, tuple(form.strip() for form in formats.split("|"))
