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

from ..core.errors import UserError
from ..data import cells, validate
from ..data.change_log import Part
from ..data.column_names import col, cols, internal
from ..data.contract import Contract
from ..data.ingest import alike, ingest, stream, typed
from ..data.row_rules import REASONS

HASHES = internal("hash", "1"), internal("hash", "2")


@contextmanager
def rows(parts: list[Part], contract: Contract) -> Iterator[pl.LazyFrame]:
    """All rows, typed as by stage ingest (data/ingest.py), for as long as they are worked on."""
    with tempfile.TemporaryDirectory(prefix=".table-", dir="data") as folder:
        target = Path(folder) / "rows"
        ingest(parts, contract, target)
        yield pl.scan_parquet(target / "*.parquet") if parts else nothing(contract)


@contextmanager
def content(parts: list[Part], contract: Contract) -> Iterator[pl.LazyFrame]:
    """The contract's columns of the rows that keep it, and `_row`."""
    with rows(parts, contract) as typed_rows:
        yield validate.parts(typed_rows, contract)[0]


def nothing(contract: Contract) -> pl.LazyFrame:
    """A table of typed rows without rows."""
    schema = {c.name: cells.DTYPES[c.type] for c in contract.columns}
    extra = {"_row": pl.Int64(), "_source": pl.String(), "_unreadable": REASONS}
    return pl.LazyFrame(schema=schema | extra)


def with_keys(parts: list[Part], keys: pl.DataFrame, contract: Contract) -> pl.LazyFrame:
    """The typed rows that have one of the keys, found without typing the others."""
    found = [nothing(contract)]
    names = [col(column.name) for column in contract.keys]
    for raw in alike(parts, contract):
        schema = raw.collect_schema()
        key = [cells.value(c, schema[c.name], thorough=True) for c in contract.keys]
        few = raw.join(keys.lazy(), left_on=key, right_on=names, how="semi")
        found.append(typed(few, contract).select(cols(found[0].collect_schema().names())))
    return pl.concat(found)


def sharing_keys(
    parts: list[Part], fit: pl.LazyFrame, contract: Contract, scratch: Path
) -> pl.LazyFrame:
    """The typed rows of the table that have a key in common with `fit`, through a scratch file."""
    keys = fit.select(cols(column.name for column in contract.keys)).drop_nulls().unique()
    found = scratch / "sharing.parquet"
    stream({found: with_keys(parts, keys.collect(engine="streaming"), contract)})
    return pl.scan_parquet(found)


def count(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect(engine="streaming").item())


def condition(where: str, contract: Contract) -> pl.Expr:
    """An SQL condition on the contract's columns. Raises UserError if it is none."""
    try:
        found = pl.sql_expr(where)
        kind = nothing(contract).select(found.alias("_met")).collect_schema()["_met"]
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise UserError(
            f'--where "{where}" cannot be read ({reason}): write a condition on columns of '
            "contract.yaml, such as \"shop = 'a' and size > 2\"."
        ) from error
    if kind != pl.Boolean:
        raise UserError(f'--where "{where}" is no condition; write one, such as "size > 2".')
    return found


def hashed(clean: pl.LazyFrame, contract: Contract) -> pl.LazyFrame:
    """With `HASHES` of each row: of its cells as text, told apart from each other and from no
    value.
    """
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


def content_hash(clean: pl.LazyFrame, contract: Contract) -> str:
    """The hash of clean rows, as 32 hexadecimal digits."""
    both = hashed(clean, contract).select(cols(HASHES)).sum().collect(engine="streaming")
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

    def moved(self, before: str) -> str:
        """The content hash after the change."""
        halves = (int(before[:16], 16) + self.first, int(before[16:], 16) + self.second)
        return "".join(f"{half % (1 << 64):016x}" for half in halves)


def effect(before: pl.LazyFrame | None, after: pl.LazyFrame, contract: Contract) -> Effect:
    """What it does to put the clean rows `after` where those `before` were, told apart by key.

    The rows of both should be those that the change touches; None stands for no rows.
    """
    first, second = map(pl.col, HASHES)
    if before is None:
        totals = hashed(after, contract).select(pl.len(), first.sum(), second.sum())
        added, *moves = totals.collect(engine="streaming").row(0)
        return Effect(added, 0, 0, 0, *moves)
    keyed = contract.keys and contract.duplicates != "keep_all"
    keys = [col(column.name) for column in contract.keys] if keyed else [first, second]
    same_key = pl.struct(keys).alias("key")
    # Hashes are summed modulo 2^64, which a sum of signed ones is too.
    sides = [
        hashed(side, contract).select(
            same_key,
            sign=pl.lit(sign),
            first=sign * first.reinterpret(signed=True),
            second=sign * second.reinterpret(signed=True),
        )
        for side, sign in ((before, -1), (after, 1))
    ]
    moves = pl.col("first", "second").sum()
    old, new = ((pl.col("sign") == sign).sum().cast(pl.Int64) for sign in (-1, 1))
    each = pl.concat(sides).group_by("key").agg(moves, old=old, new=new)
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
