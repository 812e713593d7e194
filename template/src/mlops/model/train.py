"""Stage train: the candidates are compared, and one is chosen."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..core.errors import UserError
from ..core.formatting import count
from ..core.libraries import LibraryError
from ..core.params import Params, TrainParams
from ..core.paths import CHOICE, TRAIN, TRIALS, VALID, replacing, sha256, write_json
from ..core.problem import Problem, Task, Value
from ..core.team import loaded_team_files, team_code
from ..data.contract import CONTRACT, Contract
from .bench import OF_A_PLAN, Bench, Plan, Trial, fit, make_model
from .candidate import Candidate, candidates, named
from .conversion import ConversionError, convert
from .inputs import inputs
from .search import search
from .value import best_threshold

LOGS = Path(".search")
BUDGET = {"trials", "seconds", "processes"}
ROWS_TO_CONVERT = 1000


def run() -> None:
    contract, problem, params = Contract.load(), Problem.read(), Params.read()
    bench = Bench.of(pl.read_parquet(TRAIN), pl.read_parquet(VALID), contract, params)
    wanted, left_out = split_usable(named(params.train.candidates), contract.task)
    for reason in left_out:
        print(f"train: left out {reason}, and 'uv run dvc repro --force' tries it too")
    if left_out and all(candidate.baseline for candidate in wanted):
        raise UserError(
            "No candidate that params.yaml names in train.candidates can be made on this machine: "
            f"{'; '.join(left_out)}."
        )
    for candidate in wanted:
        if not candidate.baseline:
            refuse_unpackable(candidate, bench)
    names = [candidate.name for candidate in wanted]
    trials = try_candidates(bench, wanted, params.train, name_log(params.train, names))
    failed = list_failures(trials)
    for reason in failed:
        print(f"train: {reason}")
    choice = choose_plan(bench, trials, problem.value) | {"left_out": [*left_out, *failed]}
    with replacing(TRIALS) as scratch:
        tabulate_trials(trials).write_csv(scratch)
    write_json(CHOICE, choice)
    print(
        f"train: {choice['candidate']} chosen in {choice['trials']} trials, {choice['metric']} "
        f"{choice['score']:.4f} on rows it did not learn from"
    )


def split_usable(wanted: list[Candidate], task: Task) -> tuple[list[Candidate], list[str]]:
    """The candidates that can be made here, and for each other its name and what it lacks."""
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


def refuse_unpackable(candidate: Candidate, bench: Bench) -> None:
    """Raises ConversionError, before the search, for a candidate that could never be packaged.

    A few rows are enough to see that. What else is wrong with it, search and packaging tell.
    """
    rows = np.unique(np.linspace(0, len(bench.truth) - 1, ROWS_TO_CONVERT).astype(int))
    plan = Plan(candidate, candidate.defaults)
    try:
        pipeline = fit(plan, bench.values[rows], bench.truth[rows], bench.contract)
        convert(candidate, pipeline, inputs(bench.contract))
    except ConversionError as error:
        if error.for_good:
            raise
    except OF_A_PLAN:
        return


def name_log(params: TrainParams, names: list[str]) -> Path:
    """Where the search is written down: a name of its own for other rows, settings, code or
    candidates (`names`).

    The code is that of this folder, and each module of the team's that was imported so far. The
    budget does not count, so a search with more trials goes on where the smaller one ended. The
    logs of other searches are removed.
    """
    code = (*sorted(Path(__file__).parent.glob("*.py")), *loaded_team_files())
    files = (TRAIN, VALID, CONTRACT, *code)
    facts = params.model_dump_json(exclude=BUDGET) + " ".join([*names, *map(sha256, files)])
    own = LOGS / f"{hashlib.sha256(facts.encode()).hexdigest()[:16]}.log"
    for other in set(LOGS.glob("*.log")) - {own}:
        other.unlink()
    return own


def try_candidates(
    bench: Bench, wanted: list[Candidate], params: TrainParams, log: Path
) -> list[Trial]:
    """The trials of the search, and after them the baselines.

    Raises UserError if there is no candidate but baselines, or none that could be fitted.
    """
    free = [candidate for candidate in wanted if not candidate.baseline]
    if not free:
        raise UserError(
            "params.yaml: train.candidates names no model that could be chosen: add one of "
            f"{', '.join(each.name for each in candidates() if not each.baseline)}."
        )
    trials = search(bench, free, params, log)
    if all(trial.fault for trial in trials):
        raise UserError(f"No trial of the search could be scored: {trials[-1].fault}.")
    plans = [Plan(candidate, candidate.defaults) for candidate in wanted if candidate.baseline]
    return [*trials, *map(bench.attempt, plans)]


def list_failures(trials: list[Trial]) -> list[str]:
    """Of each candidate none of whose trials could be scored, its name and why."""
    faults: dict[str, list[str]] = {}
    for trial in trials:
        faults.setdefault(trial.plan.candidate.name, []).append(trial.fault)
    return [
        f"{name}: all {count(len(each), 'trial')} failed: {each[-1].rstrip('.')}"
        for name, each in faults.items()
        if all(each)
    ]


def tabulate_trials(trials: list[Trial]) -> pl.DataFrame:
    """A row a trial, with a column for each setting of each candidate."""
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


def choose_plan(bench: Bench, trials: list[Trial], value: Value) -> dict[str, Any]:
    """The best plan (of equals the first tried), and what it was chosen from.

    The threshold, which only a yes/no target has, lies where acting pays on the rows to judge by.
    """
    free = [trial for trial in trials if not trial.plan.candidate.baseline]
    best = max(free, key=lambda trial: -np.inf if trial.score is None else trial.score)
    threshold = None
    if bench.contract.task == "binary":
        truth, scores = map(np.concatenate, zip(*bench.scores(best.plan), strict=True))
        threshold = best_threshold(truth, scores, value)
    scored = tabulate_trials(trials).drop_nulls("score").group_by("candidate", maintain_order=True)
    each = scored.agg(pl.max("score"), trials=pl.len())
    return {
        "candidate": best.plan.candidate.name,
        "parameters": best.plan.settings,
        "keep": best.plan.keep,
        "inputs": bench.values.columns,
        "threshold": threshold,
        "metric": bench.metric.name,
        "score": best.score,
        "trials": len(trials),
        "candidates": each.rename({"candidate": "name"}).to_dicts(),
    }
