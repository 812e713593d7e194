"""Columns by name: every name that a table may bring is one column, and ours are never among them.

To polars `*` and `^a.*$` are patterns, also in the methods of a series of that name, and a column
that is added may take the place of one that was delivered. So columns are named by `col` and
`cols`, and those of ours by `internal`, whose mark no delivered name holds (inspection.py refuses
it) and no end of which is taken for a blank when a file of ours is read again.
"""

from collections.abc import Iterable

import polars as pl
import polars.selectors as cs

MARK = "\x1f"  # the control character "unit separator"


def col(name: str) -> pl.Expr:
    """Name one column, whatever it is called."""
    return cs.by_name(name).as_expr()


def cols(names: Iterable[str]) -> cs.Selector:
    """Name several columns, in this order, whatever they are called."""
    return cs.by_name(*names)


def values_of(table: pl.DataFrame, name: str) -> pl.Series:
    """Take one column out, under a name that is no pattern: most methods of a series look it up."""
    return table.get_column(name).alias("value")


def is_pattern(name: str) -> bool:
    """Tell whether polars takes a name for a pattern of names."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def internal(purpose: str, name: str = "") -> str:
    """Name a column of ours: for the whole row, or beside the column `name`."""
    return f"<{purpose}{MARK}{name}>"


ROW = internal("row")  # a row's number for ever, its place among all that were ever delivered
SOURCE = internal("source")  # the file that a row lies in
UPDATE = internal("update")  # the first row of the update that brought a row (0: none)
UNREADABLE = internal("unreadable")  # the cells that hold something else than the contract says
