"""What anybody can say of tomorrow who knows today: the last value, or that of a season ago.

A forecast that such a guess beats is worth nothing, however far it is above one answer for all rows
(R. Hyndman and G. Athanasopoulos, Forecasting: Principles and Practice, 5.2).
"""

from datetime import timedelta
from typing import NamedTuple

import polars as pl

from ..data.column_names import col, cols, internal, values_of
from ..data.contract import Contract
from ..model.value import Array

LEAST_TIMES = 10  # of an entity on average; of fewer, no course in time can be told
TEST, PLACE, WHEN, WHAT = (internal(name) for name in ("test", "place", "when", "what"))


class Season(NamedTuple):
    """How far rows of one entity lie apart, how long their season is, and that in words."""

    step: timedelta
    length: str
    words: str


SEASONS = (
    Season(timedelta(hours=1), "1d", "a day before"),
    Season(timedelta(days=1), "7d", "a week before"),
    Season(timedelta(days=7), "52w", "a year before"),
    Season(timedelta(days=30), "1y", "a year before"),
)


def find_entities(table: pl.DataFrame, contract: Contract) -> list[str] | None:
    """Find the columns whose values have a course in time: at each time one number.

    These are the group, the rest of the key, or a text that comes again; [] if the table is one
    course. None if nothing has a course.
    """
    time = contract.of_role("time")[0].name
    texts = [one.name for one in contract.inputs if one.type == "string" and one.name != time]
    groups = [one.name for one in contract.of_role("group")]
    keys = [name for name in contract.key_names if name != time]
    for names in ([], groups, keys, *([text] for text in texts), texts):
        courses = table.select(cols(names)).n_unique() if names else 1
        regular = table.select(cols([*names, time])).is_unique().all()
        if regular and table.height >= LEAST_TIMES * courses:
            return list(names)
    return None


def forecast_naively(
    past: pl.LazyFrame, test: pl.DataFrame, contract: Contract
) -> dict[str, Array]:
    """Forecast the test rows from what was known before each; the keys say how, in words.

    Each forecast is (test rows,). {} if the target is no number, there is no time, or the rows have
    no course (find_entities). Where there is no earlier value it is the median of the past.
    """
    if contract.task != "regression" or not contract.of_role("time"):
        return {}
    earlier = past.select(cols(test.columns)).collect()
    names = find_entities(pl.concat([earlier, test]), contract)
    if names is None:
        return {}
    time = contract.of_role("time")[0].name
    course = (
        pl.concat([earlier, test])
        .select(
            cols(names),
            col(time).cast(pl.Datetime("us")).alias(WHEN),
            col(contract.target.name).cast(pl.Float64).alias(WHAT),
            pl.Series(TEST, [False] * earlier.height + [True] * test.height),
        )
        .with_row_index(PLACE)
    )
    course = course.sort(WHEN)
    middle = values_of(earlier, contract.target.name).median()
    whose = f" of the same {' and '.join(names)}" if names else ""
    last = pl.col(WHAT).shift(1)
    known = course.with_columns((last.over(cols(names)) if names else last).alias("last"))
    forecasts = {f"the last value{whose}": _pick_test(known, "last", middle)}
    if season := _find_season(course, names):
        ago = course.select(cols(names), pl.col(WHEN).dt.offset_by(season.length), ago=WHAT)
        joined = known.join(ago, on=[*names, WHEN], how="left", nulls_equal=True)
        both = joined.with_columns(pl.coalesce("ago", "last").alias("ago"))
        forecasts[f"the value {season.words}{whose}"] = _pick_test(both, "ago", middle)
    return forecasts


def _pick_test(course: pl.DataFrame, name: str, middle: object) -> Array:
    """Pick the forecasts of the test rows, in their order."""
    rows = course.filter(TEST).sort(PLACE)
    return rows[name].fill_null(middle).to_numpy()


def _find_season(course: pl.DataFrame, names: list[str]) -> Season | None:
    """Find the season that goes with the usual distance of two rows of an entity."""
    gap = pl.col(WHEN).diff()
    apart = course.select(gap.over(cols(names)) if names else gap).to_series().median()
    if not isinstance(apart, timedelta):  # no entity has two rows
        return None
    return next((one for one in SEASONS if abs(one.step - apart) <= one.step * 0.05), None)
