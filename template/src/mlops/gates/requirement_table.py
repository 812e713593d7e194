"""All that is demanded in this project: where it is said, and who answers for it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..core.formatting import number
from ..core.optional_parts import has_part
from ..core.params import Params
from ..core.problem import Problem
from .own_gates import CodeLine, own_gates
from .requirements import answering, demanded
from .yaml_location import CONTRACT, Entry

OF_A_SERVICE = ("service", "objectives")


class Row(NamedTuple):
    """A requirement as it stands in this project. `demands`: each entry, and what it says in digits
    ("" if it says more than a number).
    """

    room: str
    gate: str
    asks: str
    demands: tuple[tuple[Entry | CodeLine, str], ...]
    owner: str
    test: str


def table(problem: Problem, params: Params) -> Iterator[Row]:
    """All that is demanded in this project, in the order of the lifecycle."""
    said = {"problem.yaml": problem.model_dump(), "params.yaml": params.model_dump()}
    served = has_part("serving")
    for room in ("pipeline", "review", "storage", *OF_A_SERVICE * served):
        for name, requirement in demanded(room).items():
            if name == "latency" and not served:
                continue
            places = requirement.places()
            demands = tuple((entry, limit(said.get(entry.file), entry)) for entry in places)
            owner = answering(problem, requirement.owner)
            yield Row(room, name, requirement.asks, demands, owner, requirement.test)
        if room == "pipeline":
            yield from own(problem)


def own(problem: Problem) -> Iterator[Row]:
    """The team's own gates; each demands what its function says."""
    for gate in own_gates():
        owner = answering(problem, gate.owner)
        yield Row("pipeline", gate.name, gate.asks, ((gate.place, ""),), owner, "the team's own")


def limit(said: Any, entry: Entry) -> str:
    """Raises KeyError if the settings know no such entry."""
    if entry.file == CONTRACT:
        return ""
    for step in entry.path:
        said = said[step]
    if isinstance(said, str | dict):
        return ""
    return "no limit" if said is None else number(said)


def printed(problem: Problem, params: Params) -> list[str]:
    """The table in lines to print."""
    lines = []
    for row in table(problem, params):
        lines.append(f"{row.room} {row.gate}: {row.asks} (for {row.owner})")
        lines += [f"    {entry}{f': {said}' if said else ''}" for entry, said in row.demands]
        lines.append(f"    {row.test}")
    return lines
