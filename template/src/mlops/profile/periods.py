"""How columns change over time, by periods of the contract's time column, and where rows lack."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from ..data.column_names import col, values_of
from ..data.contract import Column, Contract
from .codes import Coded
from .shift import measure_psi

LEAST_PERIODS, MOST_PERIODS = 5, 40
PERIODS = ("1y", "1q", "1mo", "1w", "1d", "1h")
NAMES = dict(zip(PERIODS, ("year", "quarter", "month", "week", "day", "hour"), strict=True))
FORMATS = {"1y": "%Y", "1q": "%b \u2019%y", "1mo": "%b \u2019%y", "1h": "%d %b %Hh"}
LEAST_ROWS = 30
STEP = {"1d": timedelta(days=1), "1h": timedelta(hours=1)}
WIDE = 5  # times the gap that 95 of 100 do not exceed


@dataclass(frozen=True)
class Period:
    """The rows of one period (of the sample), labelled by its beginning."""

    label: str
    rows: int


@dataclass(frozen=True)
class Course:
    """A column by period: its mean, or the share of `shown`, its commonest value; missing shares.

    None where the period has too few rows. `psi` is that of the period which differs most from all
    others, `most_different`.
    """

    shown: str
    values: list[float | None]
    missing: list[float | None]
    psi: float
    most_different: str


@dataclass(frozen=True)
class Gap:
    """No row from `start` to `end`; a usual gap between rows is at most `usual`, both in words."""

    start: str
    end: str
    usual: str


@dataclass(frozen=True)
class Timeline:
    """The table by period of its time column: which length, how many rows, each column's course."""

    period: str
    periods: list[Period]
    courses: dict[str, Course]
    gaps: list[Gap]


def trace_columns(
    table: pl.LazyFrame, sample: pl.DataFrame, contract: Contract, coded: dict[str, Coded]
) -> Timeline | None:
    """Trace the columns of the sample through time; None without times.

    Gaps are looked for in the whole table, which is streamed once more for it.
    """
    times = contract.of_role("time")
    moments = values_of(sample, times[0].name) if times else pl.Series([])
    if moments.drop_nulls().n_unique() < LEAST_PERIODS:
        return None
    length, starts = choose_period(moments.cast(pl.Datetime("us")))
    order = starts.drop_nulls().unique().sort()
    place = starts.replace_strict(
        order, pl.int_range(len(order), eager=True), default=len(order), return_dtype=pl.Int64
    ).to_numpy()
    rows = np.bincount(place, minlength=len(order) + 1)[: len(order)]
    form = FORMATS.get(length, "%d %b")
    periods = [Period(f"{day:{form}}", int(n)) for day, n in zip(order, rows, strict=True)]
    courses = {}
    for column in contract.columns:
        if column.role not in ("key", "time"):
            meant = contract.positive if column == contract.target and contract.classes else "true"
            values = values_of(sample, column.name)
            courses[column.name] = trace_column(values, coded[column.name], place, periods, meant)
    return Timeline(NAMES[length], periods, courses, find_gaps(table, times[0]))


def choose_period(moments: pl.Series) -> tuple[str, pl.Series]:
    """Choose the longest period of which there are enough, and give each moment its beginning."""
    for length in PERIODS:
        starts = moments.dt.truncate(length)
        if starts.drop_nulls().n_unique() >= LEAST_PERIODS:
            break
    return length, starts


def trace_column(
    values: pl.Series, coded: Coded, place: Any, periods: list[Period], meant: str
) -> Course:
    """Trace one column by the period of each row (the number after the last: none).

    Of texts and flags the share of `meant` is taken, if it is there, else of the commonest value.
    """
    many, width = len(periods), len(coded.labels)
    counts = np.bincount(place * width + coded.codes, minlength=(many + 1) * width)
    counts = counts.reshape(-1, width)[:many].astype(float)
    totals = counts.sum(axis=1)
    present = totals - counts[:, -1]
    if values.dtype.is_numeric():
        known, shown = values.is_not_null().to_numpy(), ""
        numbers = values.cast(pl.Float64).to_numpy()[known]
        sums = np.bincount(place[known], numbers, minlength=many + 1)[:many]
    else:
        shown = meant if meant in coded.labels else coded.labels[0]
        sums = counts[:, coded.labels.index(shown)]
    enough = [bool(n >= LEAST_ROWS) for n in totals]
    psi, label = find_most_different(counts, periods, enough)
    means = [float(s / n) if n else None for s, n in zip(sums, present, strict=True)]
    missing = [float(1 - n / max(total, 1)) for n, total in zip(present, totals, strict=True)]
    return Course(
        shown,
        [mean if ok else None for mean, ok in zip(means, enough, strict=True)],
        [share if ok else None for share, ok in zip(missing, enough, strict=True)],
        psi,
        label,
    )


def find_most_different(
    counts: Any, periods: list[Period], enough: list[bool]
) -> tuple[float, str]:
    """Find the period whose bins differ most from those of all others, less chance."""
    most = (0.0, "")
    whole = counts.sum(axis=0)
    used = int((whole > 0).sum())
    for row, period, is_enough in zip(counts, periods, enough, strict=True):
        rest = whole - row
        if is_enough and rest.sum() >= LEAST_ROWS:
            chance = (used - 1) * (1 / row.sum() + 1 / rest.sum())
            psi = measure_psi(rest / rest.sum(), row / row.sum()) - 2 * chance
            most = max(most, (float(psi), period.label))
    return most


def find_gaps(table: pl.LazyFrame, time: Column) -> list[Gap]:
    """Find spans without a row that are much longer than those usual in the whole table."""
    moment = col(time.name).cast(pl.Datetime("us"))
    ends = table.select(low=moment.min(), high=moment.max()).collect(engine="streaming").row(0)
    if None in ends:
        return []
    step = "1d" if ends[1] - ends[0] > timedelta(days=30) else "1h"
    starts = table.select(start=moment.dt.truncate(step)).unique().drop_nulls()
    days = starts.collect(engine="streaming")["start"].sort()
    steps = days.diff().drop_nulls()
    if len(steps) < 2 * LEAST_PERIODS:
        return []
    usual: Any = steps.quantile(0.95, "higher")
    wide = [(before, after) for before, after in pairwise(days) if after - before > WIDE * usual]
    unit = NAMES[step]
    return [
        Gap(write_moment(before, step), write_moment(after, step), write_span(usual, unit))
        for before, after in wide
    ]


def write_moment(moment: datetime, step: str) -> str:
    return f"{moment:%Y-%m-%d}" if step == "1d" else f"{moment:%Y-%m-%d %H:%M}"


def write_span(span: timedelta, unit: str) -> str:
    """Write a length of time in whole units: 1 day, 3 hours."""
    many = round(span / STEP[f"1{unit[0]}"])
    return f"{many:,} {unit}{'' if many == 1 else 's'}"
