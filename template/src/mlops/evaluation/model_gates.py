"""Stage gate: is the model fit for release? Each question has a limit and an owner.

A failed gate does not stop this stage: the run is registered and reported first, so that all can
see why, and then stage release refuses.
"""

from typing import TYPE_CHECKING

from ..core.formatting import count, listed, number, percent, score, signed
from ..core.optional_parts import has_part
from ..core.params import Budgets, GateParams, Params
from ..core.paths import EVALUATION, LATENCY, REPORTS, read_json
from ..core.problem import Problem, Task
from ..core.resources import AFTER_JUDGEMENT, StageUsage, sum_usage
from ..data.split import leak_verdict, rows_verdict
from ..data.validate import reject_rate_verdict
from ..gates.gates import Finding, Verdict, assign_verdict, write_verdicts
from ..gates.limits import write_limits
from ..gates.own_gates import judge_own_gate, load_own_gates
from ..gates.yaml_location import Entry, list_column_entries
from .evaluation_report import DecisionValue, Evaluation
from .evidence import Evidence

if TYPE_CHECKING:
    from ..model.package import Parity


def run() -> None:
    """Judge all gates, write their verdicts and, where there is a service, its limits."""
    problem, params = Problem.read(), Params.read()
    verdicts = judge_all(problem, params)
    passed = write_verdicts(verdicts)
    if has_part("serving"):
        write_limits(problem, params, read_json(EVALUATION), passed)
    print(*(verdict.sentence() for verdict in verdicts), sep="\n")
    print(f"gate: {sum(verdict.passed for verdict in verdicts)} of {len(verdicts)} passed")


def judge_all(problem: Problem, params: Params) -> list[Verdict]:
    """Judge the reports of the stages before, by our gates and then by the team's."""
    stages = ("validation", "split", "leak", "package", "evaluation")
    validation, split, leak, package, evaluation = (
        read_json(REPORTS / f"{stage}.json") for stage in stages
    )
    usage, data, limits = sum_usage(without=AFTER_JUDGEMENT)["total"], params.data, params.gates
    verdicts = [
        judge_problem(problem, evaluation["task"]),
        reject_rate_verdict(validation, data.max_reject_rate, problem),
        rows_verdict(split, data.min_rows, problem),
        leak_verdict(leak, problem),
        assign_verdict(problem, "baseline", judge_baseline(evaluation, limits.min_lift)),
        assign_verdict(problem, "champion", judge_champion(evaluation, limits)),
        judge_slices(evaluation, limits.max_slice_gap, problem),
        assign_verdict(problem, "parity", judge_parity(package["parity"], limits.max_parity_gap)),
        assign_verdict(
            problem, "value", judge_value(evaluation["value"], limits.min_value, problem)
        ),
        assign_verdict(problem, "resources", judge_resources(usage, params.budgets)),
    ]
    if has_part("serving") and params.budgets.latency_ms is not None:
        p99_ms = read_json(LATENCY)["p99_ms"]
        finding = judge_latency(p99_ms, params.budgets.latency_ms)
        verdicts.append(assign_verdict(problem, "latency", finding))
    evidence = Evidence(evaluation)
    return verdicts + [judge_own_gate(gate, evidence, problem) for gate in load_own_gates()]


def judge_problem(problem: Problem, task: Task) -> Verdict:
    """Pass if problem.yaml says all that a release needs."""
    missing = problem.list_missing(task)
    blank = listed(missing)
    meaning = f"problem.yaml {f'does not say {blank}' if blank else 'says all a release needs'}"
    if (drafted := problem.list_drafted()) and not blank:
        meaning += f", but {listed(drafted)} still as the template drafted it: "
        meaning += f"{problem.owners.business_owner} has to fill it in"
    advice = f"Fill in {blank} in problem.yaml."
    finding = Finding(not blank, "incomplete" if blank else "complete", "complete", meaning, advice)
    return assign_verdict(
        problem, "problem", finding, tuple(Entry("problem.yaml", name) for name in missing)
    )


