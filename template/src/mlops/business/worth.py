"""What the decision has been worth, what running it costs, and what to decide next.

reports/business.html is for those who pay: one sentence first, one paragraph of advice, and every
figure with where it comes from. reports/business.json says the same.
"""

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
from .charts import label
from .prices import MONTH_DAYS, PRICES, Prices
from .report import html

PAGE = REPORTS / "business.html"
REPORT = REPORTS / "business.json"
ENOUGH_DAYS = 7  # of traffic, to count the decisions of a month by
SHORT_OF = 0.8  # realised, of what was expected: below that it is worth asking why
Report = dict[str, Any]


def report() -> list[str]:
    """Reckon, write both files, and return what they say in short.

    Raises UserError if no model was evaluated, or there is no prices.yaml.
    """
    found = rounded(reckoned())
    write_json(REPORT, found)
    with replacing(PAGE) as scratch:
        scratch.write_text(page(found), encoding="utf-8")
    return [found["headline"], found["advice"], f"{PAGE} tells more."]


def reckoned() -> Report:
    """{headline, advice, state (pays, loses, unknown), unit, currency, passed (its gates),
    expected (gain of a thousand decisions), realised: see `live`, month: see `monthly`}.

    A gain is against doing nothing, in problem.yaml's unit.
    """
    problem, prices = Problem.read(), Prices.load(str(PRICES))
    evaluation, in_use = promised()
    value, passed = evaluation["value"], in_use or read_json(GATE_REPORT)["passed"]
    expected, realised = value["model"] - value["do_nothing"], live()
    known = realised["gain"] is not None
    month = monthly(realised["gain"] if known else expected, realised, problem, prices)
    found: Report = {"unit": problem.value.unit or "units of value", "currency": prices.currency}
    found |= {"passed": passed, "expected": expected, "realised": realised, "month": month}
    net = month["net"]
    state = "unknown" if net is None else "pays" if net > 0 else "loses"
    return {"headline": headline(found), "advice": advice(found, problem), "state": state} | found


def live() -> Report:
    """What live traffic says: {why (nothing is known, or ""), gain (of a thousand decisions, None
    if too few truths are known), total (where they are), a_month (decisions, None if traffic is too
    short to tell), performance}.
    """
    nothing = {"why": "", "gain": None, "total": None, "a_month": None, "performance": None}
    if not has_part("monitoring"):
        return nothing | {"why": "this project has no service that would write a journal"}
    truths, figures = load_module("monitoring.truths"), load_module("monitoring.performance")
    now, limits = datetime.now(UTC), Params.read().monitoring
    try:
        since = now - timedelta(days=limits.truth_days)
        found = figures.performance(truths.journal_url(), since, now)
    except UserError as error:
        return nothing | {"why": str(error)}
    if not found["predictions"]:
        return nothing | {"why": f"nothing was decided in the last {limits.truth_days} days"}
    days = (now - datetime.fromisoformat(found["first"])) / timedelta(days=1)
    a_month = found["predictions"] / days * MONTH_DAYS if days >= ENOUGH_DAYS else None
    told = nothing | {"performance": found, "a_month": a_month}
    if found["rows"] < limits.min_rows:
        return told | {"why": f"the truth of only {found['rows']:,} decisions is known"}
    gain = found["value"]["realised"] - found["value"]["do_nothing"]
    return told | {"gain": gain, "total": gain * found["rows"] / found["value"]["per"]}


def monthly(gain: float, realised: Report, problem: Problem, prices: Prices) -> Report:
    """A month in the currency: {decisions, counted (in traffic, or estimated; "": unknown), costs
    (by part), cost, value, net, back (value per cost), break_even (decisions that pay), paid_in
    (months until the building is paid)}; None is what is not known.
    """
    counted = "in traffic" if realised["a_month"] else ""
    decisions = realised["a_month"] or problem.estimate.decisions_a_month
    if decisions and not counted:
        counted = "by the estimate"
    rate, costs = prices.worth(problem.value.unit), prices.month()
    found: Report = {"decisions": decisions, "counted": counted, "rate": rate, "costs": costs}
    found |= {"cost": sum(costs.values()), "gain": gain}
    found |= dict.fromkeys(("value", "net", "back", "break_even", "paid_in"))
    if rate is None:
        return found
    if gain > 0:
        found["break_even"] = found["cost"] / (gain / 1000 * rate)
    if decisions:
        found["value"] = decisions * gain / 1000 * rate
        found["net"] = found["value"] - found["cost"]
        found["back"] = found["value"] / found["cost"] if found["cost"] else None
        build = problem.estimate.cost_to_build
        if build is not None and found["net"] > 0:
            found["paid_in"] = build * rate / found["net"]
    return found


