"""What the stages of one run have reported, gathered for those who write about it."""

from dataclasses import dataclass, field
from typing import Any, Self

from ..data.contract import Contract
from ..files import CHOICE, REPORTS, read_json
from ..settings import Params, Problem

Report = dict[str, Any]

GATE = REPORTS / "gate.json"
# Up to each gate in turn, what the run has reported when that gate has judged. What lies beyond
# the last one is of an earlier run.
UP_TO_GATE = {
    "reject_rate": {"ingest": REPORTS / "ingest.json", "validation": REPORTS / "validation.json"},
    "rows": {"split": REPORTS / "split.json", "leak": REPORTS / "leak.json"},
    "baseline": {
        "choice": CHOICE,
        "package": REPORTS / "package.json",
        "evaluation": REPORTS / "evaluation.json",
        "registration": REPORTS / "registration.json",
    },
}


@dataclass(frozen=True)
class Reports:
    """The three files of the team and the report of each stage; {} where a stage did not come."""

    problem: Problem
    params: Params
    contract: Contract
    ingest: Report = field(default_factory=dict)
    validation: Report = field(default_factory=dict)
    split: Report = field(default_factory=dict)
    leak: Report = field(default_factory=dict)
    gate: Report = field(default_factory=dict)
    choice: Report = field(default_factory=dict)
    package: Report = field(default_factory=dict)
    evaluation: Report = field(default_factory=dict)
    registration: Report = field(default_factory=dict)

    @classmethod
    def read(cls) -> Self:
        """Read what is there. Raises UserError if no gate has been judged yet."""
        gate = read_json(GATE)
        judged, found = {verdict["name"] for verdict in gate["gates"]}, {"gate": gate}
        gates = list(UP_TO_GATE)
        reached = max((gates.index(name) for name in judged if name in gates), default=0)
        for name in gates[: reached + 1]:
            paths = UP_TO_GATE[name].items()
            found |= {report: read_json(path) for report, path in paths if path.exists()}
        return cls(Problem.read(), Params.read(), Contract.load(), **found)

    @property
    def failed(self) -> list[Report]:
        """The verdicts that block a release."""
        return [verdict for verdict in self.gate.get("gates", ()) if not verdict["passed"]]
