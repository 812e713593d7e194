"""What decisions are worth, in the unit of problem.yaml: of a model, and of having none.

Shapes everywhere: `truth` (n,) is 0/1 for binary (1: the positive class), the class index for
multiclass, the number itself for regression. `score` is what the model puts out: (n,) probability
of the positive class, (n, k) a probability a class, (n,) the predicted number.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.problem import Task, Value

Array = npt.NDArray[Any]

PER = 1000
# Above every probability: best when no score makes acting worth it.
NEVER = 1.01


def decide(score: Array, threshold: float | None, task: Task) -> Array:
    """Decide what is done, (n,): act or not (score >= threshold), a class index, a number."""
    if task == "binary":
        return np.asarray(score >= (0.5 if threshold is None else threshold), dtype=int)
    return np.asarray(score.argmax(axis=1)) if task == "multiclass" else score


def find_usual_decision(truth: Array, task: Task) -> tuple[float, str]:
    """Find what one decides without a model, and say it in words."""
    if task == "binary":
        return 0, "never acting"
    if task == "multiclass":
        return int(np.bincount(truth).argmax()), "always the most frequent class"
    return float(np.median(truth)), "always the median"


def compute_value_per_thousand(
    truth: Array, decided: Array | float, value: Value, task: Task
) -> float:
    """Compute the value of a thousand decisions, in `value.unit`.

    `decided` is (n,), or the same decision for all rows.
    """
    if task == "binary":
        acting = np.where(truth == 1, value.true_positive, value.false_positive)
        leaving = np.where(truth == 1, value.false_negative, value.true_negative)
        worth = np.where(decided, acting, leaving)
    elif task == "multiclass":
        worth = np.where(truth == decided, value.correct, value.wrong)
    else:
        worth = value.per_unit_of_error * np.abs(truth - decided)
    return PER * float(worth.mean())


def compute_gain_per_thousand(
    truth: Array, decided: Array, usual: float, value: Value, task: Task
) -> float:
    """Compute what a thousand decisions are worth above the usual one on the same rows.

    This is what "value" means wherever it is judged: at the gate, in production, in alerts, on
    pages. What doing nothing is worth depends on how many of the rows are positive, so that it is
    never taken from other rows.
    """
    ours, theirs = (
        compute_value_per_thousand(truth, each, value, task) for each in (decided, usual)
    )
    return ours - theirs


def find_best_threshold(truth: Array, score: Array, value: Value) -> float:
    """Find the threshold that makes these binary decisions worth most; of equals the least acting.

    Tries to act on the k highest scores for every k that does not tell equal scores apart. The
    threshold lies halfway between two scores, so that a rounding error in the packaged model
    does not turn a decision; 0 always acts, NEVER never does.
    """
    order = np.argsort(-score, kind="stable")
    ranked = score[order].astype(float)
    if_positive = value.true_positive - value.false_negative
    if_negative = value.false_positive - value.true_negative
    total = np.cumsum([0.0, *np.where(truth[order] == 1, if_positive, if_negative)])
    thresholds = np.array([NEVER, *(ranked[:-1] + ranked[1:]) / 2, 0.0])
    separates = np.array([True, *(np.diff(ranked) < 0), True])
    return float(thresholds[np.where(separates, total, -np.inf).argmax()])
