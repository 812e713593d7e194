"""The team's own gates: what gates.py of their package lists."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..core.errors import UserError
from ..core.formatting import listed
from ..core.problem import Owners, Problem
from ..core.team import listed_by_team, shown, team_code, team_folder
from .gates import Finding, Verdict, verdict
from .requirements import answering, demanded

if TYPE_CHECKING:
    from ..evaluation.evidence import Evidence


class CodeLine(NamedTuple):
    """Where a gate's function begins."""

    file: str
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.name}"


@dataclass(frozen=True)
class Gate:
    """A question that may block a release.

    `asks` is its heading, a statement that holds if it passes; `owner` the role of problem.yaml
    that answers for it; `check` looks at the evidence and returns what it found.
    """

    name: str
    asks: str
    owner: str
    check: "Callable[[Evidence], Finding]"

    @property
    def place(self) -> CodeLine:
        """Where `check` is, or else the list that names it."""
        code = getattr(self.check, "__code__", None)
        file = Path(code.co_filename) if code else team_folder() / "gates.py"
        return CodeLine(shown(file), code.co_firstlineno if code else 1, self.name)


def own_gates() -> tuple[Gate, ...]:
    """Raises UserError for what is no gate, a name given twice, or a role that there is not."""
    gates = listed_by_team("gates", "GATES", Gate)
    known = set(demanded("pipeline"))
    for gate in gates:
        if gate.name in known:
            raise UserError(f"{gate.place}: there is a gate {gate.name!r} already; rename it.")
        if gate.owner not in Owners.model_fields:
            roles = listed(Owners.model_fields)
            raise UserError(f"{gate.place}: its owner is {gate.owner!r}; the roles are {roles}.")
        known.add(gate.name)
    return gates


def judge(gate: Gate, evidence: "Evidence", problem: Problem) -> Verdict:
    """Raises UserError if the function fails, or returns something else than a Finding."""
    with team_code():
        finding = gate.check(evidence)
    if not isinstance(finding, Finding):
        raise UserError(f"{gate.place}: it returns {finding!r}, which is no Finding.")
    if not isinstance(finding.passed, bool | np.bool_):
        raise UserError(f"{gate.place}: passed is {finding.passed!r}, which is not True or False.")
    plain = replace(finding, passed=bool(finding.passed))
    return verdict(gate.name, plain, answering(problem, gate.owner), str(gate.place))