def judge_baseline(evaluation: Evaluation, min_lift: float) -> Finding:
    """Pass if the primary metric exceeds the baseline's by min_lift."""
    ours, base = evaluation["primary_metric"], evaluation["baseline"]
    if ours["value"] is None or base["value"] is None:
        advice = "Deliver rows with every answer, or raise split.test in params.yaml."
        return Finding(False, None, min_lift, "the test rows all have the same answer", advice)
    limit = round(base["value"] + min_lift, 6)
    meaning = (
        f"the model reaches {score(ours['value'])} ({score(ours['low'])} to "
        f"{score(ours['high'])}) against {score(base['value'])} ({base['source']}), and has to "
        f"reach {score(limit)}"
    )
    advice = (
        "Deliver more rows or columns that say more, or search longer (train.trials in "
        "params.yaml); until then the decision is better made as it is now."
    )
    if base["forecast"]:
        advice = (
            "This is a forecast: deliver what is known of the past as columns (the last values, "
            f"means of some of them). {advice}"
        )
    return Finding(ours["value"] >= limit, ours["value"], limit, meaning, advice)


def judge_champion(evaluation: Evaluation, limits: GateParams) -> Finding:
    """Block if the champion, or the best so far, is credibly better: if even the upper bound of a
    paired difference (newcomer minus champion) is below -max_loss, or that of what decisions are
    worth below -max_value_loss. Worth by the template's draft of value does not count.
    """
    champion, best, limit = evaluation["champion"], evaluation["best"], 0.0 - limits.max_loss
    if champion is None or champion["high"] is None:
        why = evaluation["champion_note"] or "no difference can be measured"
        return Finding(True, None, limit, f"not compared: {why}", "")
    rivals = {f"the champion, version {champion['version']}": champion}
    if best and best["version"] != champion["version"]:
        rivals[f"the best so far, version {best['version']}"] = best
    told, lost = list[str](), False
    for name, apart in rivals.items():
        told.append(
            f"{tell_gap(apart['difference'], apart['low'], apart['high'], 4)} against {name}"
        )
        lost |= apart["high"] is not None and apart["high"] < limit
        worth = apart["gain"]
        if evaluation["value"]["drafted"] or worth["high"] is None:
            continue
        if worth["high"] < 0.0 - limits.max_value_loss:
            unit = evaluation["value"]["unit"] or "units of value"
            gap = tell_gap(worth["value"], worth["low"], worth["high"])
            told.append(f"{gap} {unit} for a thousand decisions against {name}")
            lost = True
    allowed = f"a loss of up to {number(limits.max_loss, 4)}" if limits.max_loss else "no loss"
    meaning = f"{'; '.join(told)}; {allowed} beyond chance is allowed"
    advice = (
        "Keep the champion and find out what was lost, or raise gates.max_loss or "
        "gates.max_value_loss in params.yaml."
    )
    return Finding(not lost, champion["difference"], limit, meaning, advice)


def tell_gap(value: float, low: float | None, high: float | None, places: int | None = None) -> str:
    """Write a gap and its bounds."""
    by, least, most = (signed(figure, places) for figure in (value, low, high))
    return f"{by} ({least} to {most})"


def judge_slices(evaluation: Evaluation, limit: float, problem: Problem) -> Verdict:
    """Block if a slice is behind the whole by more than the limit even at its upper bound,
    which holds for all slices at once (see slices.py).
    """
    whole = evaluation["primary_metric"]["value"]
    sure = {
        (each["column"], each["value"]): round(whole - each["high"], 6)
        for each in evaluation["slices"]
        if each["high"] is not None
    }
    worse = [one for one, gap in sure.items() if gap > limit]
    behind = listed(f"{column} = {value}" for column, value in worse)
    gap = max([0.0, *sure.values()])
    meaning = f"no group large enough to judge performs worse, beyond chance, by {number(limit)}"
    if behind:
        allowed = f"{number(limit)} is allowed"
        meaning = f"{behind} performs worse, beyond chance, by {number(gap)}; {allowed}"
    advice = (
        f"Deliver more rows of {behind} or columns that tell them apart, or decide for these "
        "without the model; a wider gates.max_slice_gap is for the business owner to agree to."
    )
    few = listed(
        f"{each['column']} = {each['value']} ({count(each['rows'], 'row')})"
        for each in evaluation["slices"]
        if each["protected"] and each["high"] is None
    )
    doubt = f"too few test rows to judge {few}: deliver more of them" if few else ""
    finding = Finding(not behind, gap, limit, meaning, advice, doubt)
    return assign_verdict(
        problem, "slices", finding, list_column_entries(column for column, _ in worse)
    )


