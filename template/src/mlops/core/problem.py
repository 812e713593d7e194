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
    """Of the decision and its value: this file."""
    data_engineer: str = ""
    """Of the data: contract.yaml, prices.yaml and `data/`."""
    data_scientist: str = ""
    """Of the model: params.yaml and the team's package."""
    ml_engineer: str = ""
    """Of the pipeline, the gates and the registry."""
    devops_engineer: str = ""
    """Of whatever it runs on."""


class Baseline(StrictModel):
    """How the decision is made today."""

    description: str = ""
    """In words."""
    score: float | None = None
    """The primary metric that it reaches; null: not known."""


class Value(StrictModel):
    """What one decision is worth, in `unit`.

    The four outcomes hold for a yes/no target; `correct` and `wrong` for more classes;
    `per_unit_of_error` (usually negative) for a number.
    """

    unit: str = ""
    """A currency such as EUR, or any other unit."""
    true_positive: float = 1.0
    """Acted on, rightly."""
    false_positive: float = -1.0
    """Acted on, wrongly."""
    false_negative: float = 0.0
    """Not acted on, though it would have been right."""
    true_negative: float = 0.0
    """Not acted on, rightly."""
    correct: float = 1.0
    """The right one of several classes."""
    wrong: float = -1.0
    """A wrong one of several classes."""
    per_unit_of_error: float = -1.0
    """Each unit by which a predicted number is off; usually negative."""


class Objectives(StrictModel):
    """What users of the service are promised; breaking it raises an alert."""

    availability: Annotated[float, Field(gt=0, lt=1)] = 0.995
    """Share of requests that are answered."""
    latency_ms: Literal[1, 5, 10, 25, 50, 100, 250, 500, 1000] = 100
    """Of those, `latency_share` take no longer."""
    latency_share: Annotated[float, Field(gt=0, lt=1)] = 0.99
    """Share of answers that keep `latency_ms`."""


class Estimate(StrictModel):
    """Assumptions before the project starts, for `problem estimate`; null: not known yet."""

    decisions_a_month: Annotated[float, Field(gt=0)] | None = None
    """How many decisions are made."""
    positive_share: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Of them, those where acting is right."""
    found_share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Of these, the ones that a model finds (recall)."""
    precision: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of its alarms that are right."""
    cost_to_build: Annotated[float, Field(ge=0)] | None = None
    """Once, in the unit of `value`."""
    cost_a_month: Annotated[float, Field(ge=0)] | None = None
    """Machines, and people who look after it, in the unit of `value`."""
    months: Annotated[int, Field(ge=1)] = 24
    """Within which it must have paid for itself."""


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
    """The project's name, for people."""
    decision: str = ""
    """The decision that the model supports, as a question; a release needs it."""
    kpi: str = ""
    """The figure of the business that it is to move."""
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
