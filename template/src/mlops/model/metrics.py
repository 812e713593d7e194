"""How good scores are.

truth: shape (rows,), places in `contract.classes` or numbers. scores: shape (rows,), or
(rows, classes) with several classes. What cannot be told (the area under a curve where all rows
have one class, r2 of a constant) is NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from sklearn import metrics

from ..core.errors import UserError
from ..core.problem import Task
from ..core.team import listed_by_team
from .value import Array, decisions

Score = Callable[[Array, Array], float]


def roc_auc(truth: Array, scores: Array) -> float:
    """Chance that a positive row scores above a negative one (Mann and Whitney, 1947).

    The bootstrap calls it by the thousand; scikit-learn's takes thrice as long.
    """
    positive = truth == 1
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(scores)[positive].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def roc_auc_ovr(truth: Array, scores: Array) -> float:
    """The mean of each class against the rest, over the classes that are among the rows."""
    return float(np.mean([roc_auc(truth == place, scores[:, place]) for place in np.unique(truth)]))


def average_precision(truth: Array, scores: Array) -> float:
    return float(metrics.average_precision_score(truth, scores)) if truth.any() else float("nan")


def neg_log_loss(truth: Array, scores: Array) -> float:
    classes = range(2 if scores.ndim == 1 else scores.shape[1])
    return -float(metrics.log_loss(truth, scores, labels=classes))


def r2(truth: Array, scores: Array) -> float:
    return float(metrics.r2_score(truth, scores)) if np.ptp(truth) else float("nan")


# What `train.metric` of params.yaml may say beside the team's own metrics (see `choices`); greater
# is better, and "auto" is the first of each.
CHOICES: dict[Task, dict[str, Score]] = {
    "binary": {
        "roc_auc": roc_auc,
        "average_precision": average_precision,
        "neg_log_loss": neg_log_loss,
    },
    "multiclass": {"roc_auc_ovr": roc_auc_ovr, "neg_log_loss": neg_log_loss},
    "regression": {
        "r2": r2,
        "neg_mae": lambda truth, scores: -float(metrics.mean_absolute_error(truth, scores)),
        "neg_rmse": lambda truth, scores: -float(metrics.root_mean_squared_error(truth, scores)),
    },
}


# Names of figures that reports/metrics.json has beside these.
ALWAYS = ("accuracy", "f1_macro", "value")


@dataclass(frozen=True)
class Metric:
    """A figure to choose and to judge by: `score(truth, scores)` is greater when better.

    `tasks` are the kinds of target that it can judge. The name of a loss begins with "neg_": its
    score is negated, and reports show the loss.
    """

    name: str
    score: Score
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")


def reported(name: str) -> str:
    """What reports call a metric: a loss is shown as one."""
    return name.removeprefix("neg_")


def choices(task: Task) -> dict[str, Score]:
    """The metrics of a kind of target by name: the built-in ones, then the team's.

    Raises UserError if the team's metrics.py lists something else, or a name twice.
    """
    found, taken = dict(CHOICES[task]), {*ALWAYS, *map(reported, CHOICES[task])}
    for each in listed_by_team("metrics", "METRICS", Metric):
        if task in each.tasks:
            if reported(each.name) in taken:
                raise UserError(f"metrics.py: there is a metric {each.name!r} already; rename it.")
            taken.add(reported(each.name))
            found[each.name] = each.score
    return found


def primary(task: Task, name: str = "auto") -> Metric:
    """The metric to choose and to judge by. Raises UserError if the task has none of that name."""
    known = choices(task)
    name = next(iter(known)) if name == "auto" else name
    if name not in known:
        raise UserError(
            f"params.yaml: train.metric: {name!r} is no metric for a {task} target; "
            f"take one of auto, {', '.join(known)}."
        )
    return Metric(name, known[name])


def report(
    task: Task, truth: Array, scores: Array, threshold: float | None = None
) -> dict[str, float]:
    """All metrics of the task by name, losses as losses; decisions are made at `threshold`."""
    found = {name: float(score(truth, scores)) for name, score in choices(task).items()}
    found = {reported(name): v if reported(name) == name else -v for name, v in found.items()}
    if task != "regression":
        said = decisions(scores, threshold, task).astype(int)
        found["accuracy"] = float(np.mean(said == truth))
        found["f1_macro"] = float(metrics.f1_score(truth, said, average="macro"))
    return found
