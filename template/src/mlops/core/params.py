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


Duration = Annotated[str, AfterValidator(check_duration), Field(examples=["5m", "1h30m", "7d"])]
Days = Annotated[float, Field(gt=0, le=CENTURY)]


class DataParams(StrictModel):
    """What the table must keep."""

    max_reject_rate: Share = 0.1
    """Gate: share of the rows read that may end in quarantine."""
    min_rows: Annotated[int, Field(ge=1)] = 200
    """Gate: rows needed to learn from."""
    max_leak_score: Share = 0.9
    """Gate: how well one column alone may predict the target, 0 to 1."""


class SplitParams(StrictModel):
    """How rows are divided; what validation and test leave is for training."""

    valid: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    """Share of rows for validation, by which a model is chosen."""
    test: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    """Share of rows for the test, by which the chosen model is judged."""
    seed: int = 13
    """Random seed of the split."""


class TrainParams(StrictModel):
    """How the search for a model goes."""

    candidates: list[str]
    """Names of the candidates to compare; the team's own are in `candidates.py`."""
    metric: str = "auto"
    """Primary metric; `auto`: roc_auc, roc_auc_ovr or r2, by the kind of target."""
    trials: Annotated[int, Field(ge=1)] = 16
    """The search ends after so many trials, or after `seconds`, whichever comes first."""
    seconds: Annotated[int, Field(ge=1)] = 600
    """The search starts no trial after so many seconds."""
    batch: Annotated[int, Field(ge=1)] = 4
    """Trials run side by side; the result depends on it."""
    processes: Annotated[int, Field(ge=0)] = 0
    """Worker processes, 0: one for each core; the result does not depend on it."""
    folds: Annotated[int, Field(ge=2)] = 4
    """Folds of the cross-validation of a small table."""
    folds_below_rows: Annotated[int, Field(ge=0)] = 5000
    """Tables below so many rows use cross-validation; larger ones one validation part."""
    seed: int = 13
    """Random seed of the search and of its folds."""


class EvaluateParams(StrictModel):
    """How intervals are computed, and which slices are judged."""

    resamples: Annotated[int, Field(ge=50)] = 300
    """Resamples of the bootstrap, for every interval."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Confidence level of every interval."""
    min_slice_rows: Annotated[int, Field(ge=1)] = 100
    """A slice with fewer test rows is not judged."""


class GateParams(StrictModel):
    """How good a model must be to be released."""

    min_lift: float = 0.01
    """By how much the primary metric must exceed the baseline's."""
    max_loss: float = 0.0
    """By how much it may be below the champion's and the best's so far; in a review, the base's."""
    max_slice_gap: float = 0.1
    """By how much it may be lower on a slice than on the whole."""
    max_parity_gap: Share = 0.001
    """Share of rows for which the packaged model may give another answer."""
    min_value: float = 0.0
    """Value per thousand decisions, over that of doing nothing."""
    max_value_loss: Annotated[float, Field(ge=0)] = 0.0
    """By how much that value may be below that of these."""


class Budgets(StrictModel):
    """What one run of the pipeline, and one request, may take."""

    seconds: float = 900
    """Wall-clock seconds of the whole run."""
    memory_mb: float = 4000
    """Peak memory of any stage, in 10^6 bytes."""
    latency_ms: float | None = 20.0
    """99 of 100 requests for one record take no longer; judged where there is a service."""


class Limits(StrictModel):
    """How fast a storage is at least; null: no limit."""

    max_read_p99_ms: float | None = None
    """99 of 100 reads of a small block at random take no longer."""
    max_write_p99_ms: float | None = None
    """99 of 100 writes of a small block at random take no longer."""
    min_read_mb_s: float | None = None
    """Sequential reads of large blocks, in 10^6 bytes a second."""
    min_write_mb_s: float | None = None
    """Sequential writes of large blocks, in 10^6 bytes a second."""


class Storage(StrictModel):
    """Limits for `data bench`."""

    local: Limits = Limits()
    """Of this machine's disk."""
    remote: Limits = Limits()
    """Of the DVC remote."""


class Tracking(StrictModel):
    """Where MLflow keeps runs and models."""

    uri: str = "sqlite:///mlflow.db"
    """Tracking URI: a database such as `sqlite:///mlflow.db`, or a server."""


class Scale(StrictModel):
    """Where the search and batch scoring run."""

    scheduler: str | None = None
    """Address of a Dask scheduler, `tcp://HOST:8786`; null: workers on this machine."""


class Watch(StrictModel):
    """What `monitor watch` does."""

    every: Duration = "1h"
    """How often it looks."""
    retrain_at_most_every: Duration = "1d"
    """Time from one retraining to the next, at least."""
    grow: bool = True
    """Whether rows whose ground truth has arrived join the table before a retraining."""
    shadow: Duration = "10m"
    """How long a new model answers in shadow before it takes over."""
    shadow_records: Annotated[int, Field(ge=0)] = 100
    """How many records it must have answered by then, or it does not take over."""
    trial: Duration = "10m"
    """How long it must then keep the objectives, or it is rolled back."""


class Monitoring(StrictModel):
    """What of live traffic raises an alert; null: nothing does."""

    window: Duration = "1d"
    """Length of the traffic that is judged."""
    min_rows: Annotated[int, Field(ge=1)] = 500
    """With fewer rows in the window nothing is judged."""
    max_psi: Annotated[float, Field(gt=0)] | None = 0.2
    """Population stability index of an input, or of the score."""
    max_missing: Share | None = 0.1
    """By how much the share of missing values may exceed that in training."""
    max_unseen: Share | None = 0.05
    """By how much the share of texts that training never met may exceed what is expected."""
    max_performance_loss: Annotated[float, Field(ge=0)] | None = 0.05
    """By how much the primary metric may be below that of the evaluation."""
    truth_days: Annotated[int, Field(ge=1, le=CENTURY)] = 90
    """Predictions of so many days are judged by performance and value."""
    count_once_within: Duration = "30d"
    """How long after its answer a record of the same key is a repeat, which counts in neither."""
    max_model_age_days: Days | None = 180
    """Age of the model in production."""
    max_data_age_days: Days | None = 30
    """Time since the table that it learned from was last changed."""
    max_silence: Duration | None = "1h"
    """Time without a request."""
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
