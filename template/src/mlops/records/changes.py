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
from ..data.column_names import col, cols
from ..data.contract import Contract
from ..data.row_rules import sound
from ..data.sources import read
from ..data.validate import faults
from ..data.validate import parts as judged
from . import table
from .addresses import redact
from .delivery import Delivery, check_columns, deliver, stem
from .writer import Writer, writing


def update(
    source: str,
    *,
    query: str | None = None,
    encoding: str | None = None,
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
    with writing() as writer:
        since = _since(writer.changes, source, cursor) if cursor else None
        says = []
        for delivery in deliver(
            source, writer.scratch, query=query, encoding=encoding, since=since
        ):
            says += _upsert(writer, delivery, contract, source, cursor)
        return writer.end(says or [f"nothing is new in {redact(source)}; nothing changed"], dry_run)


def _since(changes: list[Change], source: str, cursor: str) -> tuple[str, Any]:
    """How far the source was read before."""
    same = [
        c for c in change_log.standing(changes) if (c.source, c.cursor) == (redact(source), cursor)
    ]
    return cursor, same[-1].reached if same else None


def _upsert(
    writer: Writer, delivery: Delivery, contract: Contract, source: str, cursor: str | None
) -> list[str]:
    check_columns(delivery, [column.name for column in contract.columns], "contract.yaml")
    parts = change_log.parts(writer.changes)
    keys = [col(column.name) for column in contract.keys]
    with table.rows([Part(delivery.path)], contract) as rows:
        fit, unfit = judged(rows, contract)
        rejected = table.count(rows.filter(~sound(contract)))
        says = _rejected(writer, delivery, rejected, unfit)
        touched = table.sharing_keys(parts, fit, contract, writer.scratch)
        now, _ = judged(touched, contract)
        effect = table.effect(now, fit, contract)
        if not effect.changes:
            return [*says, f"{delivery.path.name} is here already; nothing changed"]
        same = [*keys, *map(pl.col, table.HASHES)]
        new, old = (table.hashed(each, contract).select(same) for each in (fit, now))
        differ = [new.join(old, on=same, how="anti"), old.join(new, on=same, how="anti")]
        changed = pl.concat(differ).select(keys).unique().collect(engine="streaming").lazy()
        take = fit.join(changed, on=keys, how="semi").select("_row").collect()
        gone = touched.join(changed, on=keys, how="semi").select("_row").collect()
    name = stem(delivery.path.name)
    numbered = read(delivery.path).with_row_index("_row", 1).cast({"_row": pl.Int64})
    landing = writer.scratch / "rows.parquet"
    numbered.join(take.lazy(), on="_row", how="semi").drop("_row").sink_parquet(landing)
    reached = pl.scan_parquet(delivery.path).select(col(cursor).max()) if cursor else None
    return says + writer.log(
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
        reached=_plain(reached.collect().item()) if reached is not None else None,
    )


def _rejected(writer: Writer, delivery: Delivery, rejected: int, unfit: pl.LazyFrame) -> list[str]:
    """Say why rows of an update are left out. Raises UserError if they are too many."""
    if not rejected:
        return []
    limit, told = Params.read().data.max_reject_rate, faults(unfit, writer.scratch)
    if rejected > limit * delivery.rows:
        raise UserError(
            f"{delivery.path.name}: {rejected:,} of {delivery.rows:,} rows break the contract, "
            f"more than data.max_reject_rate allows ({told}); correct the source."
        )
    return [f"{rejected:,} rows are left out, as they break the contract: {told}"]


def _plain(value: Any) -> int | float | str | None:
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
    with writing() as writer:
        parts = change_log.parts(writer.changes)
        if where:
            gone, says = _meeting(parts, where, contract), []
        else:
            wanted = _wanted(writer, keys or [], file, contract)
            gone = table.with_keys(parts, wanted, contract).collect(engine="streaming")
            keys = [col(column.name) for column in contract.keys]
            missing = wanted.join(gone.select(keys), on=keys, how="anti")
            says = [f"keys without a record: {missing.height:,}"] if missing.height else []
        if gone.is_empty():
            return [*says, "no record is to be deleted; nothing changed"]
        clean, _ = judged(gone.lazy(), contract)
        effect = table.effect(clean, table.nothing(contract), contract)
        before = writer.content_hash(contract)
        told = f"where {where}" if where else f"{wanted.height:,} keys"
        retired = writer.retire(gone.select("_row"), "deleted")
        says += writer.log("delete", effect, before, contract, source=told, retired=retired)
        return writer.end(says, dry_run)


def _wanted(writer: Writer, keys: list[str], file: str | None, contract: Contract) -> pl.DataFrame:
    """The keys to delete, typed by the contract. Raises UserError for one that is no such key."""
    names = [column.name for column in contract.keys]
    if not names:
        raise UserError("no column of contract.yaml is a primaryKey: delete rows by --where.")
    if file:
        (delivery, *_) = deliver(file, writer.scratch)
        check_columns(delivery, names, "the key")
        frame = read(delivery.path).select(cols(names))
    elif len(names) > 1:
        raise UserError(f"a key is {', '.join(names)} here: give a --file with these columns.")
    else:
        frame = pl.LazyFrame({names[0]: keys}, schema={names[0]: pl.String})
    schema = frame.collect_schema()
    values = [cells.value(c, schema[c.name], thorough=True).alias(c.name) for c in contract.keys]
    typed = frame.select(values).collect()
    for column in contract.keys:
        if typed[column.name].has_nulls():
            place = typed[column.name].is_null().arg_true()[0]
            text = frame.collect()[column.name][place]
            raise UserError(f"'{text}' is no {column.type}, as the key {column.name} is.")
    return typed.unique(maintain_order=True)


def _meeting(parts: list[Part], where: str, contract: Contract) -> pl.DataFrame:
    """All rows of the records that meet a condition, and broken rows that meet it themselves."""
    keys = [col(column.name) for column in contract.keys]
    condition = table.condition(where, contract)
    with table.rows(parts, contract) as rows:
        fit, _ = judged(rows, contract)
        broken = rows.filter(~sound(contract) & condition)
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
    with writing() as writer:
        now, then = change_log.parts(writer.changes), change_log.parts(writer.changes, version)
        if change_log.standing(writer.changes) == change_log.standing(writer.changes, version):
            return [f"the table is as it was at version {version}; nothing changed"]
        with table.content(now, contract) as old, table.content(then, contract) as new:
            effect = table.effect(old, new, contract)
        before = writer.content_hash(contract)
        source = f"version {version}"
        says = writer.log("restore", effect, before, contract, source=source, restored=version)
        return writer.end(says, dry_run)
