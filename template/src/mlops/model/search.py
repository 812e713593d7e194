"""The search: plans are tried side by side, and it goes on where it was stopped.

The same rows, params.yaml and code give the same trials, however many processes take part: plans
are made and judged in batches, in order. So a search that was killed begins anew, and remembers
what came of the plans tried before (trial_log.py). A budget in seconds may of course end it
elsewhere.
"""

import time
import warnings
from itertools import chain
from pathlib import Path

import optuna
from joblib import cpu_count
from optuna.trial import TrialState

from ..core.parallel import spread
from ..core.params import TrainParams
from ..core.progress import show_progress
from .candidate import Candidate
from .trial_log import open_trial_log
from .trial_runner import Plan, Trial, TrialRunner


def run_search(
    runner: TrialRunner, candidates: list[Candidate], params: TrainParams, log: Path
) -> list[Trial]:
    """Try plans until the budget is spent; what is still being tried then is given up."""
    end, trials = time.monotonic() + params.seconds, list[Trial]()
    trial_log = open_trial_log(log)
    known = trial_log.known
    with (
        # optuna warns that `group` may yet change, joblib that trials were given up.
        warnings.catch_warnings(action="ignore"),
        spread(min(params.processes or cpu_count(), params.batch)) as side_by_side,
        show_progress() as bar,
    ):
        study = begin_study(candidates, params.seed)
        shown, best = bar.add_task("search", total=params.trials), float("-inf")
        while len(trials) < params.trials and time.monotonic() < end:
            asked = [study.ask() for _ in range(min(params.batch, params.trials - len(trials)))]
            plans = [make_plan(each, candidates) for each in asked]
            before = known[len(trials) :]
            old = [Trial(plan, **result) for plan, result in zip(plans, before, strict=False)]
            new = side_by_side(runner.attempt, plans[len(old) :])
            for question, trial in zip(asked, chain(old, new), strict=True):
                trials.append(trial)
                fate = TrialState.FAIL if trial.fault else None
                answered = study.tell(question, trial.score, fate)
                if len(trials) > len(known):
                    trial_log.add(
                        answered,
                        {"score": trial.score, "seconds": trial.seconds, "fault": trial.fault},
                    )
                best = best if trial.score is None else max(best, trial.score)
                bar.update(shown, advance=1, description=f"search, best {best:.4f}")
                if time.monotonic() > end:
                    break
    return trials


def begin_study(candidates: list[Candidate], seed: int) -> optuna.Study:
    """Begin with the defaults of each candidate, then ask an estimator for settings.

    The tree-structured Parzen estimator (Bergstra et al., 2011) proposes settings of its own for
    each candidate (`group`), and the plans of a batch away from each other (`constant_liar`).
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=8, multivariate=True, group=True, constant_liar=True
    )
    study = optuna.create_study(sampler=sampler, direction="maximize")
    for candidate in candidates:
        settings = {f"{candidate.name}.{name}": v for name, v in candidate.defaults.items()}
        study.enqueue_trial({"candidate": candidate.name, "keep": 1.0, **settings})
    return study


def make_plan(trial: optuna.Trial, candidates: list[Candidate]) -> Plan:
    """Make the plan that a trial of Optuna proposes."""
    by_name = {candidate.name: candidate for candidate in candidates}
    candidate = by_name[trial.suggest_categorical("candidate", list(by_name))]
    keep = trial.suggest_float("keep", 0.25, 1.0, step=0.25)
    settings: dict[str, float] = {}
    for name, each in candidate.space.items():
        place = f"{candidate.name}.{name}"
        if each.is_whole:
            low, high = int(each.low), int(each.high)
            settings[name] = trial.suggest_int(place, low, high, log=each.log)
        else:
            settings[name] = trial.suggest_float(place, each.low, each.high, log=each.log)
    return Plan(candidate, settings, keep)
