"""Find the figures of a place among those that storage/measurement.py measured."""

from typing import Any

from ..core.formatting import number

Place = dict[str, Any]  # as measurement.measure_place gives it


def small(place: Place, action: str) -> dict[str, Any]:
    """Return the figures of small blocks at random, or in sequence where it has no others."""
    return figures_of(place, action, "random", "small") or figures_of(
        place, action, "sequential", "small"
    )


def large(place: Place, action: str) -> dict[str, Any]:
    """Return the figures of large blocks in sequence."""
    return figures_of(place, action, "sequential", "large")


def figures_of(place: Place, *pattern: str) -> dict[str, Any]:
    """Return the figures of (action, order, block), {} if it was not measured."""
    fitting = (f for f in place["figures"] if (f["action"], f["order"], f["block"]) == pattern)
    return next(fitting, {})


def read_rate(place: Place) -> float:
    """Return 10^6 bytes a second, 0 if that is not known."""
    return float(large(place, "read").get("mb_s", 0))


def summarise(place: Place) -> str:
    """Return a line to print about a place."""
    if not read_rate(place):
        return f"{place['name']}: not measured, {place['fault']}"
    figures = []
    for action in ("read", "write"):
        one, rate = small(place, action), number(large(place, action)["mb_s"])
        took = f"{number(one['p50_ms'])} ms (p99 {number(one['p99_ms'])})"
        figures.append(
            f"{action}s 4 KiB in {took}, {number(one['iops'])} a second, and {rate} MB/s"
        )
    return f"{place['name']}: {'; '.join(figures)}; {place['how']}"
