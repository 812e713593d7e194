"""All that is demanded in this project: where it is said, and who answers for it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..core.formatting import number
from ..core.optional_parts import has_part
from ..core.params import Params
from ..core.problem import Problem
from .own_gates import CodeLine, load_own_gates
from .requirements import name_owner, read_requirements
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


def list_requirements(problem: Problem, params: Params) -> Iterator[Row]:
    """Yield all that is demanded in this project, in the order of the lifecycle."""
    settings = {"problem.yaml": problem.model_dump(), "params.yaml": params.model_dump()}
    served = has_part("serving")
    for room in ("pipeline", "review", "storage", *OF_A_SERVICE * served):
        for name, requirement in read_requirements(room).items():
            if name == "latency" and not served:
                continue
            places = requirement.list_places()
            demands = tuple(
                (entry, read_limit(settings.get(entry.file), entry)) for entry in places
            )
            owner = name_owner(problem, requirement.owner)
            yield Row(room, name, requirement.asks, demands, owner, requirement.test)
        if room == "pipeline":
            yield from list_own_requirements(problem)


def list_own_requirements(problem: Problem) -> Iterator[Row]:
    """Yield the team's own gates; each demands what its function says."""
    for gate in load_own_gates():
        owner = name_owner(problem, gate.owner)
        yield Row("pipeline", gate.name, gate.asks, ((gate.place, ""),), owner, "the team's own")


def read_limit(settings: Any, entry: Entry) -> str:
    """Write what an entry of its file's settings demands, "" if that is more than a number.

    Raises KeyError if the settings know no such entry.
    """
    if entry.file == CONTRACT:
        return ""
    for step in entry.path:
        settings = settings[step]
    if isinstance(settings, str | dict):
        return ""
    return "no limit" if settings is None else number(settings)


def format_requirements(problem: Problem, params: Params) -> list[str]:
    """Write the requirements in lines to print."""
    lines = []
    for row in list_requirements(problem, params):
        lines.append(f"{row.room} {row.gate}: {row.asks} (for {row.owner})")
        lines += [f"    {entry}{f': {limit}' if limit else ''}" for entry, limit in row.demands]
        lines.append(f"    {row.test}")
    return lines
