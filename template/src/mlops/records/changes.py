"""Records that live: updated and deleted by key or condition, and taken back to an old version.

Rows that are taken out are named in a file of row numbers, so a change costs what it changes.
"""

from pathlib import Path
from typing import Any

import polars as pl

from ..core.errors import UserError
from ..data import cells, change_log
from ..data.change_log import Part
from ..data.column_names import ROW, col, cols, values_of
from ..data.contract import Contract
from ..data.row_rules import is_sound
from ..data.sources import scan_file
from ..data.validate import judge_rows
from . import table
from .addresses import redact
from .column_differences import describe_arrival
from .condition import check_condition, explain_failure, select_meeting
from .cursors import digest_query, find_reached, measure_reached
from .delivery import check_columns, deliver
from .reading_options import AS_IT_IS, Reading
from .upsert import upsert
from .writer import Writer, change_table


def update(
    source: str,
    *,
    query: str | None = None,
    reading: Reading = AS_IT_IS,
    cursor: str | None = None,
    dry_run: bool = False,
) -> list[str]:
    """Insert the records of a source whose key is new, and replace those that are different.

    With `cursor`, a column that grows with every change of a record, a database is asked only for
    the rows since the last time. Rows that break the contract land too, for stage validate to put
    into quarantine, and replace none. Returns the lines to print. Raises UserError, also if more
    rows break the contract than params.yaml allows; then nothing has changed.
    """
    contract = Contract.load()
    if not contract.keys:
        raise UserError(
            "records are updated by their key: give a column 'primaryKey: true' in contract.yaml, "
            "or bring rows in with 'data add'."
        )
    with change_table() as writer:
        since = (cursor, find_reached(writer.changes, source, query, cursor)) if cursor else None
        lines: list[str] = []
        for delivery in deliver(source, writer.scratch, query=query, reading=reading, since=since):
            facts: dict[str, Any] = {"source": redact(source), "query": digest_query(query)}
            if cursor:
                facts |= {"cursor": cursor, "reached": measure_reached(delivery, cursor)}
            notes = describe_arrival(delivery.path, contract, source, again=True, cursor=cursor)
            lines += delivery.notices
            lines += upsert(writer, delivery, contract, notes, **facts)
        lines = lines or [f"nothing is new in {redact(source)}; nothing changed"]
        return writer.end(lines, dry_run)


def delete(
    keys: list[str] | None = None,
    *,
    file: str | None = None,
    where: str | None = None,
    dry_run: bool = False,
) -> list[str]:
    """Take out the records with the keys, with those in a file, or that meet an SQL condition.

    Returns the lines to print. Raises UserError for keys or a condition that cannot be read.
    """
    if sum(map(bool, (keys, file, where))) != 1:
        raise UserError("say which: keys, a --file of keys, or --where with a condition.")
    contract = Contract.load()
    with change_table() as writer:
        parts = change_log.locate_parts(writer.changes)
        if where:
            gone, lines = _find_meeting(parts, where, contract, writer.scratch), []
        else:
            wanted = _read_keys(writer, keys or [], file, contract)
            gone = table.find_by_keys(parts, wanted, contract).collect(engine="streaming")
            by = [col(name) for name in contract.key_names]
            missing = wanted.join(gone.select(by), on=by, how="anti")
            lines = [f"keys without a record: {missing.height:,}"] if missing.height else []
        if gone.is_empty():
            return [*lines, "no record is to be deleted; nothing changed"]
        clean, _ = judge_rows(gone.lazy(), contract)
        effect = table.measure_effect(clean, table.make_empty(contract), contract)
        before = writer.content_hash(contract)
        source = f"where {where}" if where else f"{wanted.height:,} keys"
        retired = writer.retire(gone.select(ROW), "deleted")
        lines += writer.log("delete", effect, before, contract, source=source, retired=retired)
        return writer.end(lines, dry_run)


def _read_keys(
    writer: Writer, keys: list[str], file: str | None, contract: Contract
) -> pl.DataFrame:
    """Read the keys to delete, typed by the contract. Raises UserError for what is no such key."""
    names = contract.key_names
    if not names:
        raise UserError("no column of contract.yaml is a primaryKey: delete rows by --where.")
    if file:
        (delivery, *_) = deliver(file, writer.scratch)
        check_columns(delivery, names, "the key")
        frame = scan_file(delivery.path).select(cols(names))
    elif len(names) > 1:
        raise UserError(f"a key is {', '.join(names)} here: give a --file with these columns.")
    else:
        frame = pl.LazyFrame({names[0]: keys}, schema={names[0]: pl.String})
    schema = frame.collect_schema()
    values = [
        cells.read_cell(c, schema[c.name], thorough=True).alias(c.name) for c in contract.keys
    ]
    typed = frame.select(values).collect()
    for column in contract.keys:
        read = values_of(typed, column.name)
        if read.has_nulls():
            text = values_of(frame.collect(), column.name)[read.is_null().arg_true()[0]]
            raise UserError(f"'{text}' is no {column.type}, as the key {column.name} is.")
    return typed.unique(maintain_order=True)


def _find_meeting(parts: list[Part], where: str, contract: Contract, scratch: Path) -> pl.DataFrame:
    """Find all rows of the records that meet a condition, and broken rows that meet it."""
    keys = [col(name) for name in contract.key_names]
    by = keys if keys and contract.duplicates != "keep_all" else [pl.col(ROW)]
    check_condition(where, contract)
    with table.open_rows(parts, contract, scratch) as rows, explain_failure(where):
        fit, _ = judge_rows(rows, contract)
        met = select_meeting(fit, where).select(by).unique()
        same = rows.join(met, on=by, how="semi")
        broken = select_meeting(rows.filter(~is_sound(contract)), where)
        return pl.concat([same, broken]).unique(ROW).collect(engine="streaming")


def restore(version: int, *, dry_run: bool = False) -> list[str]:
    """Make the table what it was at a version, as a new version.

    Returns the lines to print. Raises UserError if there is no such version, or its files are not
    on this machine.
    """
    contract = Contract.load()
    with change_table() as writer:
        changes = writer.changes
        now, then = change_log.locate_parts(changes), change_log.locate_parts(changes, version)
        in_effect = change_log.select_in_effect
        if in_effect(changes) == in_effect(changes, version):
            return [f"the table is as it was at version {version}; nothing changed"]
        scratch = writer.scratch
        with (
            table.open_content(now, contract, scratch) as old,
            table.open_content(then, contract, scratch) as new,
        ):
            effect = table.measure_effect(old, new, contract)
        before = writer.content_hash(contract)
        source = f"version {version}"
        lines = writer.log("restore", effect, before, contract, source=source, restored=version)
        return writer.end(lines, dry_run)
