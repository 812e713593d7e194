"""What a candidate model is, and those that the team's candidates.py lists."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sklearn.compose import ColumnTransformer

from ..core import team
from ..core.errors import TeamError, UserError


@dataclass(frozen=True)
class Range:
    """A setting, a whole number if it is given in such; `log`: searched by its logarithm.

    Raises UserError for what is no range, or a default outside of it.
    """

    low: float
    high: float
    default: float
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("low", "high", "default"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise UserError(
                    f"{name} of a Range is {team.shorten_repr(number)}, which is not a number."
                )
            if not math.isfinite(number):
                raise UserError(f"{name} of a Range is {number}, which is not finite.")
        team.require_kind(self.log, bool, "log of a Range", "not True or False")
        if not self.low < self.high:
            raise UserError(f"{self}: low must be less than high.")
        if self.log and self.low <= 0:
            raise UserError(f"{self}: low must be above 0 where it is searched by its logarithm.")
        if not self.low <= self.default <= self.high:
            raise UserError(f"{self}: the default must lie between low and high.")
        if self.is_whole and not isinstance(self.default, int):
            raise UserError(f"{self}: the default must be a whole number, as low and high are.")

    @property
    def is_whole(self) -> bool:
        """Whether the setting is a whole number."""
        return isinstance(self.low, int) and isinstance(self.high, int)


@dataclass(frozen=True)
class Candidate:
    """`model(task, **settings)` makes the estimator; `settings` has a value for each of `space`.

    A `baseline` is scored beside the others, for comparison, and never chosen; what a model must
    beat is up to the gate of that name. Raises UserError for what is none of these.
    """

    name: str
    steps: Callable[[], ColumnTransformer]
    model: Callable[..., Any]
    space: Mapping[str, Range] = field(default_factory=dict)
    baseline: bool = False
    created: str = field(default="", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        team.require_name(self.name, "the name of a Candidate")
        ours = f"the candidate {self.name}"
        team.require_function(self.steps, f"steps of {ours}")
        team.require_function(self.model, f"model of {ours}")
        no_space = "not a dictionary of settings and their Range"
        team.require_kind(self.space, Mapping, f"space of {ours}", no_space)
        for setting, each in self.space.items():
            if not isinstance(setting, str) or not setting.isidentifier():
                text = team.shorten_repr(setting)
                raise UserError(f"space of {ours} has {text}, which is not a name of a setting.")
            team.require_kind(each, Range, f"{setting} of {ours}", "not a Range")
        team.require_kind(self.baseline, bool, f"baseline of {ours}", "not True or False")
        object.__setattr__(self, "created", team.locate_running_code())

    @cached_property
    def line(self) -> str:
        """FILE:LINE of the team's that makes the model, or else names it; "" if none does."""
        return team.locate_function(self.model) or self.created

    @property
    def defaults(self) -> dict[str, float]:
        """The default of each setting by its name."""
        return {name: setting.default for name, setting in self.space.items()}


def load_candidates() -> tuple[Candidate, ...]:
    """Load what the team's candidates.py lists. Raises UserError if it lists something else."""
    candidates = team.load_team_list("candidates", "CANDIDATES", Candidate)
    names = set[str]()
    for each in candidates:
        if each.name in names:
            line = each.created or team.locate_list("candidates", "CANDIDATES")
            raise TeamError(f"{line}: there are two candidates {each.name!r}; rename one.")
        names.add(each.name)
    return candidates


def find_candidates(names: list[str]) -> list[Candidate]:
    """Find the candidates of these names. Raises UserError for one that is not there."""
    listed = {candidate.name: candidate for candidate in load_candidates()}
    if strange := [name for name in names if name not in listed]:
        raise UserError(
            f"params.yaml: train.candidates: {strange[0]!r} is not in candidates.py "
            f"({team.locate_list('candidates', 'CANDIDATES')}), which has "
            f"{', '.join(listed) or 'none'}."
        )
    return [listed[name] for name in names]
