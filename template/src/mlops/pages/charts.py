"""Find where a value lies in a drawing; the drawings themselves are in drawings.html."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from ..core.formatting import MINUS


@dataclass(frozen=True)
class Scale:
    """The values between the ends of an axis."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float | None], margin: float = 0.0) -> Self:
        """Hold all values that are known, and a margin: a share of their span, on either side."""
        known = [value for value in values if value is not None] or [0.0]
        low, high = min(known), max(known)
        room = (high - low) * margin if high > low else 0.5
        return cls(low - room, high + room)

    def at(self, value: float, start: float = 0.0, end: float = 100.0) -> float:
        """Return the place of a value between `start` and `end`, where what is off the scale is."""
        share = (value - self.low) / (self.high - self.low)
        return round(start + (end - start) * min(max(share, 0.0), 1.0), 2)

    def ticks(self) -> list[float]:
        """Return about four round values between the ends."""
        rough = (self.high - self.low) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        step = min((1, 2, 2.5, 5, 10), key=lambda nice: abs(nice * power - rough)) * power
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [round(place * step, 12) for place in range(first, last + 1)]


def format_short(value: float) -> str:
    """Return a value for an axis: 0.25, 1.5k, 20M."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}".replace("-", MINUS)
    return f"{value:g}".replace("-", MINUS)


def label_trend(performance: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the periods of monitoring/performance.py, each with a `label` for an axis."""
    period = performance["period"]
    return [{**each, "label": label_period(each["start"], period)} for each in performance["trend"]]


def label_period(start: str, period: str) -> str:
    """Return of a day or a week its first day, 31 Jan; of a month Jan 2026."""
    day = date.fromisoformat(start)
    return f"{day:%b %Y}" if period == "month" else f"{day.day} {day:%b}"
