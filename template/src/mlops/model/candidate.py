"""What a candidate model is, and those that the team's candidates.py lists."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sklearn.compose import ColumnTransformer

from ..core.errors import TeamError, UserError
from ..core.team import (
    function_line,
    list_line,
    listed_by_team,
    one_line,
    require_function,
    require_name,
    running_line,
)


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
                raise UserError(f"{name} of a Range is {one_line(number)}, which is not a number.")
            if not math.isfinite(number):
                raise UserError(f"{name} of a Range is {number}, which is not finite.")
        if not isinstance(self.log, bool):
            raise UserError(f"log of a Range is {one_line(self.log)}, which is not True or False.")
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
        require_name(self.name, "the name of a Candidate")
        require_function(self.steps, f"steps of the candidate {self.name}")
        require_function(self.model, f"model of the candidate {self.name}")
        if not isinstance(self.space, Mapping):
            raise UserError(
                f"space of the candidate {self.name} is {one_line(self.space)}, which is not a "
                "dictionary of settings and their Range."
            )
        for setting, each in self.space.items():
            if not isinstance(setting, str) or not setting.isidentifier():
                raise UserError(
                    f"space of the candidate {self.name} has {one_line(setting)}, which is not a "
                    "name of a setting."
                )
            if not isinstance(each, Range):
                raise UserError(
                    f"{setting} of the candidate {self.name} is {one_line(each)}, which is not a "
                    "Range."
                )
        if not isinstance(self.baseline, bool):
            raise UserError(
                f"baseline of the candidate {self.name} is {one_line(self.baseline)}, which is "
                "not True or False."
            )
        object.__setattr__(self, "created", running_line())

    @cached_property
    def line(self) -> str:
        """FILE:LINE of the team's that makes the model, or else names it; "" if none does."""
        return function_line(self.model) or self.created

    @property
    def defaults(self) -> dict[str, float]:
        return {name: setting.default for name, setting in self.space.items()}


def candidates() -> tuple[Candidate, ...]:
    """All that the team's candidates.py lists. Raises UserError if it lists something else."""
    listed = listed_by_team("candidates", "CANDIDATES", Candidate)
    names = set[str]()
    for each in listed:
        if each.name in names:
            line = each.created or list_line("candidates", "CANDIDATES")
            raise TeamError(f"{line}: there are two candidates {each.name!r}; rename one.")
        names.add(each.name)
    return listed


def named(names: list[str]) -> list[Candidate]:
    """The candidates of these names. Raises UserError for one that is not there."""
    known = {candidate.name: candidate for candidate in candidates()}
    if strange := [name for name in names if name not in known]:
        raise UserError(
            f"params.yaml: train.candidates: {strange[0]!r} is not in candidates.py "
            f"({list_line('candidates', 'CANDIDATES')}), which has {', '.join(known) or 'none'}."
        )
    return [known[name] for name in names]
