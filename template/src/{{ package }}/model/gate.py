"""Stage gate: is the model fit for release? Ten questions, each with a limit and an owner.

A failed gate does not stop this stage: the run is registered and reported first, so that all can
see why, and then stage release refuses.
"""

from typing import Any

from ..data.leak import Suspect
from ..data.split import leak_verdict, rows_verdict
from ..data.validate import verdict as reject_rate_verdict
from ..files import REPORTS, read_json
from ..gates import Verdict, write_verdicts
from ..resources import AFTER_JUDGEMENT, total
from ..settings import Budgets, GateParams, Owners, Params, Problem
from ..words import listed, metric, number, percent, score, signed

Report = dict[str, Any]


def run() -> None:
    found = verdicts(Problem.read(), Params.read())
    write_verdicts(found)
    for verdict in found:
        print(f"{'passed' if verdict.passed else 'BLOCKED':8}{verdict.name:12}{verdict.meaning}")
        if not verdict.passed:
            print(f"{'':20}{verdict.what_to_do} (for {verdict.owner})")
    passed = sum(verdict.passed for verdict in found)
    print(f"gate: {passed} of {len(found)} passed")


def verdicts(problem: Problem, params: Params) -> list[Verdict]:
    """All verdicts, from the reports of the stages before."""
    validation, split, leak, package, evaluation = (
        read_json(REPORTS / f"{name}.json")
        for name in ("validation", "split", "leak", "package", "evaluation")
    )
    owners, limits = problem.owners, params.gates
    return [
        complete_problem(problem),
        reject_rate_verdict(validation, params.data.max_reject_rate, problem),
        rows_verdict(split, params.data.min_rows, problem),
        leak_verdict(
            [Suspect(**each) for each in leak["suspects"]], params.data.max_leak_score, problem
        ),
        baseline(evaluation, limits, owners),
        champion(evaluation, limits, owners),
        slices(evaluation, limits, owners),
        parity(package, limits, owners),
        value(evaluation, limits, owners),
        resources(total(without=AFTER_JUDGEMENT)["total"], params.budgets, owners),
    ]


def judge(name: str, passed: bool, *, what_to_do: str, **told: Any) -> Verdict:
    return Verdict(name=name, passed=passed, what_to_do="" if passed else what_to_do, **told)


def complete_problem(problem: Problem) -> Verdict:
    missing = problem.missing()
    return judge(
        "problem",
        not missing,
        measured=f"{len(missing)} blank" if missing else "complete",
        limit="complete",
        meaning=f"problem.yaml does not say {listed(missing)}"
        if missing
        else "problem.yaml says what the model is for, what it is worth and who answers for it",
        what_to_do=f"Fill in {listed(missing)} in problem.yaml.",
        owner=problem.owners.business_owner or "business owner",
    )


def baseline(evaluation: Report, limits: GateParams, owners: Owners) -> Verdict:
    """The primary metric must exceed the baseline's by min_lift."""
    primary, base = evaluation["primary_metric"], evaluation["baseline"]
    reached, known = primary["value"], base["value"]
    told = reached is not None and known is not None
    limit = round(known + limits.min_lift, 6) if told else None
    than = "today's decisions" if base["source"] == "problem.yaml" else base["source"]
    return judge(
        "baseline",
        told and reached >= limit,
        measured=reached,
        limit=limit,
        meaning=f"the model reaches {score(reached)} ({metric(primary['name'])}; "
        f"{score(primary['low'])} to {score(primary['high'])}), {than} {score(known)}"
        if told
        else "the test rows cannot tell good from bad, as they all have the same answer",
        what_to_do="Give the model columns that say more, deliver more rows, or search longer "
        "(train.trials in params.yaml); until then the decision is better made as it is now."
        if told
        else "Deliver rows with every answer, or let the test part be larger (split.test in "
        "params.yaml).",
        owner=owners.data_scientist or "data scientist",
    )


