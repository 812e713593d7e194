"""The report on the performance of a model in production, as reports/monitoring.json has it."""

from typing import NotRequired, TypedDict

from ..evaluation.evaluation_report import SliceFigures


class ReachedMetric(TypedDict):
    """The primary metric with its interval; `expected` is what the evaluation found."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    expected: float | None


class ReachedValue(TypedDict):
    """What `per` decisions were worth, in `unit`, and what doing nothing would have been.

    `gained` is the difference, on the same rows, and lies between `low` and `high`; `total` is that
    of all decisions whose truth is known; `expected` is the gain that the evaluation promised.
    """

    unit: str
    per: int
    realised: float | None
    do_nothing: float | None
    do_nothing_means: str
    gained: float | None
    low: float | None
    high: float | None
    expected: float
    total: float | None


class LiveSlice(SliceFigures):
    """How a slice does in service; `expected` is what the evaluation found, None if it did not."""

    expected: float | None


class Part(TypedDict):
    """The decisions of a version (None: not registered), or of a period by its first day.

    `gained` for a thousand and `total` are against doing nothing, as in `ReachedValue`.
    """

    version: NotRequired[int | None]
    start: NotRequired[str]
    predictions: int
    rows: int
    metric: float | None
    gained: float | None
    total: float | None


class Performance(TypedDict):
    """What is known of predictions; None is what cannot be told, times are UTC (ISO 8601).

    `first` is the time of the first prediction; `cost` of running since then, in the currency of
    prices.yaml; `rows` are those with a truth, `coverage` is their share; `delay_seconds` by
    quantile; `repeats` of records within monitoring.count_once_within, which are in no other
    figure; `strays` are truths that fit no prediction; `slices_not_live` are columns by which the
    pipeline alone judges, as the model does not read them and the journal keeps what it reads;
    `period`: day, week or month.
    """

    since: NotRequired[str]
    until: NotRequired[str]
    first: NotRequired[str | None]
    cost: NotRequired[float | None]
    repeats: NotRequired[int]
    strays: NotRequired[int]
    task: str
    predictions: int
    rows: int
    coverage: float | None
    delay_seconds: dict[str, float | None]
    contradictions: int
    metric: ReachedMetric
    slices: list[LiveSlice]
    slices_not_live: list[str]
    value: ReachedValue
    versions: list[Part]
    period: str
    trend: list[Part]
