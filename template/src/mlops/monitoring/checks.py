"""What the figures of live traffic mean: each check has a limit, an owner and what to do.

The limits are those of params.yaml by which Prometheus raises alerts, too.
"""

from typing import Any

from ..core.formatting import count, listed, number, percent, score, signed
from ..core.params import GateParams, Monitoring, Params
from ..core.problem import Problem
from ..gates.gates import Finding, Verdict, judged
from .drift import beyond_chance

Report = dict[str, Any]
LIMITS = "monitoring in params.yaml"
RETRAIN = "bring in newer rows with their answers and run 'uv run dvc repro'"
# What a page says first, of the checks that failed: the gravest.
HEADLINES = {
    "value": "The decisions are worth less than they have to be.",
    "performance": "The model answers worse than it did.",
    "slices": "One group is served worse than the others.",
    "missing": "Values have gone missing.",
    "unseen": "Values come in that the model has never met.",
    "drift": "What comes in is no longer what the model learned from.",
    "traffic": "Hardly anything is asked of the model.",
}


def checks(performance: Report, drift: Report, problem: Problem, params: Params) -> list[Verdict]:
    """A verdict for each limit that is set; where too little is known to tell, which passes,
    `measured` is None.
    """
    limits, gates, inputs = params.monitoring, params.gates, drift["inputs"]
    if drift["rows"] < limits.min_rows:
        inputs = []
    found: dict[str, Finding | None] = {
        "value": value(performance, gates, limits),
        "performance": metric(performance, limits),
        "slices": slices(performance, gates),
        "missing": more(drift, inputs, "missing", limits.max_missing),
        "unseen": more(drift, inputs, "unseen", limits.max_unseen),
        "drift": drifted(inputs, limits.max_psi),
        "traffic": traffic(drift, limits),
    }
    return [judged(problem, name, one, room="service") for name, one in found.items() if one]


def headline(verdicts: list[Verdict], performance: Report) -> str:
    """What there is to say, in one sentence."""
    failed = {verdict.name for verdict in verdicts if not verdict.passed}
    for name, words in HEADLINES.items():
        if name in failed:
            return words
    if performance["metric"]["value"] is None:
        return "Nothing looks wrong; the truth is not known yet."
    return "The model does what it promised."


def value(performance: Report, gates: GateParams, limits: Monitoring) -> Finding:
    """Value per thousand decisions, above doing nothing's, as the gate of the same name."""
    found, limit = performance["value"], gates.min_value
    if performance["rows"] < limits.min_rows:
        return unknown(performance, limit)
    gained = round(found["realised"] - found["do_nothing"], 6)
    meaning = (
        f"a thousand decisions were worth {signed(gained)} {found['unit'] or 'units of value'} "
        f"against {found['do_nothing_means']}, {number(found['expected'])} were expected"
    )
    advice = (
        "Go back to deciding without the model ('model rollback' if the one before did better) "
        f"until it pays again: {RETRAIN}, or correct in problem.yaml what outcomes are worth."
    )
    return Finding(gained > limit, gained, limit, meaning, advice)


def metric(performance: Report, limits: Monitoring) -> Finding | None:
    """The primary metric may be so much below that of the evaluation."""
    found, loss = performance["metric"], limits.max_performance_loss
    expected, reached = found["expected"], found["value"]
    if loss is None or expected is None:
        return None
    limit = round(expected - loss, 6)
    if reached is None or performance["rows"] < limits.min_rows:
        return unknown(performance, limit)
    meaning = (
        f"it reaches {score(reached)} ({score(found['low'])} to {score(found['high'])}), the "
        f"evaluation {score(expected)}"
    )
    advice = f"Look below for when it began and in which group, then {RETRAIN}."
    return Finding(reached >= limit, reached, limit, meaning, advice)


def slices(performance: Report, gates: GateParams) -> Finding:
    """Fails if a slice is behind the whole by more than the limit even at its upper bound."""
    whole, limit = performance["metric"]["value"], gates.max_slice_gap
    sure = {
        f"{each['column']} = {each['value']}": round(whole - each["high"], 6)
        for each in performance["slices"]
        if None not in (whole, each["high"])
    }
    if not sure:
        return Finding(True, None, limit, "no group is large enough to judge", "")
    behind = listed(name for name, gap in sure.items() if gap > limit)
    meaning = f"served worse, beyond chance: {behind or 'no group'}"
    advice = f"See whether the columns of {behind} are right; if they are, {RETRAIN}."
    return Finding(not behind, max(0.0, *sure.values()), limit, meaning, advice)


def more(drift: Report, inputs: list[Report], what: str, limit: float | None) -> Finding | None:
    """By how much the share of values that are missing, or unseen, exceeds that in training, more
    than chance would have it: three standard errors, as in the rules of Prometheus.
    """
    if limit is None:
        return None
    known = [each for each in inputs if each[what]]
    if not known:
        return Finding(True, None, limit, "there are too few records to tell", "")
    worst = {each["input"]: beyond_chance(**each[what], rows=drift["rows"]) for each in known}
    over = sorted((name for name, by in worst.items() if by > limit), key=lambda n: -worst[n])
    told = listed(
        f"{each['input']} ({percent(each[what]['live'])} instead of "
        f"{percent(each[what]['expected'])})"
        for name in over
        for each in known
        if each["input"] == name
    )
    words = "missing" if what == "missing" else "of a kind that training did not know"
    meaning = f"{f'values of {told}' if over else 'no more values than usual'} are {words}"
    advice = f"Ask who delivers {listed(over)} what has changed, and have it mended at the source."
    return Finding(not over, max(0.0, *worst.values()), limit, meaning, advice)


def drifted(inputs: list[Report], limit: float | None) -> Finding | None:
    if limit is None:
        return None
    if not inputs:
        return Finding(True, None, limit, "there are too few records to tell", "")
    over = [each["input"] for each in inputs if each["psi"] > limit]
    worst = inputs[0]
    told = f"the index of {worst['input']} is highest, {number(worst['psi'])}"
    meaning = f"among the inputs {listed(over)} drifted; {told}" if over else told
    advice = f"See below what has changed: mend it if it is a fault; if the world is, {RETRAIN}."
    return Finding(not over, worst["psi"], limit, meaning, advice)


def traffic(drift: Report, limits: Monitoring) -> Finding:
    rows, limit = drift["rows"], limits.min_rows
    meaning = f"{count(rows, 'record')} came in the window; {number(limit)} are needed to judge by"
    advice = f"See whether requests reach the service (/metrics), or lower min_rows, {LIMITS}."
    return Finding(rows >= limit, rows, limit, meaning, advice)


def unknown(performance: Report, limit: float) -> Finding:
    meaning = f"only {count(performance['rows'], 'truth')} known so far, too few to tell"
    return Finding(True, None, limit, meaning, "")
