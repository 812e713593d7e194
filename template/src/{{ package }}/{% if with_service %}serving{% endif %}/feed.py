"""From records to what the model reads: the rule of model/inputs.py in plain Python."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = float(np.finfo(np.float32).max)
MIDNIGHT = date(1970, 1, 1)
PARTS: dict[str, Callable[[Any], float]] = {
    "days": lambda day: (_day(day) - MIDNIGHT).days,
    "month": lambda day: day.month,
    "weekday": lambda day: day.isoweekday(),
    "hour": lambda moment: moment.hour,
}


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def feed(records: list[dict[str, Any]], inputs: list[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    """An array of shape (records, 1) for each input in a model's `meta`; cells have their types."""
    arrays = {}
    for entry in inputs:
        cells = [record.get(entry["column"]) for record in records]
        array = _texts(cells) if entry["kind"] == "text" else _numbers(cells, entry["part"])
        arrays[entry["name"]] = array.reshape(-1, 1)
    return arrays


def _texts(cells: list[Any]) -> NDArray[Any]:
    return np.array(["" if cell is None else cell for cell in cells], dtype=object)


def _numbers(cells: list[Any], part: str | None) -> NDArray[Any]:
    read = PARTS[part] if part else float
    numbers = [float("nan") if cell is None else read(cell) for cell in cells]
    # Beyond the range of 32-bit floats a number would become infinite, which no model reads.
    return np.clip(np.array(numbers, dtype=np.float64), -LARGEST, LARGEST).astype(np.float32)
