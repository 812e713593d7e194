"""Limits of gates that are weaker here than at the base: whoever answers for one has to agree."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..core.params import Params
from ..core.paths import GATE_REPORT
from ..core.problem import Problem
from ..core.team import shown, team_folder
from ..gates.gates import Verdict
from ..gates.own_gates import own_gates
from ..gates.requirement_table import table
from ..gates.yaml_location import Entry
from .base import Base
from .change_summary import flat

ROOMS = ("pipeline", "review")
GONE = "gone"


class Weaker(NamedTuple):
    """A limit by which less is refused than before; `now` None: there is none any more, GONE: nor
    is there its gate.
    """

    place: Entry | str
    before: float | str | None
    now: float | str | None
    owner: str


def weaker(base: Base, problem: Problem, params: Params, verdicts: list[Verdict]) -> list[Weaker]:
    """Each limit once: of the settings in the order of the gates, then of the team's own gates, as
    the `verdicts` of both runs have them.
    """
    return [*weaker_settings(base, problem, params), *weaker_own(base, verdicts)]


def weaker_own(base: Base, verdicts: list[Verdict]) -> list[Weaker]:
    """The limits that stand in code: they are known by what each run wrote down of its gates."""
    folder, listed = f"{shown(team_folder())}/", {gate.name for gate in own_gates()}
    now, found = {verdict.name: verdict for verdict in verdicts}, []
    for old in (Verdict(**gate) for gate in base.json(GATE_REPORT).get("gates", ())):
        if not old.requirement.startswith(folder):
            continue
        new = now.get(old.name)
        if old.name not in listed:
            found.append(Weaker(old.requirement, old.limit, GONE, old.owner))
        elif new and looser_own(old, new):
            found.append(Weaker(new.requirement, old.limit, new.limit, new.owner))
    return found


def looser_own(old: Verdict, new: Verdict) -> bool:
    """Whether a gate refuses less than before; where that cannot be known, yes, to be looked at.

    That a limit is the most or the least is not written down: it shows in which side of it passed.
    """
    if old.limit is None or new.limit == old.limit:
        return False
    if isinstance(old.limit, float) and isinstance(new.limit, float):
        for verdict in (new, old):
            measured, limit = verdict.measured, verdict.limit
            if isinstance(measured, float) and isinstance(limit, float) and measured != limit:
                is_most = verdict.passed == (measured < limit)
                return new.limit > old.limit if is_most else new.limit < old.limit
    return True


def weaker_settings(base: Base, problem: Problem, params: Params) -> list[Weaker]:
    """Each limit of the settings once, in the order of the gates."""
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
