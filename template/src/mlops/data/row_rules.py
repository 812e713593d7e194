"""The rules of a contract, and the reasons for which rows break them.

That the target is not known yet breaks none: such a row waits for its label.
"""

import polars as pl

from .column_names import MARK, UNREADABLE, col
from .contract import Contract

REASONS = pl.List(pl.Struct(dict.fromkeys(("column", "rule", "value"), pl.String)))


def list_rules(contract: Contract) -> list[tuple[pl.Expr, str, str]]:
    """List when each rule is broken: condition, column, rule. No value breaks `required` alone."""
    rules = []
    for column in contract.columns:
        name, cell = column.name, col(column.name)
        if column.required and column.role != "target":
            rules.append((cell.is_null(), name, "required"))
        if column.minimum is not None:
            rules.append((cell < column.minimum, name, "minimum"))
        if column.maximum is not None:
            rules.append((cell > column.maximum, name, "maximum"))
        if allowed := column.categories or (contract.classes if column.role == "target" else ()):
            rules.append((~cell.cast(pl.String).is_in(allowed), name, "category"))
    return rules


def is_sound(contract: Contract) -> pl.Expr:
    """Tell whether a typed row keeps every rule."""
    faults = (condition for condition, _, _ in list_rules(contract))
    return ~pl.any_horizontal(pl.col(UNREADABLE).is_not_null(), *faults).fill_null(False)


def is_labelled(contract: Contract) -> pl.Expr:
    """Tell whether the target of a typed row is known."""
    return col(contract.target.name).is_not_null()


def list_reasons(contract: Contract, repeated: pl.Expr | None = None) -> pl.Expr:
    """List all reasons of a row; `repeated` tells whether it gives way to another with its key."""
    unreadable = pl.col(UNREADABLE).fill_null(pl.lit([], REASONS))
    names = unreadable.list.eval(pl.element().struct.field("column"))
    faults = []
    for condition, name, rule in list_rules(contract):
        unread = names.list.contains(name) & (rule == "required")  # then it is not missing too
        faults.append((condition & ~unread, name, rule, col(name)))
    keys = contract.key_names
    if keys and repeated is not None:
        key = pl.concat_str(map(col, keys), separator=", ")
        faults.append((repeated, ", ".join(keys), "duplicate", key))
    return pl.concat_list(unreadable, join_reasons(faults))


def join_reasons(faults: list[tuple[pl.Expr, str, str, pl.Expr]]) -> pl.Expr:
    """Join for each row the reasons of those (condition, column, rule, value) that hold.

    The structs are built from joined texts: polars gathers a list of texts ten times faster.
    """
    texts = []
    for holds, name, rule, value in faults:
        known = pl.lit(f"{name}{MARK}{rule}{MARK}")
        texts.append(pl.when(holds).then(pl.concat_str(known, value, ignore_nulls=True)))
    fields = pl.element().str.splitn(MARK, 3).struct.rename_fields(["column", "rule", "value"])
    return pl.concat_list(texts).list.drop_nulls().list.eval(fields).cast(REASONS)
