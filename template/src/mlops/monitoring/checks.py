"""Judge the figures of live traffic: each check has a limit, an owner and what to do.

The limits are those of params.yaml by which Prometheus raises alerts, too.
"""

from typing import Literal

from ..core.formatting import count, listed, number, percent, score, signed
from ..core.params import GateParams, Monitoring, Params
from ..core.problem import Problem
from ..gates.gates import Finding, Verdict, assign_verdict
from .drift import Drift, InputDrift, excess_beyond_chance
from .performance_report import Performance

LIMITS = "monitoring in params.yaml"
RETRAIN = "add newer rows with their labels and run 'uv run dvc repro'"
# What a page says first, of the checks that failed: the gravest.
HEADLINES = {
    "value": "The decisions are worth less than required.",
    "performance": "The model performs worse than it did.",
    "slices": "One group performs worse than the others.",
    "missing": "Values have gone missing.",
    "unseen": "Categories arrive that the model has never seen.",
    "drift": "The inputs no longer look like the training data.",
    "traffic": "The model gets hardly any requests.",
}


def check(
    performance: Performance, drift: Drift, problem: Problem, params: Params
) -> list[Verdict]:
    """Return a verdict for each limit that is set.

    Where too little is known to tell, which passes, `measured` is None.
    """
    limits, gates, inputs = params.monitoring, params.gates, drift["inputs"]
    if drift["rows"] < limits.min_rows:
        inputs = []
    findings: dict[str, Finding | None] = {
        "value": check_value(performance, gates, limits),
        "performance": check_metric(performance, limits),
        "slices": check_slices(performance, gates),
        "missing": check_shares(drift, inputs, "missing", limits.max_missing),
        "unseen": check_shares(drift, inputs, "unseen", limits.max_unseen),
        "drift": check_stability(inputs, limits.max_psi),
        "traffic": check_traffic(drift, limits),
    }
    return [
        assign_verdict(problem, name, finding, room="service")
        for name, finding in findings.items()
        if finding
    ]


def choose_headline(verdicts: list[Verdict], performance: Performance) -> str:
    """Return what there is to say, in one sentence."""
    failed = {verdict.name for verdict in verdicts if not verdict.passed}
    for name, words in HEADLINES.items():
        if name in failed:
            return words
    if performance["metric"]["value"] is None:
        return "Nothing looks wrong; the ground truth is not known yet."
    return "The model does what it promised."


def check_value(performance: Performance, gates: GateParams, limits: Monitoring) -> Finding:
    """Judge the value per thousand decisions, above doing nothing's, as the gate of that name."""
    value, limit = performance["value"], gates.min_value
    if value["gained"] is None or performance["rows"] < limits.min_rows:
        return too_few_truths(performance, limit)
    gained = round(value["gained"], 6)
    meaning = (
        f"a thousand decisions were worth {signed(gained)} {value['unit'] or 'units of value'} "
        f"against {value['do_nothing_means']}, {signed(value['expected'])} were expected"
    )
    advice = (
        "Go back to deciding without the model ('model rollback' if the one before did better) "
        f"until it pays again: {RETRAIN}, or correct in problem.yaml what outcomes are worth."
    )
    return Finding(gained > limit, gained, limit, meaning, advice)


def check_metric(performance: Performance, limits: Monitoring) -> Finding | None:
    """Judge the primary metric, which may be so much below that of the evaluation."""
    metric, loss = performance["metric"], limits.max_performance_loss
    expected, reached = metric["expected"], metric["value"]
    if loss is None or expected is None:
        return None
    limit = round(expected - loss, 6)
    if reached is None or performance["rows"] < limits.min_rows:
        return too_few_truths(performance, limit)
    meaning = (
        f"it reaches {score(reached)} ({score(metric['low'])} to {score(metric['high'])}), the "
        f"evaluation {score(expected)}"
    )
    advice = f"Look below for when it began and in which group, then {RETRAIN}."
    return Finding(reached >= limit, reached, limit, meaning, advice)


def check_slices(performance: Performance, gates: GateParams) -> Finding:
    """Fail if a slice is behind the whole by more than the limit even at its upper bound."""
    whole, limit = performance["metric"]["value"], gates.max_slice_gap
    gaps = {
        f"{each['column']} = {each['value']}": round(whole - each["high"], 6)
        for each in performance["slices"]
        if whole is not None and each["high"] is not None
    }
    if not gaps:
        return Finding(True, None, limit, "no group is large enough to judge", "")
    behind = listed(name for name, gap in gaps.items() if gap > limit)
    meaning = f"worse than the others, beyond chance: {behind or 'no group'}"
    advice = f"See whether the columns of {behind} are right; if they are, {RETRAIN}."
    return Finding(not behind, max(0.0, *gaps.values()), limit, meaning, advice)


def check_shares(
    drift: Drift, inputs: list[InputDrift], what: Literal["missing", "unseen"], limit: float | None
) -> Finding | None:
    """Judge by how much the share of missing, or unseen, values exceeds that in training.

    It has to be more than chance would have it: three standard errors, as in the rules of
    Prometheus.
    """
    if limit is None:
        return None
    shares = {each["input"]: pair for each in inputs if (pair := each[what])}
    if not shares:
        return Finding(True, None, limit, "there are too few records to judge", "")
    excess = {name: excess_beyond_chance(pair, drift["rows"]) for name, pair in shares.items()}
    over = sorted((name for name in excess if excess[name] > limit), key=lambda n: -excess[n])
    affected = listed(
        f"{name} ({percent(shares[name]['live'])} instead of {percent(shares[name]['expected'])})"
        for name in over
    )
    kind = "missing" if what == "missing" else "of a kind that training never met"
    meaning = f"{f'values of {affected}' if over else 'no more values than usual'} are {kind}"
    advice = f"Ask who delivers {listed(over)} what has changed, and have it fixed at the source."
    return Finding(not over, max(0.0, *excess.values()), limit, meaning, advice)


def check_stability(inputs: list[InputDrift], limit: float | None) -> Finding | None:
    """Judge the population stability index of the most drifted input; the score is one, too."""
    if limit is None:
        return None
    if not inputs:
        return Finding(True, None, limit, "there are too few records to judge", "")
    over = [each["input"] for each in inputs if each["psi"] > limit]
    worst = inputs[0]
    highest = f"the index of {worst['input']} is highest, {number(worst['psi'])}"
    meaning = f"among the inputs {listed(over)} drifted; {highest}" if over else highest
    advice = (
        f"See below what has changed: fix it if it is a fault; if the world has changed, {RETRAIN}."
    )
    return Finding(not over, worst["psi"], limit, meaning, advice)


def check_traffic(drift: Drift, limits: Monitoring) -> Finding:
    """Judge whether enough records came to judge by."""
    rows, limit = drift["rows"], limits.min_rows
    meaning = f"{count(rows, 'record')} came in the window; {number(limit)} are needed to judge by"
    advice = f"See whether requests reach the service (/metrics), or lower min_rows, {LIMITS}."
    return Finding(rows >= limit, rows, limit, meaning, advice)


def too_few_truths(performance: Performance, limit: float) -> Finding:
    """Return a finding that passes, because nothing can be said yet."""
    meaning = f"only {count(performance['rows'], 'truth')} known so far, too few to judge"
    return Finding(True, None, limit, meaning, "")
