"""What decisions are worth, in the unit of problem.yaml: of a model, and of having none.

Shapes everywhere: `truth` (n,) is 0/1 for binary (1: the positive class), the class index for
multiclass, the number itself for regression. `score` is what the model puts out: (n,) probability
of the positive class, (n, k) a probability a class, (n,) the predicted number.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..settings import Task, Value

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

PER = 1000
# Above every probability: best when no score makes acting worth it.
NEVER = 1.01


def decisions(score: Array, threshold: float | None, task: Task) -> Array:
    """What is done, (n,): act or not (score >= threshold), a class index, a number."""
    if task == "binary":
        return np.asarray(score >= (0.5 if threshold is None else threshold))
    if task == "multiclass":
        return np.asarray(score.argmax(axis=1))
    return score


def outcomes(truth: Array, acted: Array) -> dict[str, int]:
    """How many rows of a yes/no decision ended in each of the four ways."""
    positive, acted = truth.astype(bool), acted.astype(bool)
    return {
        "true_positive": int((positive & acted).sum()),
        "false_positive": int((~positive & acted).sum()),
        "false_negative": int((positive & ~acted).sum()),
        "true_negative": int((~positive & ~acted).sum()),
    }


def worth(truth: Array, decided: Array, value: Value, task: Task) -> Floats:
    """Value of each row's decision, (n,), in `value.unit`."""
    if task == "binary":
        table = np.array(
            [
                [value.true_negative, value.false_positive],
                [value.false_negative, value.true_positive],
            ]
        )
        return np.asarray(table[truth.astype(int), decided.astype(int)])
    if task == "multiclass":
        return np.where(truth == decided, value.correct, value.wrong)
    return np.asarray(value.per_unit_of_error * np.abs(truth - decided))


def value_per_thousand(
    truth: Array, score: Array, threshold: float | None, value: Value, task: Task
) -> float:
    """Value of a thousand decisions made by these scores; `threshold` matters to binary only."""
    return PER * float(worth(truth, decisions(score, threshold, task), value, task).mean())


def constant_value(truth: Array, decided: float, value: Value, task: Task) -> float:
    """Value of a thousand decisions that are all the same: a policy that needs no model.

    Binary: 0 never acts, 1 always does; multiclass: a class index; regression: a number.
    """
    return PER * float(worth(truth, np.full(len(truth), decided), value, task).mean())


def usual(truth: Array, task: Task) -> float:
    """What one decides without a model: not to act, the most frequent class, the median."""
    if task == "binary":
        return 0.0
    if task == "multiclass":
        return float(np.bincount(truth.astype(int)).argmax())
    return float(np.median(truth))


def best_threshold(truth: Array, score: Array, value: Value) -> float:
    """The threshold that makes these binary decisions worth most; of equals the one acting least.

    Tries to act on the k highest scores for every k that does not tell equal scores apart. The
    threshold lies halfway between two scores, so that a rounding error in the packaged model
    does not turn a decision; 0 always acts, NEVER never does.
    """
    order = np.argsort(-score, kind="stable")
    ranked = score[order].astype(np.float64)
    positive = truth[order].astype(bool)
    gain = np.where(
        positive,
        value.true_positive - value.false_negative,
        value.false_positive - value.true_negative,
    )
    total = np.concatenate([[0.0], np.cumsum(gain)])
    thresholds = np.concatenate([[NEVER], (ranked[:-1] + ranked[1:]) / 2, [0.0]])
    separates = np.concatenate([[True], ranked[:-1] > ranked[1:], [True]])
    return float(thresholds[np.where(separates, total, -np.inf).argmax()])
