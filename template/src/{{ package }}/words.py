"""Figures in words and digits, the same wherever a person reads them."""

import math
from collections.abc import Iterable
from typing import Any

UNKNOWN = "not known"
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"


def number(value: Any, places: int | None = None) -> str:
    """12,345 · 3.14 · 0.0123; `places` fixes the decimals, None keeps about four digits."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return UNKNOWN
    if isinstance(value, str | bool):
        return str(value)
    if places is None:
        size = abs(value)
        fixed = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3
        text = f"{value:,.{fixed}f}" if size >= 0.01 else f"{value:.3g}"
        text = text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    else:
        text = f"{value:,.{places}f}"
    return MINUS + text[1:] if text.startswith("-") and text.strip("-0.,") else text.lstrip("-")


def score(value: Any) -> str:
    """A metric: three decimals, fewer when it is large."""
    if isinstance(value, int | float) and abs(value) < 10:
        return number(value, 3)
    return number(value)


def signed(value: Any, places: int | None = None) -> str:
    """A difference, with its sign."""
    text = number(value, places)
    positive = isinstance(value, int | float) and value > 0 and text.strip("0.,")
    return f"+{text}" if positive else text


def percent(share: Any, places: int = 1) -> str:
    return UNKNOWN if share is None else f"{number(100 * share, places)}{SPACE}%"


def count(amount: int, noun: str, nouns: str | None = None) -> str:
    """1 row, 2 rows."""
    return f"{amount:,} {noun if amount == 1 else nouns or noun + 's'}"


def duration(seconds: Any) -> str:
    """0.4 s · 12 s · 3 min 20 s · 2 h 5 min."""
    if seconds is None:
        return UNKNOWN
    if seconds < 10:
        return f"{seconds:.1f}{SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        rest = 0
    parts = {"h": hours, "min": minutes, "s": rest}
    return " ".join(f"{amount}{SPACE}{unit}" for unit, amount in parts.items() if amount)


def listed(things: Iterable[str]) -> str:
    """a, b and c."""
    *most, last = list(things) or [""]
    return f"{', '.join(most)} and {last}" if most else last


METRICS = {
    "roc_auc": "area under the ROC curve",
    "roc_auc_ovr": "area under the ROC curve (mean of classes)",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "accuracy": "accuracy",
    "f1_macro": "F1 (mean of classes)",
    "r2": "share of variance explained (R²)",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
}


def metric(name: str) -> str:
    """A metric's name in words."""
    if name.startswith("neg_"):
        return f"{metric(name.removeprefix('neg_'))}, negated"
    return METRICS.get(name, name.replace("_", " "))


def places(amounts: Iterable[float]) -> int:
    """Decimals that suit all of these amounts, side by side."""
    size = max((abs(amount) for amount in amounts), default=0)
    return 0 if size >= 100 else 2 if size >= 1 else 4


def sentence(text: str, end: str = ".") -> str:
    """With a capital in front and a stop at the end; a file's name keeps its small letter."""
    text = text.strip()
    first = text.split(" ", maxsplit=1)[0].rstrip(".,:")
    start = text[:1] if {".", "_"} & set(first) else text[:1].upper()
    return start + text[1:] + ("" if text[-1:] in (".", "!", "?") else end)


def short(value: float) -> str:
    """For the axis of a chart: 0.25, 1.5k, 20M."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}".replace("-", MINUS)
    return f"{value:g}".replace("-", MINUS)
