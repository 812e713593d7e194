"""What reports/evaluation.json says of a model; None there is what cannot be told."""

from typing import TypedDict

FORECAST = (
    "this is a forecast, and the model knows of the past no more than the columns of its row say: "
    "deliver the last values, and means of some of them, as columns"
)


class Interval(TypedDict):
    """A figure, and its bounds at the confidence of params.yaml."""

    value: float
    low: float
    high: float


class PrimaryMetric(Interval):
    """The metric that models are chosen by, on the test rows."""

    name: str


class Difference(TypedDict):
    """How far our model is from another one on the same rows.

    `score` and `value` are the other's; `difference` is our score less that, between `low` and
    `high`; `gain` is our value less the other's, with its bounds. Bounds are by paired bootstrap.
    """

    score: float
    difference: float
    low: float
    high: float
    value: float
    gain: Interval


class ChampionDifference(Difference):
    """How far the model is from the champion, of this version in the registry."""

    version: int


class BaselineScore(TypedDict):
    """What a model must beat; `source` says where it comes from. `forecast`: the target has a
    course in time, so that naive forecasts were tried too.
    """

    name: str
    value: float
    source: str
    forecast: bool


class Confusion(TypedDict):
    """`counts[i][j]` are the rows that are labels[i] and were taken for labels[j]."""

    labels: list[str]
    counts: list[list[int]]


class Calibration(TypedDict):
    """Bins of {predicted, observed, rows}, and the expected calibration error."""

    bins: list[dict[str, float]]
    error: float


class InputImportance(TypedDict):
    """By how much the primary metric drops when an input is shuffled."""

    input: str
    drop: float


class DecisionValue(TypedDict):
    """What `per` decisions are worth, in `unit`: by the model, and by what could be done instead.

    `always_act` is None but for a yes/no target, `champion` where there is none to compare with.
    `drafted`: nobody has said yet what outcomes are worth.
    """

    unit: str
    per: int
    model: float
    do_nothing: float
    do_nothing_means: str
    always_act: float | None
    champion: float | None
    drafted: bool


class SliceScore(TypedDict):
    """The primary metric on the rows that have a value, and by how much it is below the whole;
    whether the contract marks the column as protected.
    """

    column: str
    protected: bool
    value: str
    rows: int
    metric: float
    gap: float


class SliceFigures(SliceScore):
    """A slice, and the bounds of its metric, which hold for all slices at once (slices.py)."""

    low: float
    high: float


class Evaluation(TypedDict):
    """Everything that is said of a model; `rows` are the test rows.

    `contract` is {id, version}. `threshold` is None but for a yes/no target, `confusion` for a
    number. `best` is the best so far, often the champion. `champion_note` says why one of the two
    is None.
    """

    task: str
    target: str
    rows: int
    contract: dict[str, str]
    primary_metric: PrimaryMetric
    metrics: dict[str, float]
    baseline: BaselineScore
    threshold: float | None
    confusion: Confusion | None
    calibration: Calibration
    importance: list[InputImportance]
    slices: list[SliceFigures]
    value: DecisionValue
    champion: ChampionDifference | None
    best: ChampionDifference | None
    champion_note: str | None
