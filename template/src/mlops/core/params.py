"""params.yaml as a model: how the pipeline works.

Each key has a default, because an older file lacks the newer keys.
"""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field

from .strict_model import Share, StrictModel

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
CENTURY = 36500  # days; further back there is no data, and soon no date


def check_duration(text: str) -> str:
    """Check a length of time as Prometheus writes it, and return it.

    Raises ValueError if it is none, or longer than a century.
    """
    if not re.fullmatch(r"([1-9]\d*[smhdw])+", text):
        raise ValueError("this is not a length of time: write 30s, 5m, 1h30m or 7d")
    if convert_to_seconds(text) > CENTURY * SECONDS["d"]:
        raise ValueError("this is longer than a century")
    return text


Duration = Annotated[str, AfterValidator(check_duration)]
Days = Annotated[float, Field(gt=0, le=CENTURY)]


class DataParams(StrictModel):
    """What the table must keep: shares of rows, rows, and the score of a column alone."""

    max_reject_rate: Share = 0.1
    min_rows: Annotated[int, Field(ge=1)] = 200
    max_leak_score: Share = 0.9


class SplitParams(StrictModel):
    """The shares of rows to choose by and to judge by."""

    valid: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    test: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    seed: int = 13


class TrainParams(StrictModel):
    """`trials` and `seconds` bound the search, whichever comes first; `processes` 0: one a core."""

    candidates: list[str]
    metric: str = "auto"
    trials: Annotated[int, Field(ge=1)] = 16
    seconds: Annotated[int, Field(ge=1)] = 600
    batch: Annotated[int, Field(ge=1)] = 4
    processes: Annotated[int, Field(ge=0)] = 0
    folds: Annotated[int, Field(ge=2)] = 4
    folds_below_rows: Annotated[int, Field(ge=0)] = 5000
    seed: int = 13


class EvaluateParams(StrictModel):
    """How bounds are drawn (resamples of the bootstrap), and which slices are judged."""

    resamples: Annotated[int, Field(ge=50)] = 300
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    min_slice_rows: Annotated[int, Field(ge=1)] = 100


class GateParams(StrictModel):
    """`min_lift`: by how much the primary metric must exceed the baseline's.
    `max_loss`: by how much it may be worse than the champion's, or the base's of a review.
    `max_slice_gap`: by how much a slice may be worse than the whole.
    `max_parity_gap`: the share of rows on which the packaged model may differ.
    `min_value`: value per thousand decisions, over that of doing nothing.
    `max_value_loss`: by how much that value may be below the base's of a review.
    """

    min_lift: float = 0.01
    max_loss: float = 0.0
    max_slice_gap: float = 0.1
    max_parity_gap: Share = 0.001
    min_value: float = 0.0
    max_value_loss: Annotated[float, Field(ge=0)] = 0.0


class Budgets(StrictModel):
    """What one run of the pipeline may take: wall seconds in all, and memory of any stage.
    `latency_ms`: of 100 requests for one record, 99 take no longer (None: no limit); judged where
    there is a service.
    """

    seconds: float = 900
    memory_mb: float = 4000
    latency_ms: float | None = 20.0


class Limits(StrictModel):
    """How fast a place is at least; None: no limit. Of small blocks at random, 99 of 100 requests
    take no more milliseconds; large blocks go in sequence, at so many 10^6 bytes a second.
    """

    max_read_p99_ms: float | None = None
    max_write_p99_ms: float | None = None
    min_read_mb_s: float | None = None
    min_write_mb_s: float | None = None


class Storage(StrictModel):
    """Limits of this machine's disk, and of the DVC remote."""

    local: Limits = Limits()
    remote: Limits = Limits()


class Tracking(StrictModel):
    """Where MLflow keeps runs and models."""

    uri: str = "sqlite:///mlflow.db"


class Scale(StrictModel):
    """The address of a Dask scheduler, such as tcp://dask-scheduler:8786 (None: this machine)."""

    scheduler: str | None = None


class Watch(StrictModel):
    """How often `monitor watch` looks, and how often at most it retrains.

    `grow`: add the records whose ground truth has arrived to the table before that. `shadow`: how
    long a new model follows the old one; `trial`: how long it must keep the objectives once it
    answers.
    """

    every: Duration = "1h"
    retrain_at_most_every: Duration = "1d"
    grow: bool = True
    shadow: Duration = "10m"
    trial: Duration = "10m"


class Monitoring(StrictModel):
    """What of live traffic raises an alert; None: nothing does.

    `window`: of the traffic that is judged; `min_rows`: fewer in it say nothing.
    `max_psi`: population stability index of an input, or of the score.
    `max_missing`: by how much the share of missing values may exceed that in training.
    `max_unseen`: by how much that of texts which training never met may exceed what is expected.
    `max_performance_loss`: primary metric below that of the evaluation.
    `truth_days`: of predictions, to judge performance and value by.
    `count_once_within`: how long after a record's answer another of the same key is a repeat, which
    counts in neither.
    """

    window: Duration = "1d"
    min_rows: Annotated[int, Field(ge=1)] = 500
    max_psi: Annotated[float, Field(gt=0)] | None = 0.2
    max_missing: Share | None = 0.1
    max_unseen: Share | None = 0.05
    max_performance_loss: Annotated[float, Field(ge=0)] | None = 0.05
    truth_days: Annotated[int, Field(ge=1, le=CENTURY)] = 90
    count_once_within: Duration = "30d"
    max_model_age_days: Days | None = 180
    max_data_age_days: Days | None = 30
    max_silence: Duration | None = "1h"
    watch: Watch = Watch()


class Params(StrictModel):
    """All of params.yaml. It is the data scientist's file."""

    data: DataParams = DataParams()
    split: SplitParams = SplitParams()
    train: TrainParams
    evaluate: EvaluateParams = EvaluateParams()
    gates: GateParams = GateParams()
    budgets: Budgets = Budgets()
    storage: Storage = Storage()
    tracking: Tracking = Tracking()
    scale: Scale = Scale()
    monitoring: Monitoring = Monitoring()

    @classmethod
    def read(cls) -> Self:
        """Read params.yaml. Raises UserError for what is wrong with it."""
        return cls.load("params.yaml")


def convert_to_seconds(duration: str) -> int:
    """Convert a `Duration` to seconds."""
    parts = re.findall(r"(\d+)([smhdw])", duration)
    return sum(int(number) * SECONDS[unit] for number, unit in parts)
