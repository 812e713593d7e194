"""How good scores are. Small and without warnings, for they are called by the thousand.

truth: shape (rows,), places in `contract.classes` or numbers. scores: shape (rows,), or
(rows, classes) with several classes. A metric that cannot be told (only one class in the rows,
a constant target) is NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ..errors import UserError
from ..settings import Task

Array = NDArray[Any]
TINY = 1e-7


def roc_auc(truth: Array, scores: Array) -> float:
    """Chance that a positive row scores above a negative one (Mann and Whitney, 1947)."""
    positive = truth == 1
    positives = int(positive.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(scores)[positive].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def roc_auc_ovr(truth: Array, scores: Array) -> float:
    """The mean of each class against the rest, over the classes that are among the rows."""
    each = [roc_auc(truth == place, scores[:, place]) for place in np.unique(truth)]
    return float(np.mean(each))


def average_precision(truth: Array, scores: Array) -> float:
    """The area under precision over recall, as a sum of steps; equal scores are one step."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order] == 1)
    if not len(hits) or not hits[-1]:
        return float("nan")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    recall_steps = np.diff(hits[last] / hits[-1], prepend=0)
    return float(np.sum(recall_steps * hits[last] / (last + 1)))


def log_loss(truth: Array, scores: Array) -> float:
    """The mean of -ln(probability given to what came true)."""
    given = np.where(truth == 1, scores, 1 - scores) if scores.ndim == 1 else chosen(truth, scores)
    return float(-np.log(np.clip(given.astype(float), TINY, 1)).mean())


def chosen(truth: Array, scores: Array) -> Array:
    return np.take_along_axis(scores, truth[:, None], axis=1)[:, 0]


def labels(scores: Array, threshold: float = 0.5) -> Array:
    """The decision: positive from the threshold on, or the class with the highest score."""
    return (scores >= threshold).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)


def accuracy(truth: Array, scores: Array, threshold: float = 0.5) -> float:
    return float((labels(scores, threshold) == truth).mean())


def f1_macro(truth: Array, scores: Array, threshold: float = 0.5) -> float:
    """2TP / (2TP + FP + FN) of each class that occurs or is said, averaged."""
    said = labels(scores, threshold)
    places = np.union1d(truth, said)
    hits = np.array([((truth == place) & (said == place)).sum() for place in places])
    calls = np.array([(truth == place).sum() + (said == place).sum() for place in places])
    return float(np.mean(2 * hits / calls))


def r2(truth: Array, scores: Array) -> float:
    """The share of the target's variance that is explained."""
    spread = float(np.square(truth - truth.mean()).sum())
    return 1 - float(np.square(truth - scores).sum()) / spread if spread else float("nan")


def mae(truth: Array, scores: Array) -> float:
    return float(np.abs(truth - scores).mean())


def rmse(truth: Array, scores: Array) -> float:
    return float(np.sqrt(np.square(truth - scores).mean()))


@dataclass(frozen=True)
class Metric:
    """A metric to choose by; `score(truth, scores)` is greater when better."""

    name: str
    score: Callable[[Array, Array], float]


def negative(name: str, loss: Callable[[Array, Array], float]) -> Metric:
    return Metric(f"neg_{name}", lambda truth, scores: -loss(truth, scores))


ANY_CLASSES = (
    negative("log_loss", log_loss),
    Metric("accuracy", accuracy),
    Metric("f1_macro", f1_macro),
)
# What `train.metric` of params.yaml may say; "auto" is the first of each.
CHOICES: dict[Task, tuple[Metric, ...]] = {
    "binary": (
        Metric("roc_auc", roc_auc),
        Metric("average_precision", average_precision),
        *ANY_CLASSES,
    ),
    "multiclass": (Metric("roc_auc_ovr", roc_auc_ovr), *ANY_CLASSES),
    "regression": (Metric("r2", r2), negative("mae", mae), negative("rmse", rmse)),
}


def primary(task: Task, name: str = "auto") -> Metric:
    """The metric to choose and to judge by. Raises UserError if the task has none of that name."""
    known = {metric.name: metric for metric in CHOICES[task]}
    if name == "auto":
        return CHOICES[task][0]
    if name not in known:
        raise UserError(
            f"params.yaml: train.metric: {name!r} is no metric for a {task} target; "
            f"take one of auto, {', '.join(known)}."
        )
    return known[name]


def report(
    task: Task, truth: Array, scores: Array, threshold: float | None = None
) -> dict[str, float]:
    """All metrics of the task by name, losses as losses; decisions are made at `threshold`."""
    if task == "regression":
        return {"r2": r2(truth, scores), "mae": mae(truth, scores), "rmse": rmse(truth, scores)}
    ranking = (
        {"roc_auc": roc_auc(truth, scores), "average_precision": average_precision(truth, scores)}
        if task == "binary"
        else {"roc_auc_ovr": roc_auc_ovr(truth, scores)}
    )
    limit = 0.5 if threshold is None else threshold
    return {
        **ranking,
        "log_loss": log_loss(truth, scores),
        "accuracy": accuracy(truth, scores, limit),
        "f1_macro": f1_macro(truth, scores, limit),
    }
