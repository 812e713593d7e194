"""The rules of a contract, the reasons for which rows break them, and the words for those."""

import polars as pl

from .contract import Column, Contract

REASONS = pl.List(pl.Struct(dict.fromkeys(("column", "rule", "value"), pl.String)))
JOIN = "\x1f"


def rules(column: Column, contract: Contract) -> dict[str, pl.Expr]:
    """Each rule of a column by name, as an expression that holds where it is kept.

    A missing value breaks `required` alone; the target is required always.
    """
    cell = pl.col(column.name)
    found = {}
    if column.required or column.role == "target":
        found["required"] = cell.is_not_null()
    if column.minimum is not None:
        found["minimum"] = (cell >= column.minimum).fill_null(True)
    if column.maximum is not None:
        found["maximum"] = (cell <= column.maximum).fill_null(True)
    if allowed := categories(column, contract):
        found["category"] = cell.cast(pl.String).is_in(allowed).fill_null(True)
    return found


def categories(column: Column, contract: Contract) -> tuple[str, ...]:
    return column.categories or (contract.classes if column.role == "target" else ())


def sound(contract: Contract) -> pl.Expr:
    """Whether a typed row keeps every rule."""
    kept = [holds for column in contract.columns for holds in rules(column, contract).values()]
    return pl.all_horizontal(pl.col("_unreadable").is_null(), *kept)


def reasons(contract: Contract) -> pl.Expr:
    """All reasons of a row; a cell that is unreadable is not also missing.

    `_repeated` says whether the row must give way to another with the same key.
    """
    unreadable = pl.col("_unreadable").fill_null(pl.lit([], REASONS))
    names = unreadable.list.eval(pl.element().struct.field("column"))
    told = []
    for column in contract.columns:
        for rule, holds in rules(column, contract).items():
            read = ~names.list.contains(column.name) if rule == "required" else True
            told.append((~holds & read, column.name, rule, pl.col(column.name)))
    if keys := [column.name for column in contract.keys]:
        key = pl.concat_str(keys, separator=", ")
        told.append((pl.col("_repeated"), ", ".join(keys), "duplicate", key))
    return pl.concat_list(unreadable, reasons_where(told))


def reasons_where(told: list[tuple[pl.Expr, str, str, pl.Expr]]) -> pl.Expr:
    """For each row the reasons of those (condition, column, rule, value) whose condition holds.

    The structs are built from joined texts: polars gathers a list of texts ten times faster.
    """
    texts = []
    for holds, name, rule, value in told:
        known = pl.lit(f"{name}{JOIN}{rule}{JOIN}")
        texts.append(pl.when(holds).then(pl.concat_str(known, value, ignore_nulls=True)))
    fields = pl.element().str.splitn(JOIN, 3).struct.rename_fields(["column", "rule", "value"])
    return pl.concat_list(texts).list.drop_nulls().list.eval(fields).cast(REASONS)


def words(contract: Contract, reason: dict[str, str]) -> str:
    """A reason as a person reads it: `distance: -5 is below the minimum 0`."""
    name, rule, value = reason["column"], reason["rule"], reason["value"]
    if rule == "duplicate":
        return f"{name}: {value} is there again in another row"
    if rule == "required":
        return f"{name}: the value is missing"
    column = contract[name]
    if rule == "readable":
        return f"{name}: {value!r} cannot be read as {column.type}"
    if rule == "category":
        return f"{name}: {value!r} is not one of {', '.join(categories(column, contract)[:10])}"
    side = "below" if rule == "minimum" else "above"
    return f"{name}: {value} is {side} the {rule} {getattr(column, rule):g}"
