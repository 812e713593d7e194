"""Say what storage to use and why, from what was measured and what it costs."""

from collections.abc import Iterator
from typing import Any, TypedDict

from ..core.formatting import duration, listed, number
from .place_figures import Place, read_rate

SMALL_CHANGE = 1.0  # a month; nothing to move a table for


class KindCost(TypedDict):
    """What a month costs with a kind of storage; None where no place of it may be used.

    `place` is the fastest of the kind, `read_s` the seconds that it takes to read the table, and
    `month` the bill with the waiting for reads.
    """

    name: str
    bill: float
    place: str | None
    read_s: float | None
    month: float | None


def advise_on_format(ranked: list[dict[str, Any]]) -> str:
    """Say in which format to keep the table; `ranked` has the one of least work first."""
    if not ranked:
        return "There is no table yet to compare formats with; prices are for one of 1 GB."
    work = "; ".join(
        f"{each['name']} {number(each['bytes'] / 1e6)} MB, {duration(each['month_s'])}"
        for each in ranked
    )
    return f"Keep the table as {ranked[0]['name']} (a month's reads and writes: {work})."


def advise_on_places(places: list[Place], broken: set[str]) -> Iterator[str]:
    """Say what is wrong with places, and whether a copy of the remote's data saves time."""
    for place in places:
        if place["fault"]:
            yield f"At {place['name']}: {place['fault']}."
    if broken:
        yield f"Not within the limits of params.yaml, and so left out: {listed(sorted(broken))}."
    local, remote = map(read_rate, places[:2])
    rates = f"({number(local)} and {number(remote)} MB/s)"
    if remote and local > 1.5 * remote:
        yield f"Work on a copy in data/: it is read faster than the DVC remote {rates}."
    elif remote:
        yield f"data/ is read no faster than the DVC remote {rates}, so a copy saves no time."


def advise_on_kind(kinds: list[KindCost], here: set[str], currency: str) -> str:
    """Say where to keep the versions: where a month costs least, if that saves enough to move.

    `here` are the kinds that the DVC remote may be.
    """
    months = {kind["name"]: kind["month"] for kind in kinds if kind["month"] is not None}
    if not months:
        return "Nothing that may be used has a price in prices.yaml."
    best = min(months, key=months.__getitem__)
    today = next((name for name in months if name in here), None)
    costs = f"{money(months[best])} {currency} a month, with the waiting for reads"
    cheaper = [
        kind["name"]
        for kind in kinds
        if kind["month"] is None and months[best] - kind["bill"] > SMALL_CHANGE
    ]
    if today == best:
        advice = f"Leave its versions on {best}: nothing measured costs less. It is {costs}."
    elif today and months[today] - months[best] < SMALL_CHANGE:
        saving = money(months[today] - months[best])
        advice = f"Leave its versions on {today}: {best} would save {saving}."
    else:
        beside = f"; {today}, as now, costs {money(months[today])}" if today else ""
        advice = f"Keep its versions on {best}: {costs}{beside}."
    if cheaper:
        advice += f" The bill alone of {listed(cheaper)} is lower: give its URL, to measure it too."
    return advice


def money(amount: float) -> str:
    """Return an amount to the cent."""
    return number(amount, 2) if amount >= 0.005 else "less than 0.01"
