"""Tell what storage does, beside what it costs, and what to use and why: reports/storage.html.

storage/measurement.py and storage/formats.py measure; the prices and the use of a month are
prices.yaml's.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

from rich.console import Console
from rich.progress import Progress

from ..core.errors import BlockedError
from ..core.formatting import duration, listed, number
from ..core.params import Limits, Params
from ..core.paths import REPORTS, replacing, write_json
from ..core.problem import Problem
from ..gates.gates import Verdict
from ..gates.requirements import answering, demanded
from ..gates.yaml_location import Entry
from ..storage import formats, measurement
from .prices import GB, Kind, Prices, Usage
from .report import html

PAGE = REPORTS / "storage.html"
REPORT = REPORTS / "storage.json"
SMALL_CHANGE = 1.0  # a month; nothing to move a table for
UNITS = {"p99_ms": "ms", "mb_s": "MB/s"}
Place = dict[str, Any]  # as measurement.measure_place gives it


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


class StorageReport(TypedDict):
    """What the page and reports/storage.json tell; `size` is that of the table, in bytes."""

    advice: str
    passed: bool
    places: list[Place]
    sample: dict[str, Any]
    size: float
    kinds: list[KindCost]
    prices: dict[str, Any]
    gates: list[dict[str, Any]]


def bench(urls: list[str], seconds: float, size_mb: int) -> list[str]:
    """Measure, write the report, and return it in short.

    Raises BlockedError, the report being written, if a place breaks a limit of params.yaml.
    """
    params, problem, prices = Params.read(), Problem.read(), Prices.load("prices.yaml")
    size, console = size_mb * 10**6, Console(stderr=True)
    folder = measurement.find_room(Path("data"), size)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        places: list[Place] = [
            {**measurement.measure_place(each, seconds, size, bar)}
            for each in measurement.list_places(urls)
        ]
        with measurement.delay_interrupts():
            sample: dict[str, Any] = {**formats.compare_formats(folder, size, bar)}
    verdicts = [
        verdict
        for place, (name, limits) in zip(places, params.storage, strict=False)
        for verdict in judge(place, limits, answering(problem, demanded("storage")[name].owner))
    ]
    report = assemble_report(places, sample, prices, verdicts)
    write_json(REPORT, report)
    with replacing(PAGE) as scratch:
        scratch.write_text(render_page(report, problem.name), encoding="utf-8")
    if failed := [verdict.sentence() for verdict in verdicts if not verdict.passed]:
        raise BlockedError("\n".join([*failed, f"{PAGE} tells more."]))
    return [*map(summarise, places), report["advice"], f"{PAGE} tells more."]


def render_page(report: StorageReport, name: str) -> str:
    """Return the page's HTML for the project of that name."""
    return html().get_template("storage.html").render(**report, name=name, small=small, large=large)


def judge(place: Place, limits: Limits, owner: str) -> Iterator[Verdict]:
    """Yield a verdict for each limit that is set; what could not be measured does not pass."""
    for name, limit in limits:
        if limit is None:
            continue
        end, action, unit = name.split("_", 2)
        figures = small(place, action) if end == "max" else large(place, action)
        measured, key = figures.get(unit), f"storage.{place['name']}.{name}"
        passed = bool(figures) and (measured <= limit if end == "max" else measured >= limit)
        result = f"{number(measured)} {UNITS[unit]}" if figures else f"unknown ({place['fault']})"
        allowed = f"{number(limit)} {UNITS[unit]}"
        mend = f"move to faster storage, or change {key}" if figures else "have it answer"
        yield Verdict(
            name=key,
            passed=passed,
            measured=measured,
            limit=limit,
            meaning=f"{name} of {place['url']} is {result}, the limit {allowed}",
            what_to_do="" if passed else f"Measure again after you {mend}",
            owner=owner,
            requirement=str(Entry("params.yaml", key)),
        )


def assemble_report(
    places: list[Place], sample: dict[str, Any], prices: Prices, verdicts: list[Verdict]
) -> StorageReport:
    """Set what was measured beside prices; where there is no table, those of one of 1 GB."""
    tried = sample.get("formats", [])
    for each in tried:
        each["month_s"] = prices.usage.versions_written * each["write_s"]
        each["month_s"] += prices.usage.full_reads * (each["read_s"] + each["columns_s"])
    ranked = sorted(tried, key=lambda each: each["month_s"])
    size = ranked[0]["bytes"] * sample["of"] / sample["rows"] if ranked else GB
    broken = {verdict.name.split(".")[1] for verdict in verdicts if not verdict.passed}
    usable = [place for place in places if read_rate(place) and place["name"] not in broken]
    kinds = [cost_kind(kind, usable, size, prices.usage) for kind in prices.kinds]
    here = {kind.name for kind in prices.kinds if places[1]["scheme"] in kind.schemes}
    advice = [
        advise_on_format(ranked),
        *advise_on_places(places, broken),
        advise_on_kind(kinds, here, prices.currency),
    ]
    return {
        "advice": " ".join(advice),
        "passed": not broken,
        "places": places,
        "sample": sample,
        "size": size,
        "kinds": kinds,
        "prices": prices.model_dump(mode="json"),
        "gates": [verdict.model_dump() for verdict in verdicts],
    }


def cost_kind(kind: Kind, usable: list[Place], size: float, usage: Usage) -> KindCost:
    """Reckon what a table of `size` bytes costs with a kind of storage."""
    bill = kind.bill(size, usage)
    fastest = max((p for p in usable if p["scheme"] in kind.schemes), key=read_rate, default=None)
    if fastest is None:
        return {"name": kind.name, "bill": bill, "place": None, "read_s": None, "month": None}
    read_s = size / 1e6 / read_rate(fastest)
    month = bill + usage.full_reads * read_s / 3600 * usage.hour_is_worth
    place = fastest["name"]
    return {"name": kind.name, "bill": bill, "place": place, "read_s": read_s, "month": month}


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
