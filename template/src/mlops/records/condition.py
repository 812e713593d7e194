"""Conditions in SQL on the columns of the contract; dates may be written as text."""

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from ..core.errors import UserError
from ..core.full_disk import is_full_disk
from ..data.column_names import col, internal, is_pattern
from ..data.contract import Contract
from . import table
from .addresses import quote_name


def check_condition(where: str, contract: Contract) -> None:
    """Raise UserError if a text is no condition on the contract's columns."""
    with explain_failure(where):
        pl.sql_expr(where)  # a condition, and nothing after it
        select_meeting(table.make_empty(contract), where).collect()


def select_meeting(rows: pl.LazyFrame, where: str) -> pl.LazyFrame:
    """Select the rows that meet a condition.

    SQL on a table, other than a bare expression, compares dates with texts; but it cannot name a
    column that polars takes for a pattern, so for the while such a column has another name.
    """
    names = rows.collect_schema().names()
    plain = {n: internal("column", str(at)) for at, n in enumerate(names) if is_pattern(n)}
    for name, other in plain.items():
        where = where.replace(quote_name(name), quote_name(other))
    renamed = rows.select(col(name).alias(plain.get(name, name)) for name in names)
    # On lines of its own, as it may end in a comment.
    met = renamed.sql(f"SELECT * FROM self WHERE (\n{where}\n)")  # noqa: S608  (in memory)
    return met.select(col(plain.get(name, name)).alias(name) for name in names)


@contextmanager
def explain_failure(where: str | None) -> Iterator[None]:
    """Raise UserError where a condition cannot be read, or does not fit what it is asked of."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        if where is None or is_full_disk(error):
            raise
        reason = str(error).strip().splitlines()[0].rstrip(".")
        if "filter predicate must be of type" in reason:
            raise UserError(
                f'--where "{where}" is no condition; write one, such as "size > 2".'
            ) from error
        raise UserError(
            f'--where "{where}" cannot be read ({reason}): write a condition on columns of '
            "contract.yaml, such as \"shop = 'a' and size > 2\", a day as '2024-01-31'."
        ) from error
