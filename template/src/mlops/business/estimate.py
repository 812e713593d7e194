"""Decide go or no-go before the project starts, from problem.yaml alone.

Of a yes/no decision: how many cases there are, how many a model is hoped to find, at what price.
"""

import math
from typing import NamedTuple, Self

from ..core.errors import UserError
from ..core.formatting import count, listed, number, percent, signed
from ..core.problem import Problem


class Hope(NamedTuple):
    """`estimate` of problem.yaml, filled in, and what follows from it; money is by the month.

    `gain` and `loss` are what a right and a false alarm are worth, each against not acting.
    """

    gain: float
    loss: float
    decisions: float
    positive_share: float
    found_share: float
    precision: float
    build: float
    upkeep: float
    months: int

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Raise UserError naming the lines to fill in, or those that cannot be true together."""
        value, fields = problem.value, dict(problem.estimate)
        blank = [name for name, entry in fields.items() if entry is None]
        if blank:
            lines = listed(f"estimate.{name}" for name in blank)
            raise UserError(f"problem.yaml: fill in {lines}: the assumptions, before it is built.")
        gain = value.true_positive - value.false_negative
        loss = value.false_positive - value.true_negative
        hope = cls(gain, loss, *fields.values())
        if hope.alarms - hope.true_positives > hope.decisions * (1 - hope.positive_share):
            raise UserError(
                "problem.yaml: estimate.precision is too low for estimate.found_share: there would "
                "be more false alarms than there are cases."
            )
        return hope

    @property
    def true_positives(self) -> float:
        """Return in how many cases a month acting is right, and the model finds it."""
        return self.decisions * self.positive_share * self.found_share

    @property
    def alarms(self) -> float:
        """Return how often a month it acts."""
        return self.true_positives / self.precision

    @property
    def value(self) -> float:
        """Return what a month is worth, above never acting."""
        return self.true_positives * self.gain + (self.alarms - self.true_positives) * self.loss

    @property
    def needed(self) -> float:
        """Return the value of a month that pays for upkeep, and for building within `months`."""
        return self.upkeep + self.build / self.months

    def least_precision(self) -> float | None:
        """Return the share of right alarms that just pays with as many cases found; None: none.

        true_positives * (gain + loss * (1 - p) / p) = needed, solved for p.
        """
        left = self.gain - self.needed / self.true_positives
        if left < 0:
            return None
        return 0.0 if self.loss >= 0 else 1 / (1 - left / self.loss)

    def least_found(self) -> float | None:
        """Return the share of cases found that just pays with alarms as right; None: none."""
        share = self.found_share * self.needed / self.value if self.value > 0 else math.inf
        return share if share <= 1 else None

    @property
    def net(self) -> float:
        """Return what is left of a month's value after its upkeep."""
        return self.value - self.upkeep

    @property
    def break_even(self) -> int | None:
        """Return the month in which the building is paid; None: it never is."""
        return math.ceil(round(self.build / self.net, 9)) if self.net > 0 else None

    @property
    def is_go(self) -> bool:
        """Tell whether the building is paid within the months allowed."""
        return self.break_even is not None and self.break_even <= self.months


def describe_estimate(problem: Problem) -> list[str]:
    """Return the estimate in lines to print. Raises UserError if problem.yaml says too little."""
    hope, unit = Hope.of(problem), problem.value.unit or "units of value"
    allowed = count(hope.months, "month")
    when = f"in month {hope.break_even}" if hope.break_even else "never"
    return [
        f"{'Go' if hope.is_go else 'No go'}: it pays for itself {when}; {allowed} are allowed.",
        f"A month of it acts {number(hope.alarms, 0)} times, "
        f"{number(hope.true_positives, 0)} times correctly, and is worth "
        f"{signed(hope.value, 0)} {unit}; its upkeep costs "
        f"{number(hope.upkeep, 0)}, which leaves {signed(hope.net, 0)}.",
        f"To break even within {allowed}, {format_least(hope.least_precision())} of "
        f"its alarms must be right (assumed: {percent(hope.precision, 0)}), or it must find "
        f"{format_least(hope.least_found())} of the cases (assumed: "
        f"{percent(hope.found_share, 0)}).",
    ]


def format_least(share: float | None) -> str:
    """Return a share to reach, or that none is enough."""
    return "more than all" if share is None else percent(share, 0)
