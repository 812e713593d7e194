"""Reckon what the decision has been worth, what running it costs, and what to decide next.

reports/business.html is for those who pay: one sentence first, one paragraph of advice, and every
figure with where it comes from. reports/business.json says the same.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..core.errors import UserError
from ..core.formatting import number, percent
from ..core.optional_parts import has_part, load_module
from ..core.params import Params
from ..core.paths import GATE_REPORT, REPORTS, read_json, replacing, write_json
from ..core.problem import Estimate, Problem
from ..evaluation.evaluate import rounded
from ..registry.champion import promised
from .charts import label_trend
from .prices import MONTH_DAYS, PRICES, Prices
from .report import html

PAGE = REPORTS / "business.html"
REPORT = REPORTS / "business.json"
ENOUGH_DAYS = 7  # of traffic, to count the decisions of a month by
SHORT_OF = 0.8  # realised, of what was expected: below that it is worth asking why


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


@dataclass(frozen=True)
class Worth:
    """What the page tells. Gains are against doing nothing, in `unit` for a thousand decisions.

    `passed`: whether the model has passed its gates; `expected`: the gain by the evaluation.
    """

    unit: str
    currency: str
    passed: bool
    expected: float
    realised: Realised
    month: Month

    @property
    def state(self) -> str:
        """Whether it pays: pays, loses or unknown."""
        if self.month.net is None:
            return "unknown"
        return "pays" if self.month.net > 0 else "loses"

    @property
    def headline(self) -> str:
        """What there is to say, in one sentence."""
        month = self.month
        if month.net is None:
            gain = f"{number(month.gain)} {self.unit}"
            return f"A thousand decisions bring {gain}; whether that pays cannot be told yet."
        pays, amount = month.net > 0, f"{number(abs(month.net), 0)} {self.currency} a month"
        beside = "more than it costs" if pays else "less than it costs"
        if self.realised.gain is None:
            return f"It {'should pay' if pays else 'would not pay'}: {amount} {beside}."
        return f"It {'pays' if pays else 'does not pay'}: {amount} {beside}."


def write_report() -> list[str]:
    """Reckon, write both files, and return what they say in short.

    Raises UserError if no model was evaluated, or there is no prices.yaml.
    """
    problem = Problem.read()
    worth = reckon()
    next_decision = advise(worth, problem)
    summary = {"headline": worth.headline, "advice": next_decision, "state": worth.state}
    write_json(REPORT, rounded(summary | asdict(worth)))
    with replacing(PAGE) as scratch:
        scratch.write_text(render_page(worth, problem), encoding="utf-8")
    return [worth.headline, next_decision, f"{PAGE} tells more."]


def reckon() -> Worth:
    """Reckon from the evaluation of the model in use, live traffic and prices.yaml."""
    problem, prices = Problem.read(), Prices.load(str(PRICES))
    evaluation, in_use = promised()
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
        why = f"the truth of only {rows:,} decisions is known"
        return Realised(why, a_month=a_month, performance=performance)
    gain = value["realised"] - value["do_nothing"]
    return Realised("", gain, gain * rows / value["per"], a_month, performance)


def reckon_month(gain: float, a_month: float | None, problem: Problem, prices: Prices) -> Month:
    """Set what a thousand decisions gain beside what a month costs.

    `a_month`: how many decisions traffic has; without it, the estimate's.
    """
    decisions = a_month or problem.estimate.decisions_a_month
    counted = "in traffic" if a_month else "by the estimate" if decisions else ""
    rate, costs = prices.worth(problem.value.unit), prices.costs_of_month()
    cost, build = sum(costs.values()), problem.estimate.cost_to_build
    value = net = back = break_even = paid_in = None
    if rate is not None and gain > 0:
        break_even = cost / (gain / 1000 * rate)
    if rate is not None and decisions:
        value = decisions * gain / 1000 * rate
        net = value - cost
        back = value / cost if cost else None
        if build is not None and net > 0:
            paid_in = build * rate / net
    return Month(decisions, counted, rate, costs, cost, gain, value, net, back, break_even, paid_in)


def advise(worth: Worth, problem: Problem) -> str:
    """Return what to decide next: the first thing that stands in the way, else how to gain more."""
    month, realised, unit = worth.month, worth.realised, worth.unit
    scientist = problem.owners.data_scientist or "the data scientist"
    if not worth.passed:
        return (
            "Decide nothing on the newest model yet: it did not pass its checks. "
            "reports/index.html tells which, and whose turn it is."
        )
    if month.gain <= 0:
        return (
            "Stop deciding by this model: a thousand of its decisions are worth "
            f"{number(-month.gain)} {unit} less than doing nothing. Go back to the one before "
            f"('model rollback') or to none, and have {scientist} find out why ('monitor report')."
        )
    if month.rate is None:
        return (
            f"Say in prices.yaml (value_unit_is_worth) what one of its {unit} is worth in "
            f"{worth.currency}: only then can what it brings be set against what it costs."
        )
    if month.net is None:
        return (
            "Say in problem.yaml (estimate.decisions_a_month) how often it is to decide: it pays "
            f"from {number(month.break_even, 0)} decisions a month on."
        )
    advice = advise_by_net(worth, month.net, problem.estimate, scientist)
    if realised.gain is not None:
        return advice
    why = realised.why[:1].upper() + realised.why[1:].rstrip(".")
    return (
        f"What it really brings is not known yet. {why}. Have the truth sent to it (POST /feedback)"
        " before more is spent on it; until then, what follows is what the evaluation promised. "
        f"{advice}"
    )


def advise_by_net(worth: Worth, net: float, hoped: Estimate, scientist: str) -> str:
    """Return what to decide of a model that gains, by what is left of that after its cost."""
    month, gain = worth.month, worth.realised.gain
    part, most = max(month.costs.items(), key=lambda item: item[1])
    share = f"the largest part of its cost, {percent(most / month.cost, 0)}, is {part}"
    if net <= 0:
        return (
            f"Find it more decisions or make it cheaper, or else switch it off: it pays from "
            f"{number(month.break_even, 0)} decisions a month on, and there are "
            f"{number(month.decisions, 0)}; {share}."
        )
    if gain is not None and gain < SHORT_OF * worth.expected:
        return (
            f"Keep it, but ask {scientist} why it brings only "
            f"{percent(gain / worth.expected, 0)} of what was expected ('monitor "
            "report' shows since when, and for whom), and decide on a new model then."
        )
    if month.paid_in is not None and month.paid_in > hoped.months:
        there = f"there are {number(month.decisions, 0)} a month"
        hope = f", {number(hoped.decisions_a_month, 0)} were hoped for"
        return (
            "It pays for its upkeep, but at this rate not for its building within "
            f"{hoped.months} months: use it for more decisions before more is built "
            f"({there}{hope if hoped.decisions_a_month else ''})."
        )
    more = number(month.gain * (month.rate or 0))
    return (
        f"Keep it, and look for more decisions of this kind: a further thousand brings {more} "
        f"{worth.currency} and costs next to nothing; {share}."
    )


def render_page(worth: Worth, problem: Problem) -> str:
    """Return the page's HTML; the same figures give the same bytes."""
    lived = worth.realised.performance
    template = html().get_template("business.html")
    return template.render(
        worth=worth,
        advice=advise(worth, problem),
        trend=label_trend(lived) if lived else [],
        problem=problem,
        prices=Prices.load(str(PRICES)),
    )
