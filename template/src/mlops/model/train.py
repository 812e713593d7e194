"""Stage train: the candidates are compared, and one is chosen."""

import hashlib
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from ..core.errors import UserError
from ..core.formatting import count
from ..core.libraries import LibraryError
from ..core.params import Params, TrainParams
from ..core.paths import CHOICE, TRAIN, TRIALS, VALID, replacing, sha256, write_json
from ..core.problem import Problem, Task, Value
from ..core.team import list_loaded_team_files, team_code
from ..data.contract import CONTRACT, Contract
from .candidate import Candidate, find_candidates, load_candidates
from .choice import CandidateScore, Choice
from .conversion import ConversionError, convert_candidate
from .inputs import list_inputs
from .parity import share_differing
from .search import run_search
from .trial_runner import OF_A_PLAN, Plan, Trial, TrialRunner, fit_plan, make_model
from .value import find_best_threshold

LOGS = Path(".search")
BUDGET = {"trials", "seconds", "processes"}
ROWS_TO_CONVERT = 1000
MOST_DIFFERING = 0.01  # what lies below, the gate judges once the model has learned from all rows


def run() -> None:
    """Search among the candidates, and write the choice and all trials."""
    contract, problem, params = Contract.load(), Problem.read(), Params.read()
    runner = TrialRunner.of(pl.read_parquet(TRAIN), pl.read_parquet(VALID), contract, params)
    wanted, left_out = split_usable(find_candidates(params.train.candidates), contract.task)
    for reason in left_out:
        print(f"train: left out {reason}, and 'uv run dvc repro --force' tries it too")
    if left_out and all(candidate.baseline for candidate in wanted):
        raise UserError(
            "No candidate that params.yaml names in train.candidates can be made on this machine: "
            f"{'; '.join(left_out)}."
        )
    misfits = {each.name: reason for each in wanted if (reason := explain_misfit(each, runner))}
    for reason in misfits.values():
        print(f"train: left out {reason}")
    wanted = [candidate for candidate in wanted if candidate.name not in misfits]
    if misfits and all(candidate.baseline for candidate in wanted):
        raise UserError(
            "No candidate that params.yaml names in train.candidates can be packaged: "
            f"{'; '.join(misfits.values())}."
        )
    left_out += misfits.values()
    names = [candidate.name for candidate in wanted]
    trials = try_candidates(runner, wanted, params.train, name_log(params.train, names))
    failures = list_failures(trials)
    for reason in failures:
        print(f"train: {reason}")
    choice = choose_plan(runner, trials, problem.value, [*left_out, *failures])
    with replacing(TRIALS) as scratch:
        tabulate_trials(trials).write_csv(scratch)
    write_json(CHOICE, choice)
    print(
        f"train: {choice['candidate']} chosen in {choice['trials']} trials, {choice['metric']} "
        f"{choice['score']:.4f} on rows it did not learn from"
    )


def split_usable(wanted: list[Candidate], task: Task) -> tuple[list[Candidate], list[str]]:
    """Split off the candidates that cannot be made here, and say of each what it lacks."""
    usable, left_out = [], []
    for candidate in wanted:
        try:
            with team_code(but=(LibraryError,), place=candidate.line):
                make_model(Plan(candidate, candidate.defaults), task)
        except LibraryError as error:
            left_out.append(str(error))
        else:
            usable.append(candidate)
    return usable, left_out


def explain_misfit(candidate: Candidate, runner: TrialRunner) -> str:
    """Explain, before the search, why a candidate would answer otherwise once packaged; "": it
    would not, or is never packaged.

    A few rows are enough to see that. What else is wrong with it, search and packaging tell. Raises
    ConversionError for a candidate that could never be packaged.
    """
    if candidate.baseline:
        return ""
    rows = np.unique(np.linspace(0, len(runner.truth) - 1, ROWS_TO_CONVERT).astype(int))
    plan = Plan(candidate, candidate.defaults)
    try:
        pipeline = fit_plan(plan, runner.values[rows], runner.truth[rows], runner.contract)
        model = convert_candidate(candidate, pipeline, list_inputs(runner.contract))
        share = share_differing(model, pipeline, runner.values[rows])
    except ConversionError as error:
        if error.for_good:
            raise
        return f"{candidate.name}: {error}".rstrip(".")
    except OF_A_PLAN:
        return ""
    if share <= MOST_DIFFERING:
        return ""
    place = f" ({candidate.line})" if candidate.line else ""
    return (
        f"{candidate.name}: as an ONNX file it answers {share:.0%} of the rows otherwise{place}: "
        "take a model and feature steps that convert exactly, or take it out of train.candidates "
        "in params.yaml"
    )


