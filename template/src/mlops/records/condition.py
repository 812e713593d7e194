"""Conditions in SQL on the columns of the contract; dates may be written as text."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl

from ..core.errors import UserError
from ..core.full_disk import is_full_disk
from ..data.column_names import col, cols, internal, is_pattern
from ..data.contract import Contract
from . import table
from .addresses import quote_name

COMPARING = ("Eq", "NotEq", "EqValidity", "NotEqValidity", "Lt", "LtEq", "Gt", "GtEq")
# Kinds that polars compares without a word, to no sense, and what to write.
MISMATCHES = {
    frozenset({"times", "numbers"}): "write a day in quotes, such as '2024-01-31'",
    frozenset({"true or false", "texts"}): "write the column alone, or NOT before it",
}


def check_condition(where: str, contract: Contract) -> None:
    """Raise UserError if a text is no condition on the contract's columns, or compares what never
    is the same.
    """
    empty = table.make_empty(contract).select(cols(contract.names)).collect()
    with explain_failure(where):
        condition = pl.sql_expr(where)  # and nothing after it
        select_meeting(empty.lazy(), where).collect()
    tree = json.loads(condition.meta.serialize(format="json"))
    for sides in _list_comparisons(tree):
        kinds = {kind for side in sides if (kind := _name_kind(side, empty))}
        if way_out := next((says for pair, says in MISMATCHES.items() if pair <= kinds), None):
            raise UserError(
                f'--where "{where}" compares {" with ".join(sorted(kinds))}: {way_out}.'
            )


def _list_comparisons(tree: Any) -> Iterator[list[Any]]:
    """List the two sides of each comparison in the tree of an expression."""
    if isinstance(tree, dict):
        binary, function = tree.get("BinaryExpr"), tree.get("Function")
        if binary and binary["op"] in COMPARING:
            yield [binary["left"], binary["right"]]
        if function and "IsIn" in str(function["function"]):
            yield function["input"]
    for part in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _list_comparisons(part)


def _name_kind(tree: Any, table: pl.DataFrame) -> str:
    """Name what an expression, given as its tree, makes of a table; "" for what is not told."""
    expression = pl.Expr.deserialize(json.dumps(tree).encode(), format="json")
    try:
        [dtype] = table.select(expression).dtypes
    except (pl.exceptions.PolarsError, ValueError):
        return ""
    if isinstance(dtype, pl.List):
        dtype = dtype.inner if isinstance(dtype.inner, pl.DataType) else dtype.inner()
    if dtype.is_numeric():
        return "numbers"
    if dtype.is_temporal():
        return "times"
    return {pl.Boolean: "true or false", pl.String: "texts"}.get(dtype.base_type(), "")


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
