"""How good scores are.

truth: shape (rows,), places in `contract.classes` or numbers. scores: shape (rows,), or
(rows, classes) with several classes. What cannot be told (the area under a curve where all rows
have one class, r2 of a constant) is NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from typing import get_args

import numpy as np
from scipy.stats import rankdata
from sklearn import metrics

from ..core.errors import TeamError, UserError
from ..core.problem import Task
from ..core.team import (
    error_line,
    function_line,
    list_line,
    listed_by_team,
    one_line,
    require_function,
    require_name,
    running_line,
    team_code,
)
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


class UnmeasurableError(UserError):
    """A metric fails on these rows and scores, or is infinite; on others it may not."""


@dataclass(frozen=True)
class Metric:
    """A figure to choose and to judge by: `score(truth, scores)` is greater when better.

    `tasks` are the kinds of target that it can judge. The name of a loss begins with "neg_": its
    score is negated, and reports show the loss. Raises UserError for what is none of these.
    """

    name: str
    score: Score
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")
    created: str = field(default="", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_name(self.name, "the name of a Metric")
        require_name(reported(self.name), f"the name of the loss {self.name!r}")
        require_function(self.score, f"score of the metric {self.name}")
        known = get_args(Task)
        if not isinstance(self.tasks, tuple | list) or not self.tasks:
            raise UserError(
                f"tasks of the metric {self.name} is {one_line(self.tasks)}, which is not a tuple, "
                f"such as {known[:1]}."
            )
        if strange := [task for task in self.tasks if task not in known]:
            raise UserError(
                f"tasks of the metric {self.name} has {one_line(strange[0])}; there are "
                f"{', '.join(known)}."
            )
        object.__setattr__(self, "created", running_line())

    @cached_property
    def line(self) -> str:
        """FILE:LINE of the team's where its function is, or else its name; "" if it comes along."""
        return function_line(self.score) or self.created

    def measure(self, truth: Array, scores: Array) -> float:
        """The score of these rows, NaN if it cannot be told; the arrays stay as they are.

        Raises UnmeasurableError if it is infinite, or these rows and scores are refused; TeamError
        for any other mistake in the team's function.
        """
        try:
            with team_code(but=(ValueError, ArithmeticError), place=self.line):
                measured = self.score(np.copy(truth), np.copy(scores))
        except (ValueError, ArithmeticError) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise UnmeasurableError(self._blame(reason, error_line(error))) from error
        if isinstance(measured, bool | np.bool_) or not isinstance(measured, Real):
            reason = f"it returns {one_line(measured)}, which is not one real number"
            raise TeamError(self._blame(reason))
        if np.isinf(float(measured)):
            raise UnmeasurableError(self._blame(f"it returns {measured}, which is not finite"))
        return float(measured)

    def _blame(self, reason: str, line: str = "") -> str:
        line = line or self.line
        return f"{line}{': ' if line else ''}metric {self.name}: {reason}."


def reported(name: str) -> str:
    """What reports call a metric: a loss is shown as one."""
    return name.removeprefix("neg_")


def choices(task: Task) -> dict[str, Metric]:
    """The metrics of a kind of target by name: the built-in ones, then the team's.

    Raises UserError if the team's metrics.py lists something else, or a name twice.
    """
    known = {name: Metric(name, score) for name, score in CHOICES[task].items()}
    taken = {*ALWAYS, *map(reported, known)}
    for each in listed_by_team("metrics", "METRICS", Metric):
        if task in each.tasks:
            if reported(each.name) in taken:
                line = each.created or list_line("metrics", "METRICS")
                raise TeamError(f"{line}: there is a metric {each.name!r} already; rename it.")
            taken.add(reported(each.name))
            known[each.name] = each
    return known


def primary(task: Task, name: str = "auto") -> Metric:
    """The metric to choose and to judge by. Raises UserError if the task has none of that name."""
    known = choices(task)
    name = next(iter(known)) if name == "auto" else name
    if name not in known:
        raise UserError(
            f"params.yaml: train.metric: {name!r} is not a metric for a {task} target; "
            f"take one of auto, {', '.join(known)}."
        )
    return known[name]


def report(
    task: Task, truth: Array, scores: Array, threshold: float | None = None
) -> dict[str, float]:
    """All metrics of the task by name, losses as losses; decisions are made at `threshold`."""
    figures = {}
    for name, metric in choices(task).items():
        measured = metric.measure(truth, scores)
        figures[reported(name)] = measured if reported(name) == name else -measured
    if task != "regression":
        decided = decisions(scores, threshold, task).astype(int)
        figures["accuracy"] = float(np.mean(decided == truth))
        figures["f1_macro"] = float(metrics.f1_score(truth, decided, average="macro"))
    return figures
