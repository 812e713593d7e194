"""Limits of gates that are weaker here than at the base: whoever answers for one has to agree."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..core.params import Params
from ..core.problem import Problem
from ..gates.requirement_table import table
from ..gates.yaml_location import Entry
from .base import Base
from .change_summary import flat

ROOMS = ("pipeline", "review")


class Weaker(NamedTuple):
    """A limit by which less is refused than before; `now` None: there is none any more."""

    entry: Entry
    before: float
    now: float | None
    owner: str


def weaker(base: Base, problem: Problem, params: Params) -> list[Weaker]:
    """Each limit once, in the order of the gates."""
    now = {"problem.yaml": flat(problem.model_dump()), "params.yaml": flat(params.model_dump())}
    before = {file: stated(base, file, params) for file in now}
    found: dict[Entry, Weaker] = {}
    for entry, owner in limits(problem, params):
        old, new = before[entry.file].get(entry.name), now[entry.file].get(entry.name)
        if isinstance(old, int | float) and (new is None or looser(entry, old, new)):
            found.setdefault(entry, Weaker(entry, old, new, owner))
    return list(found.values())


def limits(problem: Problem, params: Params) -> Iterator[tuple[Entry, str]]:
    """What the gates demand by a figure, and who answers for it."""
    for row in table(problem, params):
        if row.room in ROOMS:
            for entry, said in row.demands:
                if said and isinstance(entry, Entry):
                    yield entry, row.owner


def stated(base: Base, file: str, params: Params) -> dict[str, Any]:
    """What held at the base: what it says itself, else the default; {} if it had no such file."""
    if not base.text(file):
        return {}
    ours = Params(train=params.train) if file == "params.yaml" else Problem(name="")
    return flat(ours.model_dump()) | flat(base.yaml(file))


def looser(entry: Entry, before: float, now: float) -> bool:
    upper = entry.path[0] == "budgets" or str(entry.path[-1]).startswith("max_")
    return now > before if upper else now < before
