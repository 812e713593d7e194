"""Tables in: files land in data/raw as they came, each as a version; the first with its contract.

A file that is here already changes nothing. What rows are worth is for stage validate to judge.
"""

from pathlib import Path
from typing import Any, NamedTuple, get_args

import polars as pl

from ..core.errors import UserError
from ..core.formatting import count
from ..core.paths import sha256
from ..core.problem import Task
from ..data import change_log
from ..data.arrivals import count_arrivals
from ..data.change_log import ANEW, EMPTY, Change, Operation, Part
from ..data.column_names import SOURCE, cols
from ..data.contract import CONTRACT, Contract
from ..data.date_numbers import FORMS
from ..data.ingest import count_rows, scan_parts, write_parquet
from ..data.row_rules import is_sound
from ..data.sources import extension
from ..data.validate import describe_faults, judge_rows
from . import table
from .addresses import redact
from .column_differences import describe_arrival
from .contract_draft import draft_contract
from .cursors import digest_query
from .delivery import Delivery, concatenate, deliver, make_stem
from .fresh_start import start_over
from .number_forms import find_separators, parse_decimals
from .reading_options import AS_IT_IS, Reading
from .rejection import Arrival, refuse_shared_keys
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
    yes: bool = False,
    dry_run: bool = False,
    **options: Any,
) -> list[str]:
    """Land a file, folder, URL or database table; with `target`, draft a contract for it.

    `options` are those of `contract_draft.draft`, `dates` a list of COLUMN=FORMAT|FORMAT, `decimal`
    one of decimal marks and of COLUMN=MARK.
    Returns the lines to print. Raises UserError if anything is wrong with the table, its columns
    or the options, and, unless `yes`, if many rows share a key; then nothing has changed.
    """
    if target is None and (replace or any(options.values())):
        raise UserError("such options go with --target; to change the contract, edit its file.")
    if options.get("task") not in (None, *get_args(Task)):
        raise UserError(f"--task must be {', '.join(get_args(Task))}, not '{options['task']}'.")
    options["dates"] = dict(_parse_formats(entry) for entry in options.get("dates", ()))
    options["decimals"] = parse_decimals(options.pop("decimal", ()))
    with change_table() as writer:
        deliveries = deliver(source, writer.scratch, query=query, reading=reading)
        if target and (replace or not (is_own(writer.changes) and CONTRACT.exists())):
            name = _name_file(source, deliveries)
            options["separators"] = find_separators(delivery.path for delivery in deliveries)
            contract, notices = draft_contract(concatenate(deliveries), name, target, **options)
            aside = start_over(writer, contract, deliveries)
            landing = Landing("start", source, name, digest_query(query))
            lines, arrivals = _land_files(writer, deliveries, contract, landing)
            lost = sum(arrival.repeated for arrival in arrivals)
            refuse_shared_keys(arrivals, lost, contract.key_names, yes)
            lines += [*aside, *notices, REVIEW]
        else:
            new, lines = _select_new(writer.changes, deliveries, target)
            name = _name_file(source, deliveries)
            landing = Landing("add", source, name, digest_query(query))
            lines += _land_files(writer, new, Contract.load(), landing)[0]
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
            write_parquet({path: rows.drop(SOURCE)})
            table_rows = pl.scan_parquet(path)
            columns = table_rows.collect_schema().names()
            deliveries.append(Delivery(path, sha256(path), columns, count_rows(table_rows)))
        landing = Landing("compact", contract.name, make_stem(contract.name))
        lines, _ = _land_files(writer, deliveries, contract, landing)
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
    here = {change.sha256 for change in change_log.select_lineage(changes)}
    new = [delivery for delivery in deliveries if delivery.sha256 not in here]
    if target and (new or contract.target.name != target):
        files = ", ".join(change.file for change in in_effect if change.file)
        raise UserError(
            f"a table is here already ({files}); leave out --target to add rows to it, or say "
            "--replace to start over."
        )
    same = [one.path.name for one in deliveries if one not in new]
    return new, [f"{file} is here already; nothing changed" for file in same]


class Landing(NamedTuple):
    """What the log says of files that land: the operation, where they are from, and how they are
    called.
    """

    operation: Operation
    source: str
    name: str
    query: str = ""


def _land_files(
    writer: Writer, deliveries: list[Delivery], contract: Contract, landing: Landing
) -> tuple[list[str], list[Arrival]]:
    """Land files as they came, each as a version. Raises UserError for one without a sound row."""
    lines, arrivals, operation = list[str](), list[Arrival](), landing.operation
    numbered = operation == "compact"
    for delivery in deliveries:
        lines += delivery.notices
        starts = operation in ANEW
        notes = [] if numbered else describe_arrival(delivery.path, contract, landing.source)
        parts = [] if starts else change_log.locate_parts(writer.changes)
        before = EMPTY if starts else writer.content_hash(contract)
        first = 0 if numbered else change_log.count_delivered_rows(writer.changes)
        part = Part(delivery.path, first, numbered=numbered)
        effect, arrival = _judge_arrival(writer, parts, part, contract)
        packed = ".gz" if delivery.path.suffix.lower() == ".gz" else ""
        file = writer.land(delivery.path, f"{landing.name}{extension(delivery.path)}{packed}")
        many = count(delivery.rows, "row")
        landed = f"{delivery.path.name} has landed as data/raw/{file} ({delivery.rows:,} rows)"
        lines.append(f"{many} of the table lie in data/raw/{file} now" if numbered else landed)
        lines += writer.log(
            operation,
            effect,
            before,
            contract,
            source=redact(landing.source),
            query=landing.query,
            sha256=delivery.sha256,
            file=file,
            rows=delivery.rows,
            numbered=numbered,
            rejected=arrival.counts.rejected,
        )
        if not numbered:
            arrival.refuse_unless_readable(notes)
            lines += [*notes, *arrival.describe()]
        arrivals.append(arrival)
        operation = "add"
    return lines, arrivals


def _judge_arrival(
    writer: Writer, parts: list[Part], part: Part, contract: Contract
) -> tuple[Effect, Arrival]:
    """Measure what a new part does to the table, and count its rows by what they are worth."""
    with table.open_rows([part], contract, writer.scratch) as rows:
        fit, unfit = judge_rows(rows, contract)
        counts, read = count_arrivals(rows, contract), count_rows(rows)
        reasons = describe_faults(unfit, writer.scratch) if counts.rejected else ""
        repeated = read - counts.rejected - count_rows(fit) if contract.keys else 0
        arrival = Arrival(part.path.name, read, counts, reasons, repeated)
        if not (parts and contract.keys):
            return table.measure_effect(None, fit, contract), arrival
        # Also by the key of rows that give way to each other: they may take others with them.
        sound = rows.filter(is_sound(contract))
        touched = table.find_sharing_keys(parts, sound, contract, writer.scratch)
        rows_alike = rows.select(cols(touched.collect_schema().names()))
        before, _ = judge_rows(touched, contract)
        after, _ = judge_rows(pl.concat([touched, rows_alike]), contract)
        return table.measure_effect(before, after, contract), arrival


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