def champion(evaluation: Report, limits: GateParams, owners: Owners) -> Verdict:
    """Blocks if the champion is credibly better by more than max_loss: if even the upper bound
    of the paired difference (newcomer minus champion) is below -max_loss.
    """
    found, limit = evaluation["champion"], 0.0 - limits.max_loss
    told = found is not None and found["high"] is not None
    passed = not told or found["high"] >= limit
    return judge(
        "champion",
        passed,
        measured=found["difference"] if told else None,
        limit=limit,
        meaning=f"{'not worse' if passed else 'worse'} than the champion, version "
        f"{found['version']}, beyond chance: the score differs by "
        f"{signed(found['difference'], 4)} ({signed(found['low'], 4)} to "
        f"{signed(found['high'], 4)} on the same rows)"
        if told
        else f"not compared: {evaluation['champion_note'] or 'no difference can be told'}",
        what_to_do="Keep the champion in use and find out what the new model lost, or allow a "
        "loss with gates.max_loss in params.yaml if there is a reason to change.",
        owner=owners.data_scientist or "data scientist",
    )


def slices(evaluation: Report, limits: GateParams, owners: Owners) -> Verdict:
    """Blocks if a slice is behind the whole by more than max_slice_gap even at its upper bound,
    which holds for all slices at once (see slices.py).
    """
    whole, limit = evaluation["primary_metric"]["value"], limits.max_slice_gap
    judged = [each for each in evaluation["slices"] if each["high"] is not None]
    sure = {
        f"{each['column']} = {each['value']}": round(whole - each["high"], 6) for each in judged
    }
    behind = [name for name, gap in sure.items() if gap > limit]
    widest = max(judged, key=lambda each: each["gap"], default=None)
    if behind:
        meaning = f"the model serves {listed(behind)} worse than the rest, beyond chance"
    elif widest is None:
        meaning = "no group of rows is marked protected or slice and large enough to judge"
    else:
        meaning = (
            f"no group is certainly served worse than allowed; the widest gap is "
            f"{score(widest['gap'])}, for {widest['column']} = {widest['value']}"
        )
    return judge(
        "slices",
        not behind,
        measured=max(0.0, *sure.values(), 0.0),
        limit=limit,
        meaning=meaning,
        what_to_do=f"Deliver more rows of {listed(behind)} or columns that tell them apart, or "
        "decide for these without the model; a wider gates.max_slice_gap in params.yaml is for "
        "the business owner to agree to.",
        owner=owners.data_scientist or "data scientist",
    )


def parity(package: Report, limits: GateParams, owners: Owners) -> Verdict:
    share, limit = package["parity"]["share_differing"], limits.max_parity_gap
    return judge(
        "parity",
        share <= limit,
        measured=share,
        limit=limit,
        meaning="the packaged model answers otherwise than the trained one on "
        f"{percent(share, 2)} of the rows",
        what_to_do="Leave the last change of features.py or candidates.py out: it uses a step that "
        "cannot be packaged exactly.",
        owner=owners.ml_engineer or "ML engineer",
    )


def value(evaluation: Report, limits: GateParams, owners: Owners) -> Verdict:
    """The model's value per thousand decisions must be above doing nothing's by min_value."""
    worth, limit = evaluation["value"], limits.min_value
    gained = round(worth["model"] - worth["do_nothing"], 6)
    unit = worth["unit"] or "units of value"
    return judge(
        "value",
        gained > limit,
        measured=gained,
        limit=limit,
        meaning=f"a thousand decisions are worth {signed(gained)} {unit} against "
        f"{worth['do_nothing_means']}",
        what_to_do="Check what the outcomes are worth in problem.yaml; if that is right, using "
        "this model does not pay.",
        owner=owners.business_owner or "business owner",
    )


def resources(spent: Report, budgets: Budgets, owners: Owners) -> Verdict:
    over = []
    if spent["seconds"] > budgets.seconds:
        over.append("longer")
    if spent["peak_memory_mb"] > budgets.memory_mb:
        over.append("more memory")
    meaning = "the run stayed within its time and memory"
    return judge(
        "resources",
        not over,
        measured=f"{number(spent['seconds'], 0)} s, {number(spent['peak_memory_mb'], 0)} MB",
        limit=f"{number(budgets.seconds, 0)} s, {number(budgets.memory_mb, 0)} MB",
        meaning=f"the run took {' and '.join(over)} than planned" if over else meaning,
        what_to_do="See reports/resources.json for the stage that takes most; search less "
        "(train.trials in params.yaml), use a larger machine, or raise budgets in params.yaml.",
        owner=owners.devops_engineer or "DevOps engineer",
    )
