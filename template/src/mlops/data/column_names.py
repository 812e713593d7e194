"""Columns by name: every name that a table may bring is one column, and ours are never among them.

To polars `*` and `^a.*$` are patterns, also in the methods of a series of that name, and a column
that is added may take the place of one that was delivered. So columns are named by `col` and
`cols`, and those that are added for a while by `internal`, whose mark no delivered name holds
(inspection.py refuses it).
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
    """Name a column that is added for a while: for the whole row, or beside the column `name`."""
    return f"{MARK}{purpose}{MARK}{name}"
