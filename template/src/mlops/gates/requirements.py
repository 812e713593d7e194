"""What is demanded of data, model and service: requirements.yaml, and where it stands now.

A verdict has its owner and the lines that demand it from there, so that no gate is without.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ..core.formatting import number
from ..core.rooms import has_room
from ..core.settings import Params, Problem
from ..core.strict import Settings, read_yaml
from .yaml_location import CONTRACT, Entry

OF_A_SERVICE = ("service", "objectives")


class Requirement(Settings):
    """`asks` is a heading for people; `owner` a role of problem.yaml; `test` a test in tests/, or
    all cases of one.
    """

    asks: str
    owner: str
    entries: list[str]
    test: str

    def places(self, concerned: tuple[Entry, ...] = ()) -> tuple[Entry, ...]:
        """The entries that demand it; the `concerned` ones stand for the others of their file."""
        files = {entry.file for entry in concerned}
        entries = (Entry(*text.split()) for text in self.entries)
        return (*(entry for entry in entries if entry.file not in files), *concerned)


class Row(NamedTuple):
    """A requirement as it stands in this project. `demands`: each entry, and what it says in digits
    ("" if it says more than a number).
    """

    room: str
    gate: str
    asks: str
    demands: tuple[tuple[Entry, str], ...]
    owner: str
    test: str


@cache
def demanded(room: str) -> dict[str, Requirement]:
    """Requirements of pipeline, review, storage, service or objectives, by the name of the gate."""
    rows = read_yaml(str(Path(__file__).with_name("requirements.yaml")))[room]
    return {name: Requirement.model_validate(row) for name, row in rows.items()}


def headings(room: str) -> dict[str, str]:
    return {name: requirement.asks for name, requirement in demanded(room).items()}


def answering(problem: Problem, requirement: Requirement) -> str:
    """Who has the role; where nobody is named, the role."""
    return getattr(problem.owners, requirement.owner) or requirement.owner.replace("_", " ")


def table(problem: Problem, params: Params) -> Iterator[Row]:
    """All that is demanded in this project, in the order of the lifecycle."""
    said = {"problem.yaml": problem.model_dump(), "params.yaml": params.model_dump()}
    served = has_room("serving")
    for room in ("pipeline", "review", "storage", *OF_A_SERVICE * served):
        for name, requirement in demanded(room).items():
            if name == "latency" and not served:
                continue
            places = requirement.places()
            demands = tuple((entry, limit(said.get(entry.file), entry)) for entry in places)
            owner = answering(problem, requirement)
            yield Row(room, name, requirement.asks, demands, owner, requirement.test)


def limit(said: Any, entry: Entry) -> str:
    """Raises KeyError if the settings know no such entry."""
    if entry.file == CONTRACT:
        return ""
    for step in entry.path:
        said = said[step]
    if isinstance(said, str | dict):
        return ""
    return "no limit" if said is None else number(said)


def told(problem: Problem, params: Params) -> list[str]:
    """The table in lines to print."""
    lines = []
    for row in table(problem, params):
        lines.append(f"{row.room} {row.gate}: {row.asks} (for {row.owner})")
        lines += [f"    {entry}{f': {said}' if said else ''}" for entry, said in row.demands]
        lines.append(f"    {row.test}")
    return lines
