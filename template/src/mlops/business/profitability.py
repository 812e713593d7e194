"""Reckon what the decision has been worth, and what running it costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..core.errors import UserError
from ..core.formatting import number
from ..core.optional_parts import has_part, load_module
from ..core.params import Params
from ..core.paths import GATE_REPORT, read_json
from ..core.problem import Problem
from ..registry.champion import read_evaluation_in_use
from .prices import MONTH_DAYS, PRICES, Prices

ENOUGH_DAYS = 7  # of traffic, to count the decisions of a month by
IN_TRAFFIC = "in traffic"


@dataclass(frozen=True)
class Realised:
    """What live traffic says; `why` nothing is known of the gain, or "".

    `gain` of a thousand decisions, `total` of those whose truth is known, `a_month`: how many
    decisions, `performance`: see monitoring/performance.py.
    """

    why: str
    gain: float | None = None
    total: float | None = None
    a_month: float | None = None
    performance: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Month:
    """A month in the currency of prices.yaml; None is what is not known.

    `counted`: by what the decisions are; `rate`: worth of one of problem.yaml's units; `costs` by
    part; `gain` of a thousand decisions in those units; `back`: value for each 1 of cost;
    `break_even`: decisions that pay; `paid_in`: months until the building is paid.
    """

    decisions: float | None
    counted: str
    rate: float | None
    costs: dict[str, float]
    cost: float
    gain: float
    value: float | None
    net: float | None
    back: float | None
    break_even: float | None
    paid_in: float | None

    def bring(self, gain: float) -> float:
        """Return what the month's decisions bring if a thousand of them gain so much."""
        return reckon_value(self.decisions or 0, gain, self.rate or 0)


@dataclass(frozen=True)
class Worth:
    """What the page tells. Gains are against doing nothing, in `unit` for a thousand decisions.

    `passed`: whether the model has passed its gates; `expected`: the gain by the evaluation.
    A month is a projection unless both its gain and its decisions were measured in service.
    """

    unit: str
    currency: str
    passed: bool
    expected: float
    realised: Realised
    month: Month

    @property
    def state(self) -> str:
        """Whether it pays: pays, loses, projected or unknown."""
        if self.month.net is None:
            return "unknown"
        if self.realised.gain is None or self.month.counted != IN_TRAFFIC:
            return "projected"
        return "pays" if self.month.net > 0 else "loses"

    @property
    def basis(self) -> str:
        """Where the gain and the decisions of a month are from."""
        lived, counted = self.realised.performance, self.month.counted
        gain = "the gain that the evaluation promised"
        if lived and self.realised.gain is not None:
            span = f"{lived['first'][:10]} to {lived['until'][:10]}"
            gain = f"the gain of {lived['rows']:,} decisions whose truth is known, {span}"
        return f"{gain}, times the decisions of a month {counted}" if counted else gain

    @property
    def net_range(self) -> tuple[float, float] | None:
        """The bounds of what is left of a month, by those of the gain; None: they are not known."""
        month, value = self.month, (self.realised.performance or {}).get("value", {})
        low, high = value.get("low"), value.get("high")
        if self.realised.gain is None or month.value is None or low is None or high is None:
            return None
        return month.bring(low) - month.cost, month.bring(high) - month.cost

    @property
    def headline(self) -> str:
        """What there is to say, in one sentence."""
        month = self.month
        if month.net is None:
            gain = f"{number(month.gain)} {self.unit}"
            return f"A thousand decisions bring {gain}; whether that pays is not known yet."
        pays, amount = month.net > 0, f"{number(abs(month.net), 0)} {self.currency} a month"
        beside = "more than it costs" if pays else "less than it costs"
        if self.state == "projected":
            return f"It {'should pay' if pays else 'would not pay'}: {amount} {beside}, projected."
        return f"It {'pays' if pays else 'does not pay'}: {amount} {beside}."


def reckon() -> Worth:
    """Reckon from the evaluation of the model in use, live traffic and prices.yaml."""
    problem, prices = Problem.read(), Prices.load(str(PRICES))
    evaluation, in_use = read_evaluation_in_use()
    value, realised = evaluation["value"], measure_live()
    expected = value["model"] - value["do_nothing"]
    gain = expected if realised.gain is None else realised.gain
    return Worth(
        unit=problem.value.unit or "units of value",
        currency=prices.currency,
        passed=in_use or read_json(GATE_REPORT)["passed"],
        expected=expected,
        realised=realised,
        month=reckon_month(gain, realised.a_month, problem, prices),
    )


def measure_live() -> Realised:
    """Measure what the journal holds of the last monitoring.truth_days."""
    if not has_part("monitoring"):
        return Realised("this project has no service that would write a journal")
    now, limits = datetime.now(UTC), Params.read().monitoring
    try:
        journal = load_module("monitoring.ground_truth").journal_url()
        since = now - timedelta(days=limits.truth_days)
        performance = load_module("monitoring.performance").measure_performance(journal, since, now)
    except UserError as error:
        return Realised(str(error))
    if not performance["predictions"]:
        return Realised(f"nothing was decided in the last {limits.truth_days} days")
    days = (now - datetime.fromisoformat(performance["first"])) / timedelta(days=1)
    a_month = performance["predictions"] / days * MONTH_DAYS if days >= ENOUGH_DAYS else None
    rows, value = performance["rows"], performance["value"]
    if rows < limits.min_rows:
        why = f"the ground truth of only {rows:,} decisions is known"
        return Realised(why, a_month=a_month, performance=performance)
    return Realised("", value["gained"], value["total"], a_month, performance)


def reckon_value(decisions: float, gain: float, rate: float) -> float:
    """Reckon what decisions bring, of which a thousand gain so much in units worth `rate` each."""
    return decisions * gain / 1000 * rate


def reckon_month(gain: float, a_month: float | None, problem: Problem, prices: Prices) -> Month:
    """Set what a thousand decisions gain beside what a month costs.

    `a_month`: how many decisions traffic has; without it, the estimate's.
    """
    decisions = a_month or problem.estimate.decisions_a_month
    counted = IN_TRAFFIC if a_month else "by the estimate" if decisions else ""
    rate, costs = prices.worth(problem.value.unit), prices.costs_of_month()
    cost, build = sum(costs.values()), problem.estimate.cost_to_build
    value = net = back = break_even = paid_in = None
    if rate is not None and gain > 0:
        break_even = cost / (gain / 1000 * rate)
    if rate is not None and decisions:
        value = reckon_value(decisions, gain, rate)
        net = value - cost
        back = value / cost if cost else None
        if build is not None and net > 0:
            paid_in = build * rate / net
    return Month(decisions, counted, rate, costs, cost, gain, value, net, back, break_even, paid_in)
