"""The search: trials in generations, side by side, that goes on where it was stopped.

The same rows, params.yaml and code give the same trials, however many processes take part and
however often the search was killed: a generation is asked for as a whole, from a sampler seeded by
its number, and told as a whole, in order. (A budget in seconds may of course end it elsewhere.)
"""

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from joblib import Parallel, cpu_count, delayed
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import TPESampler
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock, JournalStorage
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..settings import TrainParams
from .bench import Bench, Outcome, Plan
from .candidates import Candidate, Whole

KEEP = (0.25, 0.5, 0.75, 1.0)
BEGUN = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.FAIL)


@dataclass(frozen=True)
class Trial:
    """A plan that was tried. `score` None: it failed, for the reason in `fault`."""

    number: int
    plan: Plan
    score: float | None
    seconds: float
    fault: str = ""


def search(
    bench: Bench, candidates: list[Candidate], params: TrainParams, log: Path
) -> list[Trial]:
    """Try plans until the budget of `params` is spent; every trial ever told to `log`, in order."""
    study = opened(log)
    for candidate in candidates:
        study.enqueue_trial(defaults(candidate), skip_if_exists=True)
    processes = min(params.processes or cpu_count(), params.batch)
    with Parallel(n_jobs=processes, return_as="generator") as parallel, Bar(params.trials) as bar:
        for generation in generations(study, candidates, params, bar):
            plans = [plan for _, plan in generation]
            outcomes = parallel(delayed(bench.attempt)(plan) for plan in plans)
            for (number, _), outcome in zip(generation, outcomes, strict=True):
                tell(study, number, outcome)
                bar.show(study)
    return [told(study, trial, candidates) for trial in finished(study)]


def generations(
    study: optuna.Study, candidates: list[Candidate], params: TrainParams, bar: "Bar"
) -> Iterator[list[tuple[int, Plan]]]:
    """Numbers and plans to try together, for as long as trials and seconds last.

    It is not begun what will not end in time, going by the slowest generation so far.
    """
    bar.show(study)
    start, slowest = time.monotonic(), 0.0
    generation = stopped(study, candidates)
    while time.monotonic() - start + slowest <= params.seconds:
        begun = len(study.get_trials(deepcopy=False, states=BEGUN))
        if not generation:
            study.sampler = sampler(params.seed + begun)
            size = min(params.batch, params.trials - begun)
            generation = [ask(study, candidates) for _ in range(size)]
        if not generation:
            return
        before = time.monotonic()
        yield generation
        slowest, generation = max(slowest, time.monotonic() - before), []


def sampler(seed: int) -> TPESampler:
    """Tree-structured Parzen estimator (Bergstra et al., 2011), over all settings at once.

    `constant_liar`: trials of one generation keep away from each other.
    """
    with warnings.catch_warnings():
        # `group` lets each candidate have settings of its own; optuna may yet change it.
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(
            seed=seed, n_startup_trials=8, multivariate=True, group=True, constant_liar=True
        )


def ask(study: optuna.Study, candidates: list[Candidate]) -> tuple[int, Plan]:
    trial = study.ask()
    known = {candidate.name: candidate for candidate in candidates}
    candidate = known[trial.suggest_categorical("candidate", list(known))]
    trial.suggest_float("keep", KEEP[0], KEEP[-1], step=KEEP[1] - KEEP[0])
    for name, setting in candidate.space.items():
        place = f"{candidate.name}.{name}"
        if isinstance(setting, Whole):
            trial.suggest_int(place, setting.low, setting.high, log=setting.log)
        else:
            trial.suggest_float(place, setting.low, setting.high, log=setting.log)
    return trial.number, planned(trial.params, candidates)


def planned(parameters: dict[str, Any], candidates: list[Candidate]) -> Plan:
    """The plan that a trial's parameters stand for. Raises KeyError if one is missing."""
    candidate = next(c for c in candidates if c.name == parameters["candidate"])
    settings = {name: parameters[f"{candidate.name}.{name}"] for name in candidate.space}
    return Plan(candidate, settings, parameters["keep"])


def defaults(candidate: Candidate) -> dict[str, Any]:
    settings = {f"{candidate.name}.{name}": value for name, value in candidate.defaults.items()}
    return {"candidate": candidate.name, "keep": KEEP[-1], **settings}


def stopped(study: optuna.Study, candidates: list[Candidate]) -> list[tuple[int, Plan]]:
    """What a killed search had asked for and not yet told; half-asked trials are given up."""
    found = []
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        try:
            found.append((trial.number, planned(trial.params, candidates)))
        except KeyError:
            study.tell(trial.number, state=TrialState.FAIL)
    return found


def tell(study: optuna.Study, number: int, outcome: Outcome) -> None:
    study.set_user_attr(f"seconds {number}", outcome.seconds)
    if outcome.score is None:
        study.set_user_attr(f"fault {number}", outcome.fault)
        study.tell(number, state=TrialState.FAIL)
    else:
        study.tell(number, outcome.score)


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Those that came to an end, but for the half-asked ones, of which no time was taken."""
    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL))
    return [trial for trial in ended if f"seconds {trial.number}" in study.user_attrs]


def told(study: optuna.Study, trial: FrozenTrial, candidates: list[Candidate]) -> Trial:
    about = study.user_attrs
    return Trial(
        trial.number,
        planned(trial.params, candidates),
        trial.value,
        about[f"seconds {trial.number}"],
        about.get(f"fault {trial.number}", ""),
    )


def opened(log: Path) -> optuna.Study:
    """The study in `log`, new or as a killed search left it: a half-written line is dropped."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        content = log.read_bytes()
        log.write_bytes(content[: content.rfind(b"\n") + 1])
    # DVC lets one pipeline run at a time, so a lock is one that a killed search left behind.
    Path(f"{log}.lock").unlink(missing_ok=True)
    lock = JournalFileOpenLock(str(log))
    storage = JournalStorage(JournalFileBackend(str(log), lock))
    return optuna.create_study(
        study_name="search", storage=storage, direction="maximize", load_if_exists=True
    )


class Bar(Progress):
    """Trials done of all, the best score so far, and the time; only where a person watches."""

    def __init__(self, trials: int) -> None:
        console = Console(stderr=True)
        super().__init__(
            TextColumn("search"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self.trials = self.add_task("", total=trials)

    def show(self, study: optuna.Study) -> None:
        done = finished(study)
        scores = [trial.value for trial in done if trial.value is not None]
        best = f"best {max(scores):.4f}" if scores else ""
        self.update(self.trials, completed=len(done), description=best)
