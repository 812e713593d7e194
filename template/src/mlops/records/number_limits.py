"""Limits of numbers, drafted from what they have been: they should hold for what comes next.

A measure stays about where it was. A counter, a year or a moment goes on running, and a limit drawn
from its past would refuse its future.
"""

from ..data.contract import Column
from .column_figures import Figures

MOMENTS = (  # numbers that are times: years, months and days in digits, (milli)seconds since 1970
    (1900, 2100),
    (190001, 210012),
    (19000101, 21001231),
    (500_000_000, 4_000_000_000),
    (500_000_000_000, 4_000_000_000_000),
)


def draft_limits(column: Column, seen: Figures) -> dict[str, int | float]:
    """Draft the limits of a number: those met, widened by their span. One that goes on running has
    none but its sign.
    """
    if is_running(column, seen):
        return {"minimum": 0} if seen.low >= 0 else {}
    low, high = 2 * seen.low - seen.high, 2 * seen.high - seen.low
    limits = {"minimum": max(0, low) if seen.low >= 0 else low, "maximum": high}
    whole = column.type == "integer"
    return {key: x if whole else float(f"{x:.3g}") for key, x in limits.items()}


def is_running(column: Column, seen: Figures) -> bool:
    """Tell whether a number will leave the range it has had: the rows are in its order, or it is
    whole and (nearly) never comes again, or it is a time.
    """
    whole = column.type == "integer" and not seen.is_repeated
    times = any(low <= seen.low and seen.high <= high for low, high in MOMENTS)
    return seen.ordered or whole or times
