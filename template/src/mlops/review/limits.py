"""Limits of gates that are weaker here than at the base: whoever answers for one has to agree."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..core.params import Params
from ..core.paths import GATE_REPORT
from ..core.problem import Problem
from ..core.team import find_team_folder, shorten_path
from ..gates.gates import Verdict
from ..gates.own_gates import load_own_gates
from ..gates.requirement_table import list_requirements
from ..gates.yaml_location import Entry
from .base import Base
from .change_summary import flatten_settings

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


def list_weaker_limits(
    base: Base, problem: Problem, params: Params, verdicts: list[Verdict]
) -> list[Weaker]:
    """List each limit once: of the settings in the order of the gates, then of the team's own
    gates, as the `verdicts` of both runs have them.
    """
    return [*list_weaker_settings(base, problem, params), *list_weaker_own_limits(base, verdicts)]


def list_weaker_own_limits(base: Base, verdicts: list[Verdict]) -> list[Weaker]:
    """List those that stand in code: they are known by what each run wrote down of its gates."""
    folder, listed = (
        f"{shorten_path(find_team_folder())}/",
        {gate.name for gate in load_own_gates()},
    )
    now, limits = {verdict.name: verdict for verdict in verdicts}, []
    for old in (Verdict(**gate) for gate in base.json(GATE_REPORT).get("gates", ())):
        if not old.requirement.startswith(folder):
            continue
        new = now.get(old.name)
        if old.name not in listed:
            limits.append(Weaker(old.requirement, old.limit, GONE, old.owner))
        elif new and is_own_limit_looser(old, new):
            limits.append(Weaker(new.requirement, old.limit, new.limit, new.owner))
    return limits


def is_own_limit_looser(old: Verdict, new: Verdict) -> bool:
    """Tell whether a gate refuses less than before; where that is not known, yes, to be looked at.

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


def list_weaker_settings(base: Base, problem: Problem, params: Params) -> list[Weaker]:
    """List those of the settings, each once, in the order of the gates."""
    now = {
        "problem.yaml": flatten_settings(problem.model_dump()),
        "params.yaml": flatten_settings(params.model_dump()),
    }
    before = {file: read_settings_at_base(base, file, params) for file in now}
    limits: dict[Entry, Weaker] = {}
    for entry, owner in list_limits(problem, params):
        old, new = before[entry.file].get(entry.name), now[entry.file].get(entry.name)
        if isinstance(old, int | float) and (new is None or is_looser(entry, old, new)):
            # Where several gates share a limit, the last is the one of the review made for it.
            limits[entry] = Weaker(entry, old, new, owner)
    return list(limits.values())


def list_limits(problem: Problem, params: Params) -> Iterator[tuple[Entry, str]]:
    """Yield what the gates demand by a figure, and who answers for it."""
    for row in list_requirements(problem, params):
        if row.room in ROOMS:
            for entry, figure in row.demands:
                if figure and isinstance(entry, Entry):
                    yield entry, row.owner


def read_settings_at_base(base: Base, file: str, params: Params) -> dict[str, Any]:
    """Read what held at the base: its settings, else the defaults; {} if it had no such file."""
    if not base.text(file):
        return {}
    ours = Params(train=params.train) if file == "params.yaml" else Problem(name="")
    return flatten_settings(ours.model_dump()) | flatten_settings(base.yaml(file))


def is_looser(entry: Entry, before: float, now: float) -> bool:
    """Tell whether a limit of the settings refuses less than before, by its name."""
    upper = entry.path[0] == "budgets" or str(entry.path[-1]).startswith("max_")
    return now > before if upper else now < before
