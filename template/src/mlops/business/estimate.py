"""Go or no-go before the project starts, from problem.yaml alone.

Of a yes/no decision: how many cases there are, how many a model is hoped to find, at what price.
"""

import math
from typing import Any, NamedTuple, Self

from ..core.errors import UserError
from ..core.formatting import count, listed, number, percent, signed
from ..core.problem import Problem

Report = dict[str, Any]


class Hope(NamedTuple):
    """`estimate` of problem.yaml, filled in; `gain` and `loss` are what a right and a false alarm
    are worth, each against not acting.
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
        """Raises UserError naming the lines to fill in, or those that cannot be true together."""
        told, value = problem.estimate, problem.value
        blank = [name for name, each in told if each is None]
        if blank:
            lines = listed(f"estimate.{name}" for name in blank)
            raise UserError(
                f"problem.yaml: fill in {lines}: what is hoped for, before it is built."
            )
        gain = value.true_positive - value.false_negative
        loss = value.false_positive - value.true_negative
        hope = cls(gain, loss, *(each for _, each in told))
        if hope.alarms - hope.found > hope.decisions * (1 - hope.positive_share):
            raise UserError(
                "problem.yaml: estimate.precision is too low for estimate.found_share: there would "
                "be more false alarms than there are cases."
            )
        return hope

    @property
    def found(self) -> float:
        """Cases a month in which acting is right, and the model finds it."""
        return self.decisions * self.positive_share * self.found_share

    @property
    def alarms(self) -> float:
        """How often a month it acts."""
        return self.found / self.precision

    @property
    def value(self) -> float:
        """Of a month, above never acting."""
        return self.found * self.gain + (self.alarms - self.found) * self.loss

    @property
    def needed(self) -> float:
        """Value of a month that pays for the upkeep, and for the building within `months`."""
        return self.upkeep + self.build / self.months

    def least_precision(self) -> float | None:
        """With as many cases found, the share of right alarms that just pays; None: none does.

        found * (gain + loss * (1 - p) / p) = needed, solved for p.
        """
        left = self.gain - self.needed / self.found
        if left < 0:
            return None
        return 0.0 if self.loss >= 0 else 1 / (1 - left / self.loss)

    def least_found(self) -> float | None:
        """With alarms as often right, the share of the cases found that just pays; None: none."""
        share = self.found_share * self.needed / self.value if self.value > 0 else math.inf
        return share if share <= 1 else None


def estimate(problem: Problem) -> Report:
    """{value, cost, net (all a month), break_even (month, None: never), go, least_precision,
    least_found, alarms, found}. Raises UserError if problem.yaml does not say enough.
    """
    hope = Hope.of(problem)
    net = hope.value - hope.upkeep
    paid = math.ceil(round(hope.build / net, 9)) if net > 0 else None
    return {
        "value": hope.value,
        "cost": hope.upkeep,
        "net": net,
        "break_even": paid,
        "go": paid is not None and paid <= hope.months,
        "least_precision": hope.least_precision(),
        "least_found": hope.least_found(),
        "alarms": hope.alarms,
        "found": hope.found,
    }


def told(problem: Problem) -> list[str]:
    """The estimate in lines to print."""
    found, hope, unit = estimate(problem), problem.estimate, problem.value.unit or "units of value"
    paid = found["break_even"]
    when = f"in month {paid}" if paid else "never"
    return [
        f"{'Go' if found['go'] else 'No go'}: it pays for itself {when}; "
        f"{count(hope.months, 'month')} are allowed.",
        f"A month of it acts {number(found['alarms'], 0)} times, {number(found['found'], 0)} times "
        f"rightly, and is worth {signed(found['value'], 0)} {unit}; its upkeep costs "
        f"{number(found['cost'], 0)}, which leaves {signed(found['net'], 0)}.",
        f"To break even within {count(hope.months, 'month')}, {least(found['least_precision'])} of "
        f"its alarms must be right (hoped: {percent(hope.precision, 0)}), or it must find "
        f"{least(found['least_found'])} of the cases (hoped: {percent(hope.found_share, 0)}).",
    ]


def least(share: float | None) -> str:
    return "more than all" if share is None else percent(share, 0)
