"""The command `data evolve`: the contract follows the table, and old files stay readable.

What a file brings and the contract lacks is proposed, and never taken in unasked. A new column is
read from every file that has it, and is nothing to a model until a person gives it a role.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from ..core.errors import UserError
from ..data import change_log
from ..data.change_log import ANEW, Change, Part
from ..data.column_names import cols
from ..data.contract import Contract
from ..data.ingest import count_rows
from ..data.sources import scan_file
from . import table
from .column_differences import Differences, compare_columns, refuse_absent
from .contract_draft import suggest
from .contract_edit import edit_contract
from .contract_evolution import Evolution
from .delivery import deliver
from .reading_options import AS_IT_IS, Reading
from .table import Effect
from .writer import Writer, change_table

Compared = dict[Path, Differences]


class RequestedChanges(NamedTuple):
    """What a person says of columns: OLD=NEW, NAME, NAME, NAME=VALUE and NAME=TYPE."""

    rename: Sequence[str] = ()
    drop: Sequence[str] = ()
    feature: Sequence[str] = ()
    default: Sequence[str] = ()
    type: Sequence[str] = ()


NOTHING = RequestedChanges()


def evolve(
    source: str | None = None,
    *,
    requested: RequestedChanges = NOTHING,
    query: str | None = None,
    reading: Reading = AS_IT_IS,
    yes: bool = False,
) -> list[str]:
    """Propose the contract that a delivery needs, or else what lies in data/raw; write it if `yes`.

    Returns the lines to print. Raises UserError for a request that cannot be met, or if a column is
    absent and it is not said what became of it; then nothing has changed.
    """
    contract = Contract.load()
    with change_table() as writer:
        parts = change_log.locate_parts(writer.changes)
        if not parts:
            raise UserError("there is no table yet: bring one in with 'data add'.")
        files = [part.path for part in parts]
        if source:
            deliveries = deliver(source, writer.scratch, query=query, reading=reading)
            files = [delivery.path for delivery in deliveries]
        evolution = _propose(contract, files, requested, source)
        if not evolution.changes:
            return ["contract.yaml has every column as it is delivered; nothing changed"]
        evolved = evolution.finish()
        lines = [*evolution.changes, f"contract.yaml: {contract.version} becomes {evolved.version}"]
        if not yes:
            return [*lines, "this is proposed, and nothing changed; say --yes to write it"]
        writer.keep_settings()
        edit_contract(contract, evolved)
        lines += _log_evolution(writer, parts, evolved, "; ".join(evolution.changes))
        return writer.end([*lines, "run 'uv run dvc repro' next"], dry_run=False)


def _propose(
    contract: Contract, files: list[Path], requested: RequestedChanges, source: str | None
) -> Evolution:
    """Change the contract as requested, and so that all files can be read by it."""
    evolution = Evolution(contract)
    for request in requested.rename:
        evolution.rename(*_split(request, evolution.columns, "--rename OLD=NEW"))
    for name in requested.drop:
        evolution.drop(name)
    for request in requested.type:
        evolution.widen(*_split(request, evolution.columns, "--type COLUMN=TYPE"))
    compared = {file: compare_columns(file, evolution.contract) for file in files}
    _allow_absent(evolution, compared, source)
    for differences in compared.values():
        for name, wide in differences.wider.items():
            if evolution.columns[name].type != wide.type:
                evolution.widen(name, *wide)
    _take_in_new(evolution, compared, requested.feature)
    for request in requested.default:
        evolution.set_default(*_split(request, evolution.columns, "--default COLUMN=VALUE"))
    return evolution


def _allow_absent(evolution: Evolution, compared: Compared, source: str | None) -> None:
    """Let files lack what others have, as when a person put a column into the contract.

    Raises UserError for a column that no file has.
    """
    everywhere = set.intersection(*(set(each.absent) for each in compared.values()))
    for name in [*evolution.columns]:
        if name not in everywhere and any(name in each.absent for each in compared.values()):
            evolution.let_lack(name)
    for file, differences in compared.items():
        absent = [name for name in differences.absent if name in everywhere]
        refuse_absent(file, differences._replace(absent=absent), evolution.contract, source)


def _take_in_new(evolution: Evolution, compared: Compared, features: Sequence[str]) -> None:
    """Take in the new columns. Raises UserError if one that is requested is none."""
    new = dict.fromkeys(name for each in compared.values() for name in each.new)
    for name in features:
        if name not in new:
            evolution.find(name)
            raise UserError(f"{name} is no new column: give it its role in contract.yaml.")
    for name in new:
        tables = [
            scan_file(file).select(cols([name])) for file in compared if name in compared[file].new
        ]
        frame = pl.concat(tables, how="vertical_relaxed")
        evolution.take_in(name, frame, "feature" if name in features else "ignored")


def _log_evolution(
    writer: Writer, parts: list[Part], contract: Contract, changes: str
) -> list[str]:
    """Note the change with what it does to the content, which begins where the log has ended."""
    before, rows_before = writer.changes[-1].after, _count_records(writer.changes)
    with table.open_content(parts, contract) as records:
        after, rows = table.hash_content(records, contract), count_rows(records)
    halves = (int(after[at : at + 16], 16) - int(before[at : at + 16], 16) for at in (0, 16))
    more = rows - rows_before
    effect = Effect(max(more, 0), 0, 0, max(-more, 0), *halves)
    return writer.log("evolve", effect, before, contract, source=changes)


def _count_records(changes: list[Change]) -> int:
    """Count the records that the table has by the log."""
    last = max((n for n, change in enumerate(changes) if change.operation in ANEW), default=0)
    return sum(change.added - change.deleted for change in changes[last:])


def _split(request: str, names: Collection[str], form: str) -> tuple[str, str]:
    """Split NAME=VALUE at the sign after a known name, which may hold one itself.

    Raises UserError if none is known.
    """
    signs = [place for place, letter in enumerate(request) if letter == "="]
    for place in signs:
        if request[:place] in names and request[place + 1 :]:
            return request[:place], request[place + 1 :]
    name = request.partition("=")[0]
    wrong = f"contract.yaml has no column {name}; {suggest(name, names)}"
    raise UserError(f"write {form}, not {request}." if name in names or not signs else wrong)