def headline(found: Report) -> str:
    month, currency = found["month"], found["currency"]
    if month["net"] is None:
        gain = f"{number(month['gain'])} {found['unit']}"
        return f"A thousand decisions bring {gain}; whether that pays cannot be told yet."
    pays, amount = month["net"] > 0, f"{number(abs(month['net']), 0)} {currency} a month"
    if found["realised"]["gain"] is None:
        return f"It {'should pay' if pays else 'would not pay'}: {amount} {compared(pays)}."
    return f"It {'pays' if pays else 'does not pay'}: {amount} {compared(pays)}."


def compared(pays: bool) -> str:
    return "more than it costs" if pays else "less than it costs"


def advice(found: Report, problem: Problem) -> str:
    """What to decide next: the first thing that stands in the way, else how to gain more."""
    month, realised, unit = found["month"], found["realised"], found["unit"]
    scientist = problem.owners.data_scientist or "the data scientist"
    if not found["passed"]:
        return (
            "Decide nothing on the newest model yet: it did not pass its checks. "
            "reports/index.html tells which, and whose turn it is."
        )
    if month["gain"] <= 0:
        return (
            "Stop deciding by this model: a thousand of its decisions are worth "
            f"{number(-month['gain'])} {unit} less than doing nothing. Go back to the one before "
            f"('model rollback') or to none, and have {scientist} find out why ('monitor report')."
        )
    if month["rate"] is None:
        return (
            f"Say in prices.yaml (value_unit_is_worth) what one of its {unit} is worth in "
            f"{found['currency']}: only then can what it brings be set against what it costs."
        )
    if month["decisions"] is None:
        return (
            "Say in problem.yaml (estimate.decisions_a_month) how often it is to decide: it pays "
            f"from {number(month['break_even'], 0)} decisions a month on."
        )
    parts = (unsure(realised), next_step(found, problem.estimate, scientist))
    return " ".join(part for part in parts if part)


def unsure(realised: Report) -> str:
    """What to do first where only the promise is known."""
    if realised["gain"] is not None:
        return ""
    why = realised["why"][:1].upper() + realised["why"][1:].rstrip(".")
    return (
        f"What it really brings is not known yet. {why}. Have the truth sent to it (POST /feedback)"
        " before more is spent on it; until then, what follows is what the evaluation promised."
    )


def next_step(found: Report, hoped: Estimate, scientist: str) -> str:
    month, realised, currency = found["month"], found["realised"], found["currency"]
    part, most = max(month["costs"].items(), key=lambda item: float(item[1]))
    share = f"the largest part of its cost, {percent(most / month['cost'], 0)}, is {part}"
    if month["net"] <= 0:
        return (
            f"Find it more decisions or make it cheaper, or else switch it off: it pays from "
            f"{number(month['break_even'], 0)} decisions a month on, and there are "
            f"{number(month['decisions'], 0)}; {share}."
        )
    if realised["gain"] is not None and realised["gain"] < SHORT_OF * found["expected"]:
        return (
            f"Keep it, but ask {scientist} why it brings only "
            f"{percent(realised['gain'] / found['expected'], 0)} of what was expected ('monitor "
            "report' shows since when, and for whom), and decide on a new model then."
        )
    if month["paid_in"] is not None and month["paid_in"] > hoped.months:
        there = f"there are {number(month['decisions'], 0)} a month"
        hope = f", {number(hoped.decisions_a_month, 0)} were hoped for"
        return (
            "It pays for its upkeep, but at this rate not for its building within "
            f"{hoped.months} months: use it for more decisions before more is built "
            f"({there}{hope if hoped.decisions_a_month else ''})."
        )
    more = number(month["gain"] * month["rate"])
    return (
        f"Keep it, and look for more decisions of this kind: a further thousand brings {more} "
        f"{currency} and costs next to nothing; {share}."
    )


def page(found: Report) -> str:
    """The page's HTML; the same figures give the same bytes."""
    problem, prices = Problem.read(), Prices.load(str(PRICES))
    lived, month = found["realised"]["performance"], found["month"]
    trend = [
        each | {"label": label(each["start"], lived["period"])}
        for each in (lived["trend"] if lived else ())
    ]
    template = html().get_template("business.html")
    told = {"problem": problem, "prices": prices, "trend": trend}
    return template.render(**found, **told, balance=balance(month, problem))


def balance(month: Report, problem: Problem) -> list[Report]:
    """By month [{label, balance}] what is left of the building's cost, in the currency."""
    build, net = problem.estimate.cost_to_build, month["net"]
    if build is None or net is None:
        return []
    months = range(problem.estimate.months + 1)
    return [{"label": str(n), "balance": n * net - build * month["rate"]} for n in months]
