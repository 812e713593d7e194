"""From records to what the model reads: the rule of model/inputs.py in plain Python."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model.text_parts import write_words

Feed = dict[str, NDArray[Any]]
NAN = float("nan")
LARGEST = float(np.finfo(np.float32).max)
MIDNIGHT = date(1970, 1, 1)
PARTS: dict[str, Callable[[Any], float]] = {
    "days": lambda day: (_day(day) - MIDNIGHT).days,
    "month": lambda day: day.month,
    "weekday": lambda day: day.isoweekday(),
    "hour": lambda moment: moment.hour,
    "length": len,
}


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def feed(records: list[dict[str, Any]], inputs: list[dict[str, Any]]) -> Feed:
    """An array of shape (records, 1) for each input in a model's `meta`; cells have their types."""
    texts = {entry["name"]: entry for entry in inputs if entry["kind"] == "text"}
    numbers = {entry["name"]: entry for entry in inputs if entry["kind"] != "text"}
    shape = (len(numbers), len(records), 1)
    # All numbers in one array: for a single record, the calls of NumPy are what takes the time.
    table = np.array([_numbers(records, entry) for entry in numbers.values()], dtype=np.float64)
    # Beyond the range of 32-bit floats a number would become infinite, which no model reads.
    small = np.clip(table, -LARGEST, LARGEST).astype(np.float32).reshape(shape)
    return dict(zip(numbers, small, strict=True)) | {
        name: _texts(records, entry) for name, entry in texts.items()
    }


def _texts(records: list[dict[str, Any]], entry: dict[str, Any]) -> NDArray[Any]:
    cells = [record.get(entry["column"]) for record in records]
    texts = ["" if cell is None else cell for cell in cells]
    if entry["part"]:
        texts = [write_words(text) for text in texts]
    return np.array(texts, dtype=object).reshape(-1, 1)


def _numbers(records: list[dict[str, Any]], entry: dict[str, Any]) -> list[float]:
    read, column = PARTS[entry["part"]] if entry["part"] else float, entry["column"]
    cells = [record.get(column) for record in records]
    return [NAN if cell is None else read(cell) for cell in cells]
