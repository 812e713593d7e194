"""What the stages of one run have reported, gathered for those who write about it."""

from dataclasses import dataclass, field
from typing import Any, Self

from ..core.params import Params
from ..core.paths import CHOICE, GATE_REPORT, REPORTS, read_json
from ..core.problem import Problem
from ..data.contract import Contract

Report = dict[str, Any]

# The reports in the order they are made, and how many of them a run has made when a gate has
# judged. The others are of an earlier run.
MADE = ("ingest", "validation", "split", "choice", "package", "evaluation", "registration")
MADE_AT_GATE = {"baseline": len(MADE), "leak": 3, "rows": 3, "reject_rate": 2}


@dataclass(frozen=True)
class Reports:
    """The three files of the team and the report of each stage; {} where a stage did not come."""

    problem: Problem
    params: Params
    contract: Contract
    gate: Report
    ingest: Report = field(default_factory=dict)
    validation: Report = field(default_factory=dict)
    split: Report = field(default_factory=dict)
    choice: Report = field(default_factory=dict)
    package: Report = field(default_factory=dict)
    evaluation: Report = field(default_factory=dict)
    registration: Report = field(default_factory=dict)

    @classmethod
    def read(cls) -> Self:
        """Read what this run has reported. Raises UserError if no gate has been judged yet."""
        gate = read_json(GATE_REPORT)
        gates = {verdict["name"] for verdict in gate["gates"]}
        made = MADE[: next(many for name, many in MADE_AT_GATE.items() if name in gates)]
        paths = {name: REPORTS / f"{name}.json" for name in made} | {"choice": CHOICE}
        reports = {name: read_json(paths[name]) for name in made if paths[name].exists()}
        return cls(Problem.read(), Params.read(), Contract.load(), gate, **reports)

    @property
    def failed(self) -> list[Report]:
        """The verdicts that block a release."""
        return [verdict for verdict in self.gate["gates"] if not verdict["passed"]]
