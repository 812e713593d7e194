"""The one fixed rule from the contract's columns to what the model reads.

Numbers and booleans become 32-bit floats (missing: NaN), texts stay texts (missing: ""), and a date
becomes some numbers of its own. The rule is this small so that a service can follow it in plain
Python: whatever is learned from data (medians, categories, scales) is inside the model.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..data.contract import Column, Contract
from ..errors import UserError

Part = Literal["weekday", "hour", "month", "days"]

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Input:
    """One value the model reads: a column as it is, or one `part` of a column of dates.

    weekday: 1 (Monday) to 7; hour: 0 to 23; month: 1 to 12; days: whole days since 1970-01-01.
    """

    name: str
    column: str
    kind: Literal["number", "text"]
    part: Part | None = None


def inputs(contract: Contract) -> list[Input]:
    """What the model may read, in the contract's order."""
    return [entry for column in contract.inputs for entry in of_column(column)]


def of_column(column: Column) -> list[Input]:
    if column.type in ("date", "timestamp"):
        return [
            Input(f"{part} of {column.name}", column.name, "number", part) for part in parts(column)
        ]
    return [Input(column.name, column.name, "text" if column.type == "string" else "number")]


def parts(column: Column) -> list[Part]:
    """The time column gives no month or day count: the rows to predict lie after all known ones."""
    calendar: list[Part] = ["weekday"] if column.role == "time" else ["days", "month", "weekday"]
    return [*calendar, "hour"] if column.type == "timestamp" else calendar


def frame(table: pl.DataFrame, entries: list[Input]) -> pl.DataFrame:
    """The model's inputs, one column each, from a table typed by the contract."""
    return table.select(expression(entry) for entry in entries)


def expression(entry: Input) -> pl.Expr:
    column = pl.col(entry.column)
    if entry.kind == "text":
        return column.cast(pl.String).fill_null("").alias(entry.name)
    if entry.part is not None:
        # "d" is polars' name for whole days since 1970-01-01.
        column = column.dt.epoch("d") if entry.part == "days" else getattr(column.dt, entry.part)()
    # Beyond the range of 32-bit floats a number would become infinite, which no model reads.
    number = column.cast(pl.Float64).clip(-LARGEST, LARGEST).cast(pl.Float32)
    return number.fill_null(float("nan")).alias(entry.name)


@dataclass(frozen=True)
class Kinds:
    """The names of the inputs by what can be done with them: `few` and `many` are texts."""

    numbers: list[str]
    few: list[str]
    many: list[str]


def kinds(values: pl.DataFrame, few: int) -> Kinds:
    """Sort the inputs by the rows at hand; a text is one of `few` categories at most, or of many.

    Numbers of which not one is known are left out: there is nothing to learn from them.
    """
    texts = [name for name in values.columns if values[name].dtype == pl.String]
    known = [name for name in values.columns if name in texts or not values[name].is_nan().all()]
    many = [name for name in texts if values[name].n_unique() > few]
    return Kinds(
        numbers=[name for name in known if name not in texts],
        few=[name for name in texts if name not in many],
        many=many,
    )


def feed(values: pl.DataFrame) -> dict[str, NDArray[Any]]:
    """The inputs as ONNX Runtime wants them: an array of shape (rows, 1) for each name."""
    return {
        column.name: column.to_numpy().astype(object if column.dtype == pl.String else np.float32)[
            :, None
        ]
        for column in values
    }


def truth(table: pl.DataFrame, contract: Contract) -> NDArray[Any]:
    """The target, shape (rows,): places in `contract.classes` (int64), or float64 for a number.

    Raises UserError if a value of the target is not among the contract's classes.
    """
    target = table.get_column(contract.target.name)
    if contract.task == "regression":
        return target.cast(pl.Float64).to_numpy()
    places = {name: place for place, name in enumerate(contract.classes)}
    found = target.cast(pl.String).replace_strict(places, default=None, return_dtype=pl.Int64)
    if found.null_count():
        strange = target.filter(found.is_null())[0]
        raise UserError(
            f"Column {target.name!r} holds {strange!r}, which is not among the classes "
            f"{list(contract.classes)} of contract.yaml: add it there, or clean the data."
        )
    return found.to_numpy()
