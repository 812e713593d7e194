"""Stage train: the candidates are compared, and one is chosen."""

import csv
import hashlib
import inspect
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..data.contract import Contract
from ..errors import UserError
from ..files import CHOICE, REPORTS, TRAIN, VALID, replacing, sha256, write_json
from ..settings import Params, Problem, TrainParams, Value
from . import bench as benches
from . import candidates, features, fitting, inputs, metrics, search, selection
from .bench import Bench, Plan
from .search import Trial
from .value import best_threshold

TRIALS = REPORTS / "plots" / "trials.csv"
LOGS = Path(".search")
# What a trial's score depends on, apart from rows and settings.
CODE = (benches, candidates, features, fitting, inputs, metrics, search, selection)
BUDGET = {"trials", "seconds", "processes"}


def run() -> None:
    contract, problem, params = Contract.load(), Problem.read(), Params.read()
    bench = Bench.of(pl.read_parquet(TRAIN), pl.read_parquet(VALID), contract, params)
    trials = compared(bench, params.train, log(contract, params.train))
    choice = chosen(bench, trials, problem.value)
    write_trials(trials)
    write_json(CHOICE, choice)
    print(
        f"train: {choice['candidate']} chosen in {choice['trials']} trials, {choice['metric']} "
        f"{choice['score']:.4f} on rows it did not learn from"
    )


def log(contract: Contract, params: TrainParams) -> Path:
    """Where the search is written down: a name of its own for other rows, settings or code.

    The budget does not count, so a search with more trials goes on where the smaller one ended.
    """
    facts = [sha256(TRAIN), sha256(VALID), contract.model_dump_json()]
    facts += [params.model_dump_json(exclude=BUDGET), *map(inspect.getsource, CODE)]
    name = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
    return LOGS / f"{name}.log"


def compared(bench: Bench, params: TrainParams, log: Path) -> list[Trial]:
    """The trials of the search, and after them the baselines.

    Raises UserError if there is no candidate but baselines, or none that could be fitted.
    """
    wanted = candidates.named(params.candidates)
    free = [candidate for candidate in wanted if not candidate.baseline]
    if not free:
        raise UserError(
            "params.yaml: train.candidates names no model that could be chosen: add one of "
            f"{', '.join(each.name for each in candidates.CANDIDATES if not each.baseline)}."
        )
    if log.parent.exists():
        for other in set(log.parent.glob("*.log")) - {log}:
            other.unlink()
    thin = bench.thin(params.seed)
    trials = search.search(thin, free, params, log)
    if all(trial.score is None for trial in trials):
        why = trials[-1].fault if trials else "train.seconds of params.yaml is too small"
        raise UserError(f"No trial of the search could be scored: {why}.")
    for baseline in (candidate for candidate in wanted if candidate.baseline):
        plan = Plan(baseline, baseline.defaults)
        trials.append(Trial(trials[-1].number + 1, plan, **asdict(thin.attempt(plan))))
    return trials


def chosen(bench: Bench, trials: list[Trial], value: Value) -> dict[str, Any]:
    """The best plan and its threshold, and the candidates it was chosen from."""
    best = best_of(trial for trial in trials if not trial.plan.candidate.baseline)
    return {
        "candidate": best.plan.candidate.name,
        "parameters": best.plan.settings,
        "keep": best.plan.keep,
        "inputs": bench.inputs(best.plan.keep),
        "threshold": threshold(bench, best.plan, value),
        "metric": bench.metric.name,
        "score": best.score,
        "trials": len(trials),
        "candidates": [
            {
                "name": name,
                "score": best_of(tried).score,
                "seconds": round(sum(trial.seconds for trial in tried), 2),
                "trials": len(tried),
            }
            for name, tried in by_candidate(trials).items()
        ],
    }


def by_candidate(trials: list[Trial]) -> dict[str, list[Trial]]:
    """The scored trials of each candidate that has any."""
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.score is not None:
            found.setdefault(trial.plan.candidate.name, []).append(trial)
    return found


def best_of(trials: Iterable[Trial]) -> Trial:
    """The highest score; of equals the first tried. Raises ValueError if none was scored."""
    scored = (trial for trial in trials if trial.score is not None)
    return max(scored, key=lambda trial: (trial.score, -trial.number))


def threshold(bench: Bench, plan: Plan, value: Value) -> float | None:
    """Where acting pays, on rows the model did not learn from; None unless the task is binary."""
    if bench.contract.task != "binary":
        return None
    truth, scores = (np.concatenate(part) for part in zip(*bench.scores(plan), strict=True))
    return best_threshold(truth, scores, value)


def write_trials(trials: list[Trial]) -> None:
    """A row a trial, with a column for each setting of each candidate."""
    rows = [
        {
            "trial": trial.number,
            "candidate": trial.plan.candidate.name,
            "score": trial.score,
            "seconds": round(trial.seconds, 3),
            "state": "failed" if trial.score is None else "complete",
            "keep": trial.plan.keep,
            **{f"{trial.plan.candidate.name}.{k}": v for k, v in trial.plan.settings.items()},
        }
        for trial in trials
    ]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(TRIALS) as scratch, scratch.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
