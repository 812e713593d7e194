"""Records that live: updated and deleted by key or condition, and taken back to an old version.

Of an update only those rows land that keep the contract and are new or different; the rows in their
place, like deleted ones, are named in a file of row numbers. So each change costs what it changes.
"""

from typing import Any

import polars as pl

from ..core.errors import UserError
from ..core.params import Params
from ..data import cells, change_log
from ..data.change_log import Change, Part
from ..data.column_names import col, cols, values_of
from ..data.contract import Contract
from ..data.ingest import count_rows
from ..data.row_rules import is_sound
from ..data.sources import scan_file
from ..data.validate import describe_faults, judge_rows
from . import table
from .addresses import redact
from .delivery import Delivery, check_columns, deliver, make_stem
from .reading_options import AS_IT_IS, Reading
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
    the rows since the last time. Returns the lines to print. Raises UserError, also if more rows
    break the contract than params.yaml allows; then nothing has changed.
    """
    contract = Contract.load()
    if not contract.keys:
        raise UserError(
            "records are updated by their key: give a column 'primaryKey: true' in contract.yaml, "
            "or bring rows in with 'data add'."
        )
    with change_table() as writer:
        since = _find_cursor(writer.changes, source, cursor) if cursor else None
        lines: list[str] = []
        for delivery in deliver(source, writer.scratch, query=query, reading=reading, since=since):
            lines += delivery.notices
            lines += _upsert(writer, delivery, contract, source, cursor)
        lines = lines or [f"nothing is new in {redact(source)}; nothing changed"]
        return writer.end(lines, dry_run)


def _find_cursor(changes: list[Change], source: str, cursor: str) -> tuple[str, Any]:
    """Return the cursor, and how far the source was read before (None: not at all)."""
    in_effect, wanted = change_log.select_in_effect(changes), (redact(source), cursor)
    reached = [c.reached for c in in_effect if (c.source, c.cursor) == wanted]
    return cursor, reached[-1] if reached else None


def _upsert(
    writer: Writer, delivery: Delivery, contract: Contract, source: str, cursor: str | None
) -> list[str]:
    """Land what is new or different of one file, and retire the rows in its place."""
    check_columns(delivery, contract.names, "contract.yaml")
    parts = change_log.locate_parts(writer.changes)
    keys = [col(name) for name in contract.key_names]
    with table.open_rows([Part(delivery.path)], contract) as rows:
        fit, unfit = judge_rows(rows, contract)
        rejected = count_rows(rows.filter(~is_sound(contract)))
        lines = _report_rejected(writer, delivery, rejected, unfit)
        touched = table.find_sharing_keys(parts, fit, contract, writer.scratch)
        now, _ = judge_rows(touched, contract)
        effect = table.measure_effect(now, fit, contract)
        if not effect.changes:
            return [*lines, f"{delivery.path.name} is here already; nothing changed"]
        same = [*keys, *map(pl.col, table.HASHES)]
        new, old = (table.add_hashes(each, contract).select(same) for each in (fit, now))
        differ = [new.join(old, on=same, how="anti"), old.join(new, on=same, how="anti")]
        changed = pl.concat(differ).select(keys).unique().collect(engine="streaming").lazy()
        take = fit.join(changed, on=keys, how="semi").select("_row").collect()
        gone = touched.join(changed, on=keys, how="semi").select("_row").collect()
    name = make_stem(delivery.path.name)
    numbered = scan_file(delivery.path).with_row_index("_row", 1).cast({"_row": pl.Int64})
    landing = writer.scratch / "rows.parquet"
    numbered.join(take.lazy(), on="_row", how="semi").drop("_row").sink_parquet(landing)
    reached = pl.scan_parquet(delivery.path).select(col(cursor).max()) if cursor else None
    return lines + writer.log(
        "update",
        effect,
        writer.content_hash(contract),
        contract,
        source=redact(source),
        sha256=delivery.sha256,
        file=writer.land(landing, f"{name}.parquet"),
        rows=len(take),
        retired=writer.retire(gone, name),
        rejected=rejected,
        cursor=cursor or "",
        reached=_plain_value(reached.collect().item()) if reached is not None else None,
    )


def _report_rejected(
    writer: Writer, delivery: Delivery, rejected: int, unfit: pl.LazyFrame
) -> list[str]:
    """Say why rows of an update are left out. Raises UserError if they are too many."""
    if not rejected:
        return []
    limit = Params.read().data.max_reject_rate
    reasons = describe_faults(unfit, writer.scratch)
    if rejected > limit * delivery.rows:
        raise UserError(
            f"{delivery.path.name}: {rejected:,} of {delivery.rows:,} rows break the contract, "
            f"more than data.max_reject_rate allows ({reasons}); correct the source."
        )
    return [f"{rejected:,} rows are left out, as they break the contract: {reasons}"]


def _plain_value(value: Any) -> int | float | str | None:
    """Make what JSON can hold of a value that a cursor has reached."""
    return value if value is None or isinstance(value, int | float) else str(value)


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
            gone, lines = _find_meeting(parts, where, contract), []
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
        retired = writer.retire(gone.select("_row"), "deleted")
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


def _find_meeting(parts: list[Part], where: str, contract: Contract) -> pl.DataFrame:
    """Find all rows of the records that meet a condition, and broken rows that meet it."""
    keys = [col(name) for name in contract.key_names]
    condition = table.parse_condition(where, contract)
    with table.open_rows(parts, contract) as rows:
        fit, _ = judge_rows(rows, contract)
        broken = rows.filter(~is_sound(contract) & condition)
        met = fit.filter(condition)
        by = keys if keys and contract.duplicates != "keep_all" else [pl.col("_row")]
        same = rows.join(met.select(by).unique(), on=by, how="semi")
        return pl.concat([same, broken]).unique("_row").collect(engine="streaming")


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
        with table.open_content(now, contract) as old, table.open_content(then, contract) as new:
            effect = table.measure_effect(old, new, contract)
        before = writer.content_hash(contract)
        source = f"version {version}"
        lines = writer.log("restore", effect, before, contract, source=source, restored=version)
        return writer.end(lines, dry_run)
