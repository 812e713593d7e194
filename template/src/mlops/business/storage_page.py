"""Tell what storage does, beside what it costs, and what to use and why: reports/storage.html.

storage/measurement.py and storage/formats.py measure; the prices and the use of a month are
prices.yaml's.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

from ..core.errors import BlockedError
from ..core.formatting import number
from ..core.params import Limits, Params
from ..core.paths import REPORTS, write_json, write_text
from ..core.problem import Problem
from ..core.progress import show_progress
from ..gates.gates import Finding, Verdict, make_verdict
from ..gates.requirements import name_owner, read_requirements
from ..gates.yaml_location import Entry
from ..pages.environment import html
from ..storage import formats, measurement
from .place_figures import Place, large, read_rate, small, summarise
from .prices import GB, Kind, Prices, Usage
from .storage_advice import KindCost, advise_on_format, advise_on_kind, advise_on_places

PAGE = REPORTS / "storage.html"
REPORT = REPORTS / "storage.json"
UNITS = {"p99_ms": "ms", "mb_s": "MB/s"}


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
    size = size_mb * 10**6
    folder = measurement.find_room(Path("data"), size)
    with show_progress() as bar:
        places: list[Place] = [
            {**measurement.measure_place(each, seconds, size, bar)}
            for each in measurement.list_places(urls)
        ]
        with measurement.delay_interrupts():
            sample: dict[str, Any] = {**formats.compare_formats(folder, size, bar)}
    verdicts = [
        verdict
        for place, (name, limits) in zip(places, params.storage, strict=False)
        for verdict in judge(
            place, limits, name_owner(problem, read_requirements("storage")[name].owner)
        )
    ]
    report = assemble_report(places, sample, prices, verdicts)
    write_json(REPORT, report)
    write_text(PAGE, render_page(report, problem.name))
    if failed := [verdict.sentence() for verdict in verdicts if not verdict.passed]:
        raise BlockedError("\n".join([*failed, f"{PAGE} has the details."]))
    return [*map(summarise, places), report["advice"], f"{PAGE} has the details."]


def render_page(report: StorageReport, name: str) -> str:
    """Return the page's HTML for the project of that name."""
    return (
        html(Path(__file__).parent)
        .get_template("storage.html")
        .render(**report, name=name, small=small, large=large)
    )


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
        meaning = f"{name} of {place['url']} is {result}, the limit {allowed}"
        finding = Finding(passed, measured, limit, meaning, f"Measure again after you {mend}")
        yield make_verdict(key, finding, owner, str(Entry("params.yaml", key)))


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
