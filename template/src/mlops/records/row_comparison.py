"""What an update does to each key: the rows delivered for it beside those that the table holds.

Rows that break the contract are kept too, in the order in which they came: once the contract allows
them, they are what was told last. So a key stays as it is only if what is clean, and what of it
breaks the contract and came after that, are the same.
"""

from typing import NamedTuple

import polars as pl

from ..data.column_names import MARK, ROW, UNREADABLE, cols
from ..data.contract import Contract
from ..data.row_rules import is_sound
from ..data.validate import find_repeats
from . import table
from .table import Effect

Rows = pl.DataFrame


class Comparison(NamedTuple):
    """The `ROW` of the delivered rows that are to `land` and of the table's that are to be `gone`,
    what that does to the clean rows, and how many rejected rows came and land.
    """

    land: Rows
    gone: Rows
    effect: Effect
    rejected: int
    rejected_new: int


def compare_rows(arrived: pl.LazyFrame, standing: pl.LazyFrame, contract: Contract) -> Comparison:
    """Compare typed rows with those of the table that have a key in common with them."""
    new, old = (_outline(rows, contract) for rows in (arrived, standing))
    fit = new.filter("fit")
    replaced = old.filter("fit").join(fit, on="key", how="semi")
    same = ["key", "content"]
    differ = [fit.join(replaced, on=same, how="anti"), replaced.join(fit, on=same, how="anti")]
    changed = pl.concat([*(rows.select("key") for rows in differ), _find_waiting(new, old)])
    land = new.join(changed, on="key", how="semi", maintain_order="left")
    gone = old.join(changed, on="key", how="semi").join(fit, on="key", how="semi")
    before, after = (
        rows.join(of.filter("fit").select(ROW).lazy(), on=ROW, how="semi")
        for rows, of in ((standing, gone), (arrived, land))
    )
    effect = table.measure_effect(before, after, contract)
    unchanged = effect.unchanged + fit.height - land.filter("fit").height
    return Comparison(
        land.select(ROW),
        gone.select(ROW),
        effect._replace(unchanged=unchanged),
        new.filter("rejected").height,
        land.filter("rejected").height,
    )


def _outline(rows: pl.LazyFrame, contract: Contract) -> Rows:
    """Outline typed rows in few bytes each, in their order: `ROW`, hashes of the `key` and of the
    `content`, and whether a row is `fit` for the table or `rejected`; else it gives way to another.

    A row without a key is known by its content.
    """
    repeats = find_repeats(rows, contract)
    repeated = pl.col(ROW).is_in(repeats.implode())
    sound, keys = is_sound(contract), cols(contract.key_names)
    as_text = pl.element().struct.field
    unreadable = pl.col(UNREADABLE).list.eval(
        pl.concat_str(as_text("column"), as_text("value"), separator=MARK, ignore_nulls=True)
    )
    content = pl.struct(cols(contract.names), unreadable.list.join(MARK)).hash()
    no_key = pl.any_horizontal(keys.is_null())
    outline = rows.select(
        ROW,
        key=pl.when(no_key).then(content).otherwise(pl.struct(keys).hash()),
        content=content,
        fit=sound & ~repeated,
        rejected=~sound | (repeated if contract.duplicates == "reject" else False),
    )
    return outline.collect(engine="streaming").sort(ROW)


def _find_waiting(new: Rows, old: Rows) -> Rows:
    """Find each `key` for which other rejected rows came, after its last clean one, than those that
    the table holds last.
    """
    came, held = (_list_waiting(rows) for rows in (new, old))
    both = came.join(held, on="key", how="full", coalesce=True, suffix="_held")
    both = both.join(new.filter("fit").select("key", fit="fit").unique("key"), on="key", how="left")
    came_text, held_text = (pl.col(n).fill_null("") for n in ("waiting", "waiting_held"))
    same = pl.when("fit").then(came_text == held_text).otherwise(held_text.str.ends_with(came_text))
    return both.filter(~same).select("key")


def _list_waiting(rows: Rows) -> Rows:
    """List the contents of the rejected rows after the last clean one, as one text for a `key`."""
    last_fit = rows.filter("fit").group_by("key").agg(last=pl.col(ROW).max())
    rejected = rows.filter("rejected").join(last_fit, on="key", how="left", maintain_order="left")
    after = rejected.filter(pl.col(ROW) > pl.col("last").fill_null(0))
    text = pl.format("|{}", "content").str.join()
    return after.group_by("key", maintain_order=True).agg(waiting=text)
