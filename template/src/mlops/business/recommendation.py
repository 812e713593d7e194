"""Say what to decide next about a model, from what it brings and what it costs."""

from ..core.formatting import number, percent
from ..core.problem import Estimate, Problem
from .profitability import Worth

SHORT_OF = 0.8  # realised, of what was expected: below that it is worth asking why


def advise(worth: Worth, problem: Problem) -> str:
    """Return what to decide next: the first thing that stands in the way, else how to gain more."""
    month, realised, unit = worth.month, worth.realised, worth.unit
    scientist = problem.owners.data_scientist or "the data scientist"
    if not worth.passed:
        return (
            "Decide nothing on the newest model yet: it did not pass its checks. "
            "reports/index.html says which, and who acts next."
        )
    if month.gain <= 0:
        return (
            "Stop using this model for decisions: a thousand of its decisions are worth "
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
        f"What it really brings is not known yet. {why}. Have the ground truth sent to it (POST "
        "/feedback) before more is spent on it; until then, what follows is what the evaluation "
        f"promised. {advice}"
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
        hope = f", {number(hoped.decisions_a_month, 0)} were assumed"
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
