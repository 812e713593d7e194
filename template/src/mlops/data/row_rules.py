"""The rules of a contract, and the reasons for which rows break them."""

import polars as pl

from .column_names import MARK, col, internal
from .contract import Contract

REASONS = pl.List(pl.Struct(dict.fromkeys(("column", "rule", "value"), pl.String)))
REPEATED = internal("repeated")  # whether a row gives way to another with its key


def broken(contract: Contract) -> list[tuple[pl.Expr, str, str]]:
    """When each rule is broken: (condition, column, rule). No value breaks `required` alone."""
    found = []
    for column in contract.columns:
        name, cell = column.name, col(column.name)
        if column.required or column.role == "target":
            found.append((cell.is_null(), name, "required"))
        if column.minimum is not None:
            found.append((cell < column.minimum, name, "minimum"))
        if column.maximum is not None:
            found.append((cell > column.maximum, name, "maximum"))
        if allowed := column.categories or (contract.classes if column.role == "target" else ()):
            found.append((~cell.cast(pl.String).is_in(allowed), name, "category"))
    return found


def sound(contract: Contract) -> pl.Expr:
    """Whether a typed row keeps every rule."""
    faults = (condition for condition, _, _ in broken(contract))
    return ~pl.any_horizontal(pl.col("_unreadable").is_not_null(), *faults).fill_null(False)


def reasons(contract: Contract) -> pl.Expr:
    """All reasons of a row, and that it is `REPEATED`."""
    unreadable = pl.col("_unreadable").fill_null(pl.lit([], REASONS))
    names = unreadable.list.eval(pl.element().struct.field("column"))
    told = []
    for condition, name, rule in broken(contract):
        unread = names.list.contains(name) & (rule == "required")  # then it is not missing too
        told.append((condition & ~unread, name, rule, col(name)))
    if keys := [column.name for column in contract.keys]:
        key = pl.concat_str(map(col, keys), separator=", ")
        told.append((pl.col(REPEATED), ", ".join(keys), "duplicate", key))
    return pl.concat_list(unreadable, reasons_where(told))


def reasons_where(told: list[tuple[pl.Expr, str, str, pl.Expr]]) -> pl.Expr:
    """For each row the reasons of those (condition, column, rule, value) whose condition holds.

    The structs are built from joined texts: polars gathers a list of texts ten times faster.
    """
    texts = []
    for holds, name, rule, value in told:
        known = pl.lit(f"{name}{MARK}{rule}{MARK}")
        texts.append(pl.when(holds).then(pl.concat_str(known, value, ignore_nulls=True)))
    fields = pl.element().str.splitn(MARK, 3).struct.rename_fields(["column", "rule", "value"])
    return pl.concat_list(texts).list.drop_nulls().list.eval(fields).cast(REASONS)
