"""problem.yaml as a model: why the model exists, who answers for it, what a decision is worth."""

from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field

from .paths import replacing, write_text
from .strict_model import StrictModel

PROBLEM = Path("problem.yaml")
Task = Literal["binary", "multiclass", "regression"]


class Owners(StrictModel):
    """Who answers for each stage: a team or person as the code host knows them (`@org/team`)."""

    business_owner: str = ""
    data_engineer: str = ""
    data_scientist: str = ""
    ml_engineer: str = ""
    devops_engineer: str = ""


class Baseline(StrictModel):
    """How the decision is made today, and the primary metric that reaches (None: not known)."""

    description: str = ""
    score: float | None = None


class Value(StrictModel):
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


class Objectives(StrictModel):
    """What users of the service are promised: the share of requests that are answered, and the
    share of those that take no longer than `latency_ms`.
    """

    availability: Annotated[float, Field(gt=0, lt=1)] = 0.995
    latency_ms: Literal[1, 5, 10, 25, 50, 100, 250, 500, 1000] = 100
    latency_share: Annotated[float, Field(gt=0, lt=1)] = 0.99


class Estimate(StrictModel):
    """What is hoped for before the project starts, for `problem estimate`; None: not said yet.

    `positive_share`: of the decisions, those where acting is right; `found_share`: of these, the
    ones that a model finds; `precision`: the share of its alarms that are right. Costs are in the
    unit of `value`; within `months` it must have paid for itself.
    """

    decisions_a_month: Annotated[float, Field(gt=0)] | None = None
    positive_share: Annotated[float, Field(gt=0, lt=1)] | None = None
    found_share: Annotated[float, Field(gt=0, le=1)] | None = None
    precision: Annotated[float, Field(gt=0, le=1)] | None = None
    cost_to_build: Annotated[float, Field(ge=0)] | None = None
    cost_a_month: Annotated[float, Field(ge=0)] | None = None
    months: Annotated[int, Field(ge=1)] = 24


OUTCOMES: dict[Task, tuple[str, ...]] = {
    "binary": ("true_positive", "false_positive", "false_negative", "true_negative"),
    "multiclass": ("correct", "wrong"),
    "regression": ("per_unit_of_error",),
}
RARE = 1 / 3  # share of a class below which a hit and a false alarm cannot weigh the same
DRAFT = {
    "decision": "Which cases should be acted on",  # how it starts
    "kpi": "Value of a thousand decisions",
    "baseline.description": "The same answer for every case.",
    "value.unit": "points",
}
HEADING = """\
# WHY this model exists. The business owner's file. It was started over for a new table: say here
# which decision that is for, and what the outcomes are really worth.
# In `value`, a yes/no target has four outcomes, of which positive is the case to act on; a target
# of more classes has correct and wrong; a number is worth so much for each unit it is off.
"""


class Problem(StrictModel):
    """All of problem.yaml. It is the business owner's file."""

    name: str
    decision: str = ""
    kpi: str = ""
    owners: Owners = Owners()
    baseline: Baseline = Baseline()
    value: Value = Value()
    objectives: Objectives = Objectives()
    estimate: Estimate = Estimate()

    @classmethod
    def read(cls) -> Self:
        """Read problem.yaml. Raises UserError for what is wrong with it."""
        return cls.load(str(PROBLEM))

    def list_missing(self, task: Task) -> list[str]:
        """List the entries that a release needs for this kind of target and that are not filled in.

        Values of outcomes have defaults to compute with, but a release needs them to be said.
        """
        texts = self._list_texts() | {f"owners.{role}": owner for role, owner in self.owners}
        blank = [name for name, text in texts.items() if not text.strip()]
        unset = set(OUTCOMES[task]) - self.value.model_fields_set
        return blank + [f"value.{name}" for name in OUTCOMES[task] if name in unset]

    def list_drafted(self) -> list[str]:
        """List the entries that still are as the template, or `start_over`, has put them."""
        return [name for name, text in self._list_texts().items() if text.startswith(DRAFT[name])]

    def _list_texts(self) -> dict[str, str]:
        return {
            "decision": self.decision,
            "kpi": self.kpi,
            "baseline.description": self.baseline.description,
            "value.unit": self.value.unit,
        }

    def is_value_drafted(self) -> bool:
        """Tell whether nobody has said yet what the outcomes of a yes/no target are worth."""
        others = (self.value.false_positive, self.value.false_negative, self.value.true_negative)
        return "value.unit" in self.list_drafted() and others == (-1, 0, 0)

    def draft_value(self, share: float) -> float | None:
        """Draft what a hit is worth beside a false alarm of -1, for a table of which `share`, 0 to
        1, is positive: so much that acting pays where a case is likelier to be positive than most.

        Returns the draft, written to problem.yaml; None if neither class is rare.
        """
        from ruamel.yaml import YAML  # noqa: PLC0415  (a service has none)

        if RARE < share < 1 - RARE:
            return None
        hit = float(f"{(1 - share) / share:.2g}")
        editor = YAML()
        editor.preserve_quotes, editor.width = True, 200
        content = editor.load(PROBLEM.read_text(encoding="utf-8"))
        content["value"]["true_positive"] = hit
        with replacing(PROBLEM) as scratch, scratch.open("w", encoding="utf-8") as file:
            editor.dump(content, file)
        return hit

    def start_over(self, target: str) -> None:
        """Rewrite problem.yaml for another table: neutral until the business owner fills it in.

        Who owns what stays, and what users are promised.
        """
        neutral = {
            "decision": f"{DRAFT['decision']}? The model predicts '{target}'.",
            "kpi": DRAFT["kpi"],
            "baseline": Baseline(description=DRAFT["baseline.description"]),
            "value": Value(unit=DRAFT["value.unit"]),
        }
        dropped = {"estimate", "objectives"} - ({"objectives"} & self.model_fields_set)
        content = self.model_copy(update=neutral).model_dump(exclude=dropped)
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=200)
        write_text(PROBLEM, HEADING + text)
