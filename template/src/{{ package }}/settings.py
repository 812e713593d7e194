"""The team's files as strict frozen models: a wrong key or value is one clear sentence."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import UserError
from .files import replacing

Share = Annotated[float, Field(ge=0, le=1)]
Task = Literal["binary", "multiclass", "regression"]


def read_yaml(path: str) -> Any:
    """Raises UserError if the file is absent or is not YAML."""
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} is not here: run the command in the project's root.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        detail = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read as YAML: {detail}") from error


def explain(error: Any) -> str:
    """What pydantic found, in the words of the file's owner."""
    if error["type"] == "extra_forbidden":
        return "this key is not known; check its spelling"
    if error["type"] == "missing":
        return "this key is missing; add it"
    if error["input"] is None:
        return "this is empty; fill it in"
    return f"{error['msg'][0].lower()}{error['msg'][1:]}, but it is {error['input']!r}"


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @classmethod
    def load(cls, path: str) -> Self:
        """Read a YAML file. Raises UserError naming the file, the key and the rule broken."""
        try:
            return cls.model_validate(read_yaml(path))
        except ValidationError as error:
            # A misspelt key first: that another key is missing often follows from it.
            first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
            where = ".".join(str(part) for part in first["loc"]) or "the top level"
            raise UserError(f"{path}: {where}: {explain(first)}.") from error


class Owners(Settings):
    """Who answers for each stage: a team or person as the code host knows them (`@org/team`)."""

    business_owner: str = ""
    data_engineer: str = ""
    data_scientist: str = ""
    ml_engineer: str = ""
    devops_engineer: str = ""


class Baseline(Settings):
    """How the decision is made today, and the primary metric that reaches (None: not known)."""

    description: str = ""
    score: float | None = None


class Value(Settings):
    """What one decision is worth, in `unit`.

    The four outcomes hold for a yes/no target; `correct` and `wrong` for more classes;
    `per_unit_of_error` (usually negative) for a number.
    """

    unit: str = ""
    true_positive: float = 1.0
    false_positive: float = -1.0
    false_negative: float = 0.0
    true_negative: float = 0.0
    correct: float = 1.0
    wrong: float = -1.0
    per_unit_of_error: float = -1.0


OUTCOMES: dict[Task, tuple[str, ...]] = {
    "binary": ("true_positive", "false_positive", "false_negative", "true_negative"),
    "multiclass": ("correct", "wrong"),
    "regression": ("per_unit_of_error",),
}
HEADING = """\
# WHY this model exists. The business owner's file. It was started over for a new table: say here
# which decision that is for, and what the outcomes are really worth.
"""
NEUTRAL = """\
baseline:
  description: The same answer for every case.
  score: null
value:
  unit: points
  # A yes/no target has four outcomes; positive is the case to act on.
  true_positive: 1.0
  false_positive: -1.0
  false_negative: 0.0
  true_negative: 0.0
  # A target of more classes has two.
  correct: 1.0
  wrong: -1.0
  # A number is worth so much for each unit that a prediction is off.
  per_unit_of_error: -1.0
"""


class Problem(Settings):
    """problem.yaml: why the model exists. The business owner's file."""

    name: str
    decision: str = ""
    kpi: str = ""
    owners: Owners = Owners()
    baseline: Baseline = Baseline()
    value: Value = Value()

    @classmethod
    def read(cls) -> Self:
        return cls.load("problem.yaml")

    def missing(self, task: Task) -> list[str]:
        """Names of the entries a release needs for this kind of target and that are not filled in.

        Values of outcomes have defaults to compute with, but a release needs them to be said.
        """
        entries = {
            "decision": self.decision,
            "kpi": self.kpi,
            "baseline.description": self.baseline.description,
            "value.unit": self.value.unit,
            **{f"owners.{role}": owner for role, owner in self.owners},
        }
        unsaid = set(OUTCOMES[task]) - self.value.model_fields_set
        blank = [name for name, text in entries.items() if not text.strip()]
        return blank + [f"value.{name}" for name in OUTCOMES[task] if name in unsaid]

    def start_over(self, target: str) -> None:
        """Rewrite problem.yaml for another table: neutral until the business owner fills it in."""
        owners = yaml.safe_dump({"owners": self.owners.model_dump()}, sort_keys=False)
        fresh = {
            "name": self.name,
            "decision": f"Which cases should be acted on, by their {target}?",
            "kpi": "Value of a thousand decisions",
        }
        text = yaml.safe_dump(fresh, sort_keys=False, allow_unicode=True, width=200)
        with replacing(Path("problem.yaml")) as scratch:
            scratch.write_text(f"{HEADING}{text}{owners}{NEUTRAL}", encoding="utf-8")


class DataParams(Settings):
    max_reject_rate: Share = 0.1
    min_rows: Annotated[int, Field(ge=1)] = 200
    max_leak_score: Share = 0.9


class SplitParams(Settings):
    valid: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    test: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    seed: int = 13


class TrainParams(Settings):
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


class EvaluateParams(Settings):
    resamples: Annotated[int, Field(ge=50)] = 300
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    min_slice_rows: Annotated[int, Field(ge=1)] = 100


class GateParams(Settings):
    """`min_lift`: by how much the primary metric must exceed the baseline's.
    `max_loss`: by how much it may be worse than the champion's.
    `max_slice_gap`: by how much a slice may be worse than the whole.
    `max_parity_gap`: the share of rows on which the packaged model may differ.
    `min_value`: value per thousand decisions, over that of doing nothing.
    """

    min_lift: float = 0.01
    max_loss: float = 0.0
    max_slice_gap: float = 0.1
    max_parity_gap: Share = 0.001
    min_value: float = 0.0


class Budgets(Settings):
    """What one run of the pipeline may take: wall seconds in all, and memory of any stage.
    `latency_ms`: of 100 requests for one record, 99 take no longer (None: there is no service).
    """

    seconds: float = 900
    memory_mb: float = 4000
    latency_ms: float | None = None


class Limits(Settings):
    """How fast a place is at least; None: no limit. Of small blocks at random, 99 of 100 requests
    take no more milliseconds; large blocks go in sequence, at so many 10^6 bytes a second.
    """

    max_read_p99_ms: float | None = None
    max_write_p99_ms: float | None = None
    min_read_mb_s: float | None = None
    min_write_mb_s: float | None = None


class Tracking(Settings):
    uri: str = "sqlite:///mlflow.db"


class Scale(Settings):
    """The address of a Dask scheduler, such as tcp://dask-scheduler:8786 (None: this machine)."""

    scheduler: str | None = None


class Params(Settings):
    """params.yaml: how the pipeline works. The data scientist's file."""

    data: DataParams = DataParams()
    split: SplitParams = SplitParams()
    train: TrainParams
    evaluate: EvaluateParams = EvaluateParams()
    gates: GateParams = GateParams()
    budgets: Budgets = Budgets()
    storage: dict[Literal["local", "remote"], Limits] = Field(default_factory=dict)
    tracking: Tracking = Tracking()
    scale: Scale = Scale()

    @classmethod
    def read(cls) -> Self:
        return cls.load("params.yaml")
