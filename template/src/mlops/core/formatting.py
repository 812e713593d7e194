"""Figures in words and digits, the same wherever a person reads them."""

import math
from collections.abc import Iterable
from typing import Any

UNKNOWN = "not known"
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"

METRICS = {
    "roc_auc": "area under the ROC curve",
    "roc_auc_ovr": "area under the ROC curve (mean of classes)",
    "f1_macro": "F1 (mean of classes)",
    "r2": "share of variance explained (R²)",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
}


def number(value: Any, places: int | None = None) -> str:
    """Write a number: 12,345 · 3.14 · 0.0123; `places` fixes the decimals, None keeps about four
    digits. What is None or NaN is not known.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return UNKNOWN
    if isinstance(value, str | bool):
        return str(value)
    size = abs(value)
    if places is not None:
        text = f"{value:,.{places}f}"
    elif size < 0.01:
        text = f"{value:.3g}"
    else:
        text = f"{value:,.{0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return MINUS + text[1:] if text.startswith("-") and text.strip("-0.,") else text.lstrip("-")


def score(value: Any) -> str:
    """Write the value of a metric: three decimals, fewer when it is large."""
    small = isinstance(value, int | float) and abs(value) < 10
    return number(value, 3 if small else None)


def signed(value: Any, places: int | None = None) -> str:
    """Write a difference, with its sign."""
    text = number(value, places)
    positive = isinstance(value, int | float) and value > 0 and text.strip("0.,")
    return f"+{text}" if positive else text


def percent(share: Any, places: int = 1) -> str:
    """Write a share of 1 in percent: 12.5 %."""
    return UNKNOWN if share is None else f"{number(100 * share, places)}{SPACE}%"


def count(amount: int, noun: str) -> str:
    """Write how many there are: 1 row, 2 rows."""
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"


def duration(seconds: float) -> str:
    """Write a length of time in seconds: 0.4 s · 12 s · 3 min 20 s · 2 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f}{SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = {"h": hours, "min": minutes, "s": 0 if hours else rest}
    return " ".join(f"{amount}{SPACE}{unit}" for unit, amount in parts.items() if amount)


def listed(things: Iterable[str]) -> str:
    """Write an enumeration: a, b and c."""
    *most, last = list(things) or [""]
    return f"{', '.join(most)} and {last}" if most else last


def metric(name: str) -> str:
    """Write the name of a metric in words."""
    if name.startswith("neg_"):
        return f"{metric(name.removeprefix('neg_'))}, negated"
    return METRICS.get(name, name.replace("_", " "))


def sentence(text: str, end: str = ".") -> str:
    """Give a sentence a capital and a stop; a file's name in front keeps its small letter."""
    first = text.split(" ", maxsplit=1)[0].rstrip(".")
    start = text[:1] if {".", "_"} & set(first) else text[:1].upper()
    return start + text[1:] + ("" if text.endswith((".", "!", "?")) else end)
