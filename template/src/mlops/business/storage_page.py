"""What storage does, beside what it costs, and what to use and why: reports/storage.html.

storage/measurement.py and storage/formats.py measure; the prices and the use of a month are
prices.yaml's.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
Report = dict[str, Any]


def bench(urls: list[str], seconds: float, size_mb: int) -> list[str]:
    """Measure, write the report, and return it in short.

    Raises BlockedError, the report being written, if a place breaks a limit of params.yaml.
    """
    params, problem, prices = Params.read(), Problem.read(), Prices.load("prices.yaml")
    size, console = size_mb * 10**6, Console(stderr=True)
    folder = measurement.find_room(Path("data"), size)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        places: list[Report] = [
            {**measurement.measure_place(each, seconds, size, bar)}
            for each in measurement.list_places(urls)
        ]
        with measurement.delay_interrupts():
            sample: Report = {**formats.compare_formats(folder, size, bar)}
    verdicts = [
        verdict
        for place, (name, limits) in zip(places, params.storage, strict=False)
        for verdict in judged(place, limits, answering(problem, demanded("storage")[name].owner))
    ]
    report = reported(places, sample, prices, verdicts)
    write_json(REPORT, report)
    with replacing(PAGE) as scratch:
        scratch.write_text(page(report, problem.name), encoding="utf-8")
    if failed := [verdict.sentence() for verdict in verdicts if not verdict.passed]:
        raise BlockedError("\n".join([*failed, f"{PAGE} tells more."]))
    return [*map(summary, places), report["advice"], f"{PAGE} tells more."]


def page(report: Report, name: str) -> str:
    return html().get_template("storage.html").render(**report, name=name, small=small, large=large)


def judged(place: Report, limits: Limits, owner: str) -> Iterator[Verdict]:
    """A verdict for each limit that is set; what could not be measured does not pass."""
    for name, limit in limits:
        if limit is None:
            continue
        end, action, unit = name.split("_", 2)
        found = small(place, action) if end == "max" else large(place, action)
        measured, key = found.get(unit), f"storage.{place['name']}.{name}"
        passed = bool(found) and (measured <= limit if end == "max" else measured >= limit)
        told = f"{number(measured)} {UNITS[unit]}" if found else f"unknown ({place['fault']})"
        mend = f"move to faster storage, or change {key}" if found else "have it answer"
        yield Verdict(
            name=key,
            passed=passed,
            measured=measured,
            limit=limit,
            meaning=f"{name} of {place['url']} is {told}, the limit {number(limit)} {UNITS[unit]}",
            what_to_do="" if passed else f"Measure again after you {mend}",
            owner=owner,
            requirement=str(Entry("params.yaml", key)),
        )


def reported(places: list[Report], sample: Report, prices: Prices, gates: list[Verdict]) -> Report:
    """What the page and the JSON tell. Where there is no table, prices are for one of 1 GB."""
    tried = sample.get("formats", [])
    for each in tried:
        each["month_s"] = prices.usage.versions_written * each["write_s"]
        each["month_s"] += prices.usage.full_reads * (each["read_s"] + each["columns_s"])
    ranked = sorted(tried, key=lambda each: each["month_s"])
    size = ranked[0]["bytes"] * sample["of"] / sample["rows"] if ranked else GB
    broken = {gate.name.split(".")[1] for gate in gates if not gate.passed}
    usable = [place for place in places if reads(place) and place["name"] not in broken]
    kinds = [compared(kind, usable, size, prices.usage) for kind in prices.kinds]
    here = {kind.name for kind in prices.kinds if places[1]["scheme"] in kind.schemes}
    said = [*on_formats(ranked), *on_places(places, broken), *on_kinds(kinds, here, prices)]
    return {
        "advice": " ".join(said),
        "passed": not broken,
        "places": places,
        "sample": sample,
        "size": size,
        "kinds": kinds,
        "prices": prices.model_dump(mode="json"),
        "gates": [gate.model_dump() for gate in gates],
    }


def compared(kind: Kind, places: list[Report], size: float, usage: Usage) -> Report:
    """{name, bill, place, read_s, month}: the fastest place of the kind, and the bill with waiting.

    The last three are None where no place of the kind may be used.
    """
    found = max((p for p in places if p["scheme"] in kind.schemes), key=reads, default=None)
    bill, read_s = kind.bill(size, usage), size / 1e6 / reads(found) if found else None
    month = bill + usage.full_reads * read_s / 3600 * usage.hour_is_worth if read_s else None
    name = found["name"] if found else None
    return {"name": kind.name, "bill": bill, "place": name, "read_s": read_s, "month": month}


def on_formats(ranked: list[Report]) -> Iterator[str]:
    if not ranked:
        yield "There is no table yet to compare formats with; prices are for one of 1 GB."
        return
    told = (f"{o['name']} {number(o['bytes'] / 1e6)} MB, {duration(o['month_s'])}" for o in ranked)
    yield f"Keep the table as {ranked[0]['name']} (a month's reads and writes: {'; '.join(told)})."


def on_places(places: list[Report], broken: set[str]) -> Iterator[str]:
    for place in places:
        if place["fault"]:
            yield f"At {place['name']}: {place['fault']}."
    if broken:
        yield f"Not within the limits of params.yaml, and so left out: {listed(sorted(broken))}."
    local, remote = map(reads, places[:2])
    rates = f"({number(local)} and {number(remote)} MB/s)"
    if remote and local > 1.5 * remote:
        yield f"Work on a copy in data/: it is read faster than the DVC remote {rates}."
    elif remote:
        yield f"data/ is read no faster than the DVC remote {rates}, so a copy saves no time."


def on_kinds(kinds: list[Report], here: set[str], prices: Prices) -> Iterator[str]:
    """Where to keep the versions: where a month costs least, if that saves enough to move."""
    priced = (kind for kind in kinds if kind["month"] is not None)
    known = sorted(priced, key=lambda kind: kind["month"])
    if not known:
        yield "Nothing that may be used has a price in prices.yaml."
        return
    best, today = known[0], next((kind for kind in known if kind["name"] in here), None)
    costs = f"{money(best['month'])} {prices.currency} a month, with the waiting for reads"
    if today is best:
        yield f"Leave its versions on {best['name']}: nothing measured costs less. It is {costs}."
    elif today and today["month"] - best["month"] < SMALL_CHANGE:
        saves = money(today["month"] - best["month"])
        yield f"Leave its versions on {today['name']}: {best['name']} would save {saves}."
    else:
        beside = f"; {today['name']}, as now, costs {money(today['month'])}" if today else ""
        yield f"Keep its versions on {best['name']}: {costs}{beside}."
    unknown = [kind for kind in kinds if kind["month"] is None]
    if hope := [k["name"] for k in unknown if best["month"] - k["bill"] > SMALL_CHANGE]:
        yield f"The bill alone of {listed(hope)} is lower: give its URL, to measure it too."


def money(amount: float) -> str:
    return number(amount, 2) if amount >= 0.005 else "less than 0.01"


def small(place: Report, action: str) -> Report:
    """The figures of small blocks at random, or one after the other where it has no others."""
    return figure(place, action, "random", "small") or figure(place, action, "sequential", "small")


def large(place: Report, action: str) -> Report:
    return figure(place, action, "sequential", "large")


def figure(place: Report, *pattern: str) -> Report:
    """The figures of (action, order, block), {} if it was not measured."""
    found = (f for f in place["figures"] if (f["action"], f["order"], f["block"]) == pattern)
    return next(found, {})


def reads(place: Report) -> float:
    """10^6 bytes a second, 0 if that is not known."""
    return float(large(place, "read").get("mb_s", 0))


def summary(place: Report) -> str:
    if not reads(place):
        return f"{place['name']}: not measured, {place['fault']}"
    told = []
    for action in ("read", "write"):
        one, rate = small(place, action), number(large(place, action)["mb_s"])
        took = f"{number(one['p50_ms'])} ms (p99 {number(one['p99_ms'])})"
        told.append(f"{action}s 4 KiB in {took}, {number(one['iops'])} a second, and {rate} MB/s")
    return f"{place['name']}: {'; '.join(told)}; {place['how']}"
