"""The team's own gates: what gates.py of their package lists."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..core import team
from ..core.errors import TeamError
from ..core.formatting import listed
from ..core.problem import Owners, Problem
from .gates import Finding, Verdict, make_verdict
from .requirements import name_owner, read_requirements

if TYPE_CHECKING:
    from ..evaluation.evidence import Evidence


class CodeLine(NamedTuple):
    """Where a gate is written, and its name; `line` is None if only the file is known."""

    file: str
    line: int | None
    name: str

    @classmethod
    def of(cls, place: str, name: str) -> "CodeLine":
        """Take a place apart that is FILE:LINE, or FILE alone."""
        file, _, line = place.rpartition(":")
        return cls(file, int(line), name) if line.isdecimal() else cls(place, None, name)

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.name}" if self.line else f"{self.file} {self.name}"


@dataclass(frozen=True)
class Gate:
    """A question that may block a release.

    `asks` is its heading, a statement that holds if it passes; `owner` the role of problem.yaml
    that answers for it; `check` looks at the evidence and returns what it found. Raises UserError
    for what is none of these.
    """

    name: str
    asks: str
    owner: str
    check: "Callable[[Evidence], Finding]"
    created: str = field(default="", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        team.require_text(self.name, "the name of a Gate")
        team.require_text(self.asks, f"asks of the gate {self.name}")
        team.require_text(self.owner, f"owner of the gate {self.name}")
        team.require_function(self.check, f"check of the gate {self.name}")
        object.__setattr__(self, "created", team.locate_running_code())

    @property
    def place(self) -> CodeLine:
        """Where `check` is, whatever it is wrapped in, or else the line that names it."""
        line = (
            team.locate_function(self.check) or self.created or team.locate_list("gates", "GATES")
        )
        return CodeLine.of(line, self.name)


def load_own_gates() -> tuple[Gate, ...]:
    """Load what the team's gates.py lists.

    Raises UserError for what is no gate, a name given twice, or a role that there is not.
    """
    gates = team.load_team_list("gates", "GATES", Gate)
    names = set(read_requirements("pipeline"))
    for gate in gates:
        if gate.name in names:
            raise TeamError(f"{gate.place}: there is a gate {gate.name!r} already; rename it.")
        if gate.owner not in Owners.model_fields:
            roles = listed(Owners.model_fields)
            raise TeamError(f"{gate.place}: its owner is {gate.owner!r}; the roles are {roles}.")
        names.add(gate.name)
    return gates


def judge_own_gate(gate: Gate, evidence: "Evidence", problem: Problem) -> Verdict:
    """Ask the team's gate, and make its verdict.

    Raises TeamError if the function fails, or returns something else than a Finding.
    """
    with team.team_code(place=str(gate.place)):
        finding = gate.check(evidence)
    if not isinstance(finding, Finding):
        raise TeamError(
            f"{gate.place}: it returns {team.shorten_repr(finding)}, which is not a Finding."
        )
    if not isinstance(finding.passed, bool | np.bool_):
        raise TeamError(
            f"{gate.place}: passed is {team.shorten_repr(finding.passed)}, which is not True or "
            "False."
        )
    for name in ("meaning", "what_to_do", "warning"):
        if not isinstance(text := getattr(finding, name), str):
            raise TeamError(
                f"{gate.place}: {name} is {team.shorten_repr(text)}, which is not a text."
            )
    plain = Finding(
        passed=bool(finding.passed),
        measured=check_figure(finding.measured, f"{gate.place}: measured"),
        limit=check_figure(finding.limit, f"{gate.place}: limit"),
        meaning=finding.meaning,
        what_to_do=finding.what_to_do,
        warning=finding.warning,
    )
    return make_verdict(gate.name, plain, name_owner(problem, gate.owner), str(gate.place))


def check_figure(figure: Any, what: str) -> float | str | None:
    """Return what a gate measured, or its limit, as JSON holds it: without NaN and infinity.

    Raises TeamError for anything but a finite number, a text or None.
    """
    if figure is None or isinstance(figure, str):
        return figure
    if isinstance(figure, Real) and not isinstance(figure, bool) and math.isfinite(figure):
        return float(figure)
    raise TeamError(
        f"{what} is {team.shorten_repr(figure)}, which is not a finite number, text or None."
    )
