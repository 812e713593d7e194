"""The one fixed rule from the contract's columns to what the model reads.

Numbers and booleans become 32-bit floats (missing: NaN), texts stay texts (missing: ""), a date
becomes some numbers of its own, and a free text its words and its length. The rule is this small so
that a service can follow it in plain Python: whatever is learned from data (medians, categories,
scales) is inside the model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..core.errors import UserError
from ..data.column_names import col, is_pattern, values_of
from ..data.contract import Column, Contract
from .metadata import ModelMetadata
from .text_parts import write_words

LARGEST = float(np.finfo(np.float32).max)
# "d" is polars' name for whole days since 1970-01-01; weekdays are 1 (Monday) to 7.
# So begin the names of what is read of free texts, and of nothing else: steps know them by it.
WORDS, LENGTH = "words of ", "length of "
PARTS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "days": lambda date: date.dt.epoch("d"),
    "month": lambda date: date.dt.month(),
    "weekday": lambda date: date.dt.weekday(),
    "hour": lambda date: date.dt.hour(),
    "length": lambda text: text.str.len_chars(),
    "words": lambda text: text.map_elements(write_words, return_dtype=pl.String),
}


@dataclass(frozen=True)
class Input:
    """One value the model reads: a column as it is, or one `part` (see PARTS) of a date or text."""

    name: str
    column: str
    kind: Literal["number", "text"]
    part: str | None = None


def list_inputs(contract: Contract) -> list[Input]:
    """List what the model may read, in the contract's order."""
    return [entry for column in contract.inputs for entry in make_inputs(column)]


def make_inputs(column: Column) -> list[Input]:
    """Make the inputs that the model may read of a column.

    The time column gives no month or day count: the rows to predict lie after all known ones.

    No input has a name that polars takes for a pattern, as steps ask each for its values.
    """
    if column.free_text:
        length = Input(f"{LENGTH}{column.name}", column.name, "number", "length")
        return [Input(f"{WORDS}{column.name}", column.name, "text", "words"), length]
    if column.type not in ("date", "timestamp"):
        odd = is_pattern(column.name) or column.name.startswith((WORDS, LENGTH))
        name = f"value of {column.name}" if odd else column.name
        return [Input(name, column.name, "text" if column.type == "string" else "number")]
    parts = ["weekday"] if column.role == "time" else ["days", "month", "weekday"]
    parts += ["hour"] if column.type == "timestamp" else []
    return [Input(f"{part} of {column.name}", column.name, "number", part) for part in parts]


def select_inputs(table: pl.DataFrame, entries: list[Input]) -> pl.DataFrame:
    """Select the model's inputs, a column each, from a table typed by the contract."""
    return table.select(make_expression(entry) for entry in entries)


def make_expression(entry: Input) -> pl.Expr:
    """Make the expression that computes an input from its column; see the module."""
    value = PARTS[entry.part](col(entry.column)) if entry.part else col(entry.column)
    if entry.kind == "text":
        return value.cast(pl.String).fill_null("").alias(entry.name)
    # Beyond the range of 32-bit floats a number would become infinite, which no model reads.
    number = value.cast(pl.Float64).clip(-LARGEST, LARGEST).cast(pl.Float32)
    return number.fill_null(float("nan")).alias(entry.name)


def make_feed(values: pl.DataFrame) -> dict[str, NDArray[Any]]:
    """Make of the inputs what ONNX Runtime wants: an array of shape (rows, 1) for each name."""
    return {column.name: column.to_numpy().reshape(-1, 1) for column in values}


def explain_misfit(
    meta: ModelMetadata, contract: Contract, *, for_comparison: bool = False
) -> str | None:
    """Explain why a packaged model, by its `meta`, cannot answer for the contract's table; None if
    it can.

    Where models are compared, it may also read what is known at decision and ignored by now: the
    table still has it.
    """
    if meta["contract"]["id"] != contract.id or tuple(meta["classes"]) != contract.classes:
        return "was trained for another table or other classes"
    known = list_inputs(contract)
    if for_comparison:
        ignored = (column for column in contract.of_role("ignored") if column.known_at_decision)
        known += [entry for column in ignored for entry in make_inputs(column)]
    strange = [entry["name"] for entry in meta["inputs"] if Input(**entry) not in known]
    return f"reads inputs that are gone or changed: {', '.join(strange)}" if strange else None


def encode_truth(table: pl.DataFrame, contract: Contract) -> NDArray[Any]:
    """Encode the target, shape (rows,): places in `contract.classes` (int64), or a float64.

    Raises UserError if a value of the target is not among the contract's classes.
    """
    target = values_of(table, contract.target.name)
    if contract.task == "regression":
        return target.cast(pl.Float64).to_numpy()
    places = {name: place for place, name in enumerate(contract.classes)}
    truth = target.cast(pl.String).replace_strict(places, default=None, return_dtype=pl.Int64)
    if truth.null_count():
        strange = target.filter(truth.is_null())[0]
        raise UserError(
            f"Column {contract.target.name!r} holds {strange!r}, which is not among the classes "
            f"{list(contract.classes)} of contract.yaml: add it there, or clean the data."
        )
    return truth.to_numpy()
