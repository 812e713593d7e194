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
from ..data.date_numbers import FORMS
from ..data.ingest import count_rows, scan_parts, write_parquet
from ..data.row_rules import is_sound
from ..data.sources import extension
from ..data.validate import describe_faults, judge_rows
from . import table
from .addresses import redact
from .contract_draft import draft_contract
from .delivery import Delivery, check_columns, concatenate, deliver, make_stem
from .reading_options import AS_IT_IS, Reading
from .table import Effect
from .writer import Writer, change_table, is_own

REVIEW = (
    "contract.yaml is drafted: review it (what is known at decision time?), then run 'uv run dvc "
    "repro'"
)


def add(
    source: str,
    *,
    target: str | None = None,
    query: str | None = None,
    reading: Reading = AS_IT_IS,
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
    options["dates"] = dict(_parse_formats(entry) for entry in options.get("dates", ()))
    with change_table() as writer:
        deliveries = deliver(source, writer.scratch, query=query, reading=reading)
        if target and (replace or not (is_own(writer.changes) and CONTRACT.exists())):
            name = _name_file(source, deliveries)
            contract, notices = draft_contract(concatenate(deliveries), name, target, **options)
            aside = _start_over(writer, contract)
            lines = _land_files(writer, "start", deliveries, contract, source=source, name=name)
            lines += [*aside, *notices, REVIEW]
        else:
            new, lines = _select_new(writer.changes, deliveries, target)
            name = _name_file(source, deliveries)
            lines += _land_files(writer, "add", new, Contract.load(), source=source, name=name)
        return writer.end(lines, dry_run)


def compact(*, dry_run: bool = False) -> list[str]:
    """Land the rows of the table anew, in one file for each format, without what is gone.

    Old versions stay in the history of git and DVC only. Returns the lines to print.
    """
    contract = Contract.load()
    with change_table() as writer:
        parts, content = change_log.locate_parts(writer.changes), writer.content_hash(contract)
        if not parts or (len(parts) == 1 and parts[0].gone is None):
            return ["the table lies in one file already; nothing changed"]
        deliveries = []
        for number, rows in enumerate(scan_parts(parts)):
            path = writer.scratch / f"{number}.parquet"
            write_parquet({path: rows.drop("_row", "_source")})
            table_rows = pl.scan_parquet(path)
            columns = table_rows.collect_schema().names()
            deliveries.append(Delivery(path, sha256(path), columns, count_rows(table_rows)))
        source, name = contract.name, make_stem(contract.name)
        lines = _land_files(writer, "compact", deliveries, contract, source=source, name=name)
        if writer.changes[-1].after != content:
            raise UserError("the table would not be the same afterwards; nothing changed.")
        return writer.end(lines, dry_run)


def _name_file(source: str, deliveries: list[Delivery]) -> str:
    """Name what lands after the folder it came from, or after its first file."""
    folder = Path(source)
    return make_stem(folder.resolve().name if folder.is_dir() else deliveries[0].path.name)


def _select_new(
    changes: list[Change], deliveries: list[Delivery], target: str | None
) -> tuple[list[Delivery], list[str]]:
    """Select the deliveries that are not here yet, and write a line for each that is."""
    if not CONTRACT.exists():
        columns = ", ".join(deliveries[0].columns[:30])
        raise UserError(f"the first table needs --target, the column to predict; it has {columns}.")
    in_effect, contract = change_log.select_in_effect(changes), Contract.load()
    here = {change.sha256 for change in in_effect}
    new = [delivery for delivery in deliveries if delivery.sha256 not in here]
    if target and (new or contract.target.name != target):
        files = ", ".join(change.file for change in in_effect if change.file)
        raise UserError(
            f"a table is here already ({files}); leave out --target to add rows to it, or say "
            "--replace to start over."
        )
    for delivery in new:
        check_columns(delivery, contract.names, "contract.yaml")
    same = [one.path.name for one in deliveries if one not in new]
    return new, [f"{file} is here already; nothing changed" for file in same]


def _start_over(writer: Writer, contract: Contract) -> list[str]:
    """Put the table and its new contract in the place of what was there."""
    old = change_log.select_in_effect(writer.changes)
    lines = [
        f"{'the bundled sample ' if change.operation == 'sample' else ''}{change.file} steps aside"
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
    return lines


def _land_files(
    writer: Writer,
    operation: Operation,
    deliveries: list[Delivery],
    contract: Contract,
    *,
    source: str,
    name: str,
) -> list[str]:
    """Land files as they came, each as a version, called `name`."""
    lines: list[str] = []
    for delivery in deliveries:
        lines += delivery.notices
        starts = operation in ANEW
        parts = [] if starts else change_log.locate_parts(writer.changes)
        before = EMPTY if starts else writer.content_hash(contract)
        part = Part(delivery.path, change_log.count_delivered_rows(writer.changes))
        effect, rejected, reasons = _judge_arrival(writer, parts, part, contract)
        packed = ".gz" if delivery.path.suffix.lower() == ".gz" else ""
        file = writer.land(delivery.path, f"{name}{extension(delivery.path)}{packed}")
        lines.append(f"{delivery.path.name} has landed as data/raw/{file} ({delivery.rows:,} rows)")
        lines += writer.log(
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
        lines += [f"{rejected:,} rows break the contract: {reasons}"] if rejected else []
        operation = "add"
    return lines


def _judge_arrival(
    writer: Writer, parts: list[Part], part: Part, contract: Contract
) -> tuple[Effect, int, str]:
    """Measure what a new part does to the table; count its rows that break the contract, and say
    how they do.
    """
    with table.open_rows([part], contract) as rows:
        fit, unfit = judge_rows(rows, contract)
        rejected = count_rows(rows.filter(~is_sound(contract)))
        reasons = describe_faults(unfit, writer.scratch) if rejected else ""
        if not (parts and contract.keys):
            return table.measure_effect(None, fit, contract), rejected, reasons
        touched = table.find_sharing_keys(parts, fit, contract, writer.scratch)
        arrived = rows.select(cols(touched.collect_schema().names()))
        before, _ = judge_rows(touched, contract)
        after, _ = judge_rows(pl.concat([touched, arrived]), contract)
        return table.measure_effect(before, after, contract), rejected, reasons


def _parse_formats(entry: str) -> tuple[str, tuple[str, ...]]:
    """Read an entry of --dates. Raises UserError if it is not COLUMN=FORMAT|FORMAT."""
    column, _, formats = entry.rpartition("=")
    forms = tuple(form.strip() for form in formats.split("|"))
    if not column or any("%" not in form and form not in FORMS for form in forms):
        raise UserError(
            f"--dates '{entry}': write it as \"COLUMN=%d/%m/%Y|%Y-%m-%d\"; numbers are "
            f"{', '.join(FORMS)}."
        )
    return column, forms