def judge_parity(parity: "Parity", limit: float) -> Finding:
    """Pass if the packaged model differs from the fitted one on a share of rows up to the limit."""
    share = parity["share_differing"]
    meaning = (
        f"packaged, the model answers differently on {percent(share, 2)} of the rows, "
        f"and up to {percent(limit, 2)} are allowed"
    )
    advice = "Undo the last change of features.py or candidates.py: it cannot be packaged exactly."
    return Finding(share <= limit, share, limit, meaning, advice)


def judge_value(worth: DecisionValue, limit: float, problem: Problem) -> Finding:
    """Pass if the value of a thousand decisions is above doing nothing's by more than the limit.

    As long as problem.yaml has the template's draft of what outcomes are worth, it says so and lets
    the run pass: by figures that nobody has agreed to, no model is refused.
    """
    gained = round(worth["model"] - worth["do_nothing"], 6)
    unit = worth["unit"] or "units of value"
    gains = f"a thousand decisions gain {signed(gained)} {unit} over {worth['do_nothing_means']}"
    if gained <= limit and "value.unit" in problem.list_drafted():
        whose = problem.owners.business_owner or "the business owner"
        doubt = f"{whose} has to say in problem.yaml what outcomes are really worth"
        meaning = f"not judged yet: by the template's draft of value {gains}"
        return Finding(True, gained, limit, meaning, warning=doubt)
    advice = "Check what problem.yaml says outcomes are worth"
    if gained > 0:
        advice += "; if it is right, improve the model, or agree on a lower gates.min_value."
    else:
        advice += "; if it is right, this model does not pay."
    meaning = f"{gains}, and have to gain more than {number(limit)}"
    return Finding(gained > limit, gained, limit, meaning, advice)


def judge_latency(p99_ms: float, limit: float) -> Finding:
    """Pass if 99 of 100 requests for one record take no more processor time than the limit, in
    milliseconds.
    """
    meaning = (
        f"a request for one record takes at most {number(p99_ms, 1)} ms of processor time, 99 "
        f"times of 100, and may take {number(limit, 1)} ms"
    )
    advice = (
        "Keep fewer features or smaller models (features.py, candidates.py), or raise "
        "budgets.latency_ms in params.yaml."
    )
    return Finding(p99_ms <= limit, p99_ms, limit, meaning, advice)


def judge_resources(usage: StageUsage, budgets: Budgets) -> Finding:
    """Pass if the run stays within its budgets of seconds and of memory."""
    seconds, memory = usage["seconds"], usage["peak_memory_mb"]
    long, large = seconds > budgets.seconds, memory > budgets.memory_mb
    over = listed([*(["longer"] if long else []), *(["more memory"] if large else [])])
    figures = f"{number(seconds, 0)} s, {number(memory, 0)} MB"
    limit = f"{number(budgets.seconds, 0)} s, {number(budgets.memory_mb, 0)} MB"
    verb = f"took {over} than planned" if over else "stayed within its budgets"
    meaning = f"the run {verb}: {figures} of {limit}"
    advice = (
        "See reports/resources.json for the stage that takes most; search less (train.trials), "
        "use a larger machine, or raise budgets in params.yaml."
    )
    return Finding(not over, figures, limit, meaning, advice)
