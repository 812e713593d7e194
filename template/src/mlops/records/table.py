"""The table as it is, or was: its rows, the content hash, and what a change does to both.

The content are the rows that keep the contract. Its hash is the sum over the rows of two 64-bit
hashes (XXH3 and wyhash) of the row's text, each modulo 2^64: it does not depend on the order, and
a change only needs the rows it touches. It guards against mistakes and decay; what guards against
forgery is the SHA-256 of the sources, and git.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import polars as pl
import polars_hash as plh

from ..data import cells, validate
from ..data.change_log import Part
from ..data.column_names import ROW, SOURCE, UNREADABLE, UPDATE, col, cols, internal
from ..data.contract import Contract
from ..data.ingest import ingest, scan_parts, type_rows, write_parquet
from ..data.row_rules import REASONS

HASHES = internal("hash", "1"), internal("hash", "2")


@contextmanager
def open_rows(
    parts: list[Part], contract: Contract, folder: Path | None = None
) -> Iterator[pl.LazyFrame]:
    """Type all rows as stage ingest does; they last as long as the block.

    They lie in `folder` meanwhile, or where the system keeps what is of no duration: to read the
    table, nobody must be allowed to write beside it.
    """
    with tempfile.TemporaryDirectory(prefix="rows-", dir=folder) as scratch:
        target = Path(scratch) / "rows"
        if parts:
            ingest(parts, contract, target)
        yield pl.scan_parquet(target / "*.parquet") if parts else make_empty(contract)


@contextmanager
def open_content(
    parts: list[Part], contract: Contract, folder: Path | None = None
) -> Iterator[pl.LazyFrame]:
    """Type the rows, and judge them: the contract's columns of the clean ones, and `ROW`."""
    with open_rows(parts, contract, folder) as typed_rows:
        yield validate.judge_rows(typed_rows, contract)[0]


def make_empty(contract: Contract) -> pl.LazyFrame:
    """Make a table of typed rows that has none."""
    schema = {c.name: cells.DTYPES[c.type] for c in contract.columns}
    extra = {ROW: pl.Int64(), SOURCE: pl.String(), UPDATE: pl.Int64()}
    extra |= {UNREADABLE: REASONS}
    return pl.LazyFrame(schema=schema | extra)


def find_by_keys(parts: list[Part], keys: pl.DataFrame, contract: Contract) -> pl.LazyFrame:
    """Find the typed rows that have one of the keys, without typing the others.

    A key that is missing, or cannot be read, is null: all rows without one share that.
    """
    tables = [make_empty(contract)]
    schema_names = cols(tables[0].collect_schema().names())
    names = [col(name) for name in contract.key_names]
    for raw in scan_parts(parts, contract):
        schema = raw.collect_schema()
        key = [cells.read_cell(c, schema[c.name], thorough=True) for c in contract.keys]
        few = raw.join(keys.lazy(), left_on=key, right_on=names, how="semi", nulls_equal=True)
        tables.append(type_rows(few, contract).select(schema_names))
    return pl.concat(tables)


def find_sharing_keys(
    parts: list[Part], rows: pl.LazyFrame, contract: Contract, scratch: Path
) -> pl.LazyFrame:
    """Find the typed rows that have a key in common with `rows`, through a scratch file."""
    keys = rows.select(cols(contract.key_names)).unique()
    sharing = scratch / "sharing.parquet"
    write_parquet({sharing: find_by_keys(parts, keys.collect(engine="streaming"), contract)})
    return pl.scan_parquet(sharing)


def add_hashes(clean: pl.LazyFrame, contract: Contract) -> pl.LazyFrame:
    """Add the columns `HASHES`: of the row's cells as text, which a separator keeps apart."""
    texts = []
    for column in contract.columns:
        cell = col(column.name)
        dated = column.type in ("date", "timestamp")
        texts.append((cell.to_physical() if dated else cell).cast(pl.String).fill_null("\0"))
    text = plh.concat_str(texts, separator="\x1f")
    first, second = HASHES
    return clean.with_columns(
        text.nchash.xxh3_64().alias(first), text.nchash.wyhash().alias(second)
    )


def hash_content(clean: pl.LazyFrame, contract: Contract) -> str:
    """Sum the hashes of clean rows: 32 hexadecimal digits, half of them for either."""
    both = add_hashes(clean, contract).select(cols(HASHES)).sum().collect(engine="streaming")
    return "".join(f"{total:016x}" for total in both.row(0))


class Effect(NamedTuple):
    """Rows by what becomes of them, and what is added to each half of the content hash."""

    added: int
    updated: int
    unchanged: int
    deleted: int
    first: int
    second: int

    def counts(self) -> dict[str, int]:
        return dict(zip(self._fields[:4], self[:4], strict=True))

    @property
    def changes(self) -> int:
        return self.added + self.updated + self.deleted

    def apply_to(self, before: str) -> str:
        """Return the content hash after the change of a table that had the hash `before`."""
        halves = (int(before[:16], 16) + self.first, int(before[16:], 16) + self.second)
        return "".join(f"{half % (1 << 64):016x}" for half in halves)


def measure_effect(before: pl.LazyFrame | None, after: pl.LazyFrame, contract: Contract) -> Effect:
    """Count what it does to put the clean rows `after` where those `before` were, by their key.

    The rows of both should be those that the change touches; None stands for no rows.
    """
    first, second = map(pl.col, HASHES)
    if before is None:
        totals = add_hashes(after, contract).select(pl.len(), first.sum(), second.sum())
        added, *moves = totals.collect(engine="streaming").row(0)
        return Effect(added, 0, 0, 0, *moves)
    same_key = pl.struct(first, second)
    if contract.keys and contract.duplicates != "keep_all":
        keys = [col(name) for name in contract.key_names]
        whole = pl.all_horizontal(key.is_not_null() for key in keys)
        content = pl.when(~whole).then(pl.struct(first, second)).alias(internal("content"))
        same_key = pl.struct(*keys, content)
    # Hashes are summed modulo 2^64, which a sum of signed ones is too.
    sides = [
        add_hashes(side, contract).select(
            same_key.alias("key"),
            sign=pl.lit(sign),
            first=sign * first.reinterpret(signed=True),
            second=sign * second.reinterpret(signed=True),
        )
        for side, sign in ((before, -1), (after, 1))
    ]
    halves = pl.col("first", "second").sum()
    old, new = ((pl.col("sign") == sign).sum().cast(pl.Int64) for sign in (-1, 1))
    each = pl.concat(sides).group_by("key").agg(halves, old=old, new=new)
    pairs = pl.min_horizontal("old", "new")
    same = (pl.col("first") == 0) & (pl.col("second") == 0)
    totals = each.select(
        added=(pl.col("new") - pairs).sum(),
        updated=pairs.filter(~same).sum(),
        unchanged=pairs.filter(same).sum(),
        deleted=(pl.col("old") - pairs).sum(),
        first=pl.col("first").sum(),
        second=pl.col("second").sum(),
    )
    return Effect(**totals.collect(engine="streaming").row(0, named=True))