def name_log(params: TrainParams, names: list[str]) -> Path:
    """Name the file of the search: another one for other rows, settings, code or candidates
    (`names`).

    The code is that of this folder, and each module of the team's that was imported so far. The
    budget does not count, so a search with more trials goes on where the smaller one ended. The
    logs of other searches are removed.
    """
    code = (*sorted(Path(__file__).parent.glob("*.py")), *list_loaded_team_files())
    files = (TRAIN, VALID, CONTRACT, *code)
    facts = params.model_dump_json(exclude=BUDGET) + " ".join([*names, *map(sha256, files)])
    own = LOGS / f"{hashlib.sha256(facts.encode()).hexdigest()[:16]}.log"
    for other in set(LOGS.glob("*.log")) - {own}:
        other.unlink()
    return own


def try_candidates(
    runner: TrialRunner, wanted: list[Candidate], params: TrainParams, log: Path
) -> list[Trial]:
    """Return the trials of the search, and after them those of the baselines.

    Raises UserError if there is no candidate but baselines, or none that could be fitted.
    """
    free = [candidate for candidate in wanted if not candidate.baseline]
    if not free:
        raise UserError(
            "params.yaml: train.candidates names no model that could be chosen: add one of "
            f"{', '.join(each.name for each in load_candidates() if not each.baseline)}."
        )
    trials = run_search(runner, free, params, log)
    if all(trial.fault for trial in trials):
        raise UserError(f"No trial of the search could be scored: {trials[-1].fault}.")
    plans = [Plan(candidate, candidate.defaults) for candidate in wanted if candidate.baseline]
    return [*trials, *map(runner.attempt, plans)]


def list_failures(trials: list[Trial]) -> list[str]:
    """Say of each candidate none of whose trials could be scored its name, and why."""
    faults: dict[str, list[str]] = {}
    for trial in trials:
        faults.setdefault(trial.plan.candidate.name, []).append(trial.fault)
    return [
        f"{name}: all {count(len(each), 'trial')} failed: {each[-1].rstrip('.')}"
        for name, each in faults.items()
        if all(each)
    ]


def tabulate_trials(trials: list[Trial]) -> pl.DataFrame:
    """Make a row of each trial, with a column for each setting of each candidate."""
    rows = [
        {
            "trial": number,
            "candidate": trial.plan.candidate.name,
            "score": trial.score,
            "seconds": round(trial.seconds, 3),
            "state": "failed" if trial.fault else "complete",
            "fault": trial.fault,
            "keep": trial.plan.keep,
            **{f"{trial.plan.candidate.name}.{k}": v for k, v in trial.plan.settings.items()},
        }
        for number, trial in enumerate(trials)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def choose_plan(
    runner: TrialRunner, trials: list[Trial], value: Value, left_out: list[str]
) -> Choice:
    """Choose the best plan, of equals the first tried; `left_out` says what could not be tried.

    The threshold, which only a yes/no target has, lies where acting pays on the rows to judge by.
    """
    free = [trial for trial in trials if not trial.plan.candidate.baseline]
    best = max(free, key=lambda trial: -np.inf if trial.score is None else trial.score)
    threshold = None
    if runner.contract.task == "binary":
        truth, scores = map(np.concatenate, zip(*runner.score_pairs(best.plan), strict=True))
        threshold = find_best_threshold(truth, scores, value)
    scored = tabulate_trials(trials).drop_nulls("score").group_by("candidate", maintain_order=True)
    each = scored.agg(pl.max("score"), trials=pl.len())
    return {
        "candidate": best.plan.candidate.name,
        "parameters": best.plan.settings,
        "keep": best.plan.keep,
        "inputs": runner.values.columns,
        "threshold": threshold,
        "metric": runner.metric.name,
        "score": best.score,
        "trials": len(trials),
        "candidates": cast("list[CandidateScore]", each.rename({"candidate": "name"}).to_dicts()),
        "left_out": left_out,
    }
