"""A gate compares one measured figure with its limit, and blocks with what to do about it."""

from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from ..core.errors import BlockedError
from ..core.experiment import find_experiment
from ..core.formatting import listed
from ..core.paths import GATE_REPORT, write_json
from ..core.problem import Problem
from .requirements import name_owner, read_requirements
from .yaml_location import Entry


@dataclass(frozen=True)
class Finding:
    """The answer to a gate's question. `meaning` is a sentence without its full stop; `what_to_do`
    one for whoever is blocked, `warning` one on what the gate could not judge, if it has passed.
    """

    passed: bool
    measured: float | str | None
    limit: float | str | None
    meaning: str
    what_to_do: str = ""
    warning: str = ""


class Verdict(BaseModel):
    """What one gate found. `what_to_do` is written for `owner`, and is empty when passed;
    `requirement` names the lines that demand it.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    passed: bool
    measured: float | str | None
    limit: float | str | None
    meaning: str
    what_to_do: str = ""
    warning: str = ""
    owner: str = ""
    requirement: str = ""

    def sentence(self) -> str:
        """Say what the gate found and, where it blocks, who is to do what about it."""
        if self.passed:
            doubt = f". WARNING: {self.warning}" if self.warning else ""
            return f"{self.name}: passed, {self.meaning}{doubt}"
        whose = f"for {self.owner}; required by {self.requirement}"
        return f"{self.name}: BLOCKED, {self.meaning}. {self.what_to_do} ({whose})"


def assign_verdict(
    problem: Problem,
    name: str,
    finding: Finding,
    concerned: tuple[Entry, ...] = (),
    room: str = "pipeline",
) -> Verdict:
    """Make the verdict of a gate of the platform, with its owner and the lines that demand it.

    Of those lines the `concerned` ones stand for the others of their file, if they are known.
    Raises KeyError if the room has no such gate.
    """
    requirement = read_requirements(room)[name]
    owner, places = name_owner(problem, requirement.owner), requirement.list_places(concerned)
    return make_verdict(name, finding, owner, listed(map(str, places)))


def make_verdict(name: str, finding: Finding, owner: str, requirement: str) -> Verdict:
    """Make the verdict of a finding, as it is written down: advice is for a gate that blocks, and a
    warning for one that does not.
    """
    said = replace(finding, what_to_do="") if finding.passed else replace(finding, warning="")
    return Verdict(name=name, **vars(said), owner=owner, requirement=requirement)


def write_verdicts(verdicts: list[Verdict]) -> bool:
    """Write reports/gate.json, and return whether all gates have passed.

    It always speaks of the newest run, also when an early gate stopped it, and names the experiment
    if it was one.
    """
    passed, name = all(verdict.passed for verdict in verdicts), find_experiment()
    facts = {"passed": passed, "gates": [verdict.model_dump() for verdict in verdicts]}
    write_json(GATE_REPORT, facts | ({"experiment": name} if name else {}))
    return passed


def block_unless_passed(verdicts: list[Verdict]) -> None:
    """Stop the pipeline at an early gate. Raises BlockedError listing every failed gate.

    An experiment goes on: stage gate judges the same again.
    """
    failed = [verdict for verdict in verdicts if not verdict.passed]
    if failed and find_experiment():
        print(*(verdict.sentence() for verdict in failed), sep="\n")
    elif failed:
        write_verdicts(verdicts)
        raise BlockedError("\n".join(verdict.sentence() for verdict in failed))
