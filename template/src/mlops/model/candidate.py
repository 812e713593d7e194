"""What a candidate model is, and those that the team's candidates.py lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sklearn.compose import ColumnTransformer

from ..core.errors import UserError
from ..core.team import listed_by_team


@dataclass(frozen=True)
class Range:
    """A setting, a whole number if it is given in such; `log`: searched by its logarithm."""

    low: float
    high: float
    default: float
    log: bool = False


@dataclass(frozen=True)
class Candidate:
    """`model(task, **settings)` makes the estimator; `settings` has a value for each of `space`.

    A `baseline` is scored beside the others, for comparison, and never chosen; what a model must
    beat is up to the gate of that name.
    """

    name: str
    steps: Callable[[], ColumnTransformer]
    model: Callable[..., Any]
    space: Mapping[str, Range] = field(default_factory=dict)
    baseline: bool = False

    @property
    def defaults(self) -> dict[str, float]:
        return {name: setting.default for name, setting in self.space.items()}


def candidates() -> tuple[Candidate, ...]:
    """All that the team's candidates.py lists. Raises UserError if it lists something else."""
    found = listed_by_team("candidates", "CANDIDATES", Candidate)
    names = set[str]()
    for each in found:
        if each.name in names:
            raise UserError(f"candidates.py: there are two candidates {each.name!r}; rename one.")
        names.add(each.name)
    return found


def named(names: list[str]) -> list[Candidate]:
    """The candidates of these names. Raises UserError for one that is not there."""
    known = {candidate.name: candidate for candidate in candidates()}
    if strange := [name for name in names if name not in known]:
        raise UserError(
            f"params.yaml: train.candidates: {strange[0]!r} is not in candidates.py, which has "
            f"{', '.join(known)}."
        )
    return [known[name] for name in names]
