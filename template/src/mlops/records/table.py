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
from ..data.contract import Contract
from ..data.ingest import alike, ingest, stream, typed
from ..data.row_rules import REASONS


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
    names = [column.name for column in contract.keys]
    for raw in alike(parts, contract):
        schema = raw.collect_schema()
        read = {f"={c.name}": cells.value(c, schema[c.name], thorough=True) for c in contract.keys}
        few = raw.with_columns(**read).join(
            keys.lazy(), left_on=list(read), right_on=names, how="semi"
        )
        found.append(
            typed(few.drop(list(read)), contract).select(found[0].collect_schema().names())
        )
    return pl.concat(found)


def sharing_keys(
    parts: list[Part], fit: pl.LazyFrame, contract: Contract, scratch: Path
) -> pl.LazyFrame:
    """The typed rows of the table that have a key in common with `fit`, through a scratch file."""
    keys = fit.select(column.name for column in contract.keys).drop_nulls().unique()
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
    """With `_h1` and `_h2`, the hashes of each row: of its cells as text, told apart from each
    other and from no value.
    """
    texts = []
    for column in contract.columns:
        cell = pl.col(column.name)
        dated = column.type in ("date", "timestamp")
        texts.append((cell.to_physical() if dated else cell).cast(pl.String).fill_null("\0"))
    text = plh.concat_str(texts, separator="\x1f")
    return clean.with_columns(_h1=text.nchash.xxh3_64(), _h2=text.nchash.wyhash())


def content_hash(clean: pl.LazyFrame, contract: Contract) -> str:
    """The hash of clean rows, as 32 hexadecimal digits."""
    both = hashed(clean, contract).select("_h1", "_h2").sum().collect(engine="streaming")
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
    if before is None:
        totals = hashed(after, contract).select(pl.len(), pl.col("_h1").sum(), pl.col("_h2").sum())
        added, first, second = totals.collect(engine="streaming").row(0)
        return Effect(added, 0, 0, 0, first, second)
    names = [column.name for column in contract.keys]
    keys = names if contract.duplicates != "keep_all" else []
    sides = [
        hashed(side, contract).select(
            *keys,
            *([] if keys else [pl.col("_h1").alias("_key1"), pl.col("_h2").alias("_key2")]),
            _is=pl.lit(number, pl.Int64),
            **{f"_{half}{number}": pl.col(f"_h{half}") for half in (1, 2)},
        )
        for number, side in enumerate((before, after))
    ]
    old, new = (pl.col("_is") == 0).sum(), pl.col("_is").sum()
    each = (
        pl.concat(sides, how="diagonal")
        .group_by(keys or ["_key1", "_key2"])
        .agg(old.cast(pl.Int64).alias("old"), new.alias("new"), pl.col("^_[12][01]$").sum())
        .with_columns(pairs=pl.min_horizontal("old", "new"), same=pl.col("_10") == pl.col("_11"))
    )
    same, pairs = pl.col("same"), pl.col("pairs")
    told = (
        each.select(
            (pl.col("new") - pairs).sum().alias("added"),
            pairs.filter(~same).sum().alias("updated"),
            pairs.filter(same).sum().alias("unchanged"),
            (pl.col("old") - pairs).sum().alias("deleted"),
            pl.col("^_[12][01]$").sum(),
        )
        .collect(engine="streaming")
        .row(0, named=True)
    )
    moves = [told.pop(f"_{half}1") - told.pop(f"_{half}0") for half in (1, 2)]
    return Effect(**told, first=moves[0], second=moves[1])
