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

from ..core import team
from ..core.errors import TeamError, UserError
from ..core.problem import Task
from .value import Array, decide

Score = Callable[[Array, Array], float]


def roc_auc(truth: Array, scores: Array) -> float:
    """Measure the chance that a positive row scores above a negative one (Mann, Whitney, 1947).

    The bootstrap calls it by the thousand; scikit-learn's takes thrice as long.
    """
    positive = truth == 1
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(scores)[positive].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def roc_auc_ovr(truth: Array, scores: Array) -> float:
    """Take the mean of each class against the rest, over the classes that are among the rows."""
    return float(np.mean([roc_auc(truth == place, scores[:, place]) for place in np.unique(truth)]))


def average_precision(truth: Array, scores: Array) -> float:
    """Measure the precision, averaged over the recall; NaN without a positive row."""
    return float(metrics.average_precision_score(truth, scores)) if truth.any() else float("nan")


def neg_log_loss(truth: Array, scores: Array) -> float:
    """Measure the mean logarithm of the probability that was given to what is true."""
    classes = range(2 if scores.ndim == 1 else scores.shape[1])
    return -float(metrics.log_loss(truth, scores, labels=classes))


def r2(truth: Array, scores: Array) -> float:
    """Measure the share of the variance that the scores explain; NaN for a constant truth."""
    return float(metrics.r2_score(truth, scores)) if np.ptp(truth) else float("nan")


# What `train.metric` of params.yaml may say beside the team's own metrics (see `load_metrics`):
# greater is better, and "auto" is the first of each.
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
        team.require_name(self.name, "the name of a Metric")
        team.require_name(name_in_reports(self.name), f"the name of the loss {self.name!r}")
        team.require_function(self.score, f"score of the metric {self.name}")
        known = get_args(Task)
        if not isinstance(self.tasks, tuple | list) or not self.tasks:
            raise UserError(
                f"tasks of the metric {self.name} is {team.shorten_repr(self.tasks)}, which is "
                f"not a tuple, such as {known[:1]}."
            )
        if strange := [task for task in self.tasks if task not in known]:
            raise UserError(
                f"tasks of the metric {self.name} has {team.shorten_repr(strange[0])}; there are "
                f"{', '.join(known)}."
            )
        object.__setattr__(self, "created", team.locate_running_code())

    @cached_property
    def line(self) -> str:
        """FILE:LINE of the team's where its function is, or else its name; "" if it comes along."""
        return team.locate_function(self.score) or self.created

    def measure(self, truth: Array, scores: Array) -> float:
        """Measure the score of these rows, NaN if it cannot be told; the arrays stay as they are.

        Raises UnmeasurableError if it is infinite, or these rows and scores are refused; TeamError
        for any other mistake in the team's function.
        """
        try:
            with team.team_code(but=(ValueError, ArithmeticError), place=self.line):
                measured = self.score(np.copy(truth), np.copy(scores))
        except (ValueError, ArithmeticError) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise UnmeasurableError(self._blame(reason, team.locate_error(error))) from error
        if isinstance(measured, bool | np.bool_) or not isinstance(measured, Real):
            reason = f"it returns {team.shorten_repr(measured)}, which is not one real number"
            raise TeamError(self._blame(reason))
        if np.isinf(float(measured)):
            raise UnmeasurableError(self._blame(f"it returns {measured}, which is not finite"))
        return float(measured)

    def _blame(self, reason: str, line: str = "") -> str:
        line = line or self.line
        return f"{line}{': ' if line else ''}metric {self.name}: {reason}."


def name_in_reports(name: str) -> str:
    """Return what reports call a metric: a loss is shown as one."""
    return name.removeprefix("neg_")


def load_metrics(task: Task) -> dict[str, Metric]:
    """Load the metrics of a kind of target by name: the built-in ones, then the team's.

    Raises UserError if the team's metrics.py lists something else, or a name twice.
    """
    metrics_of_task = {name: Metric(name, score) for name, score in CHOICES[task].items()}
    taken = {*ALWAYS, *map(name_in_reports, metrics_of_task)}
    for each in team.load_team_list("metrics", "METRICS", Metric):
        if task in each.tasks:
            if name_in_reports(each.name) in taken:
                line = each.created or team.locate_list("metrics", "METRICS")
                raise TeamError(f"{line}: there is a metric {each.name!r} already; rename it.")
            taken.add(name_in_reports(each.name))
            metrics_of_task[each.name] = each
    return metrics_of_task


def find_primary_metric(task: Task, name: str = "auto") -> Metric:
    """Find the metric to choose and to judge by. Raises UserError if the task has no such one."""
    known = load_metrics(task)
    name = next(iter(known)) if name == "auto" else name
    if name not in known:
        raise UserError(
            f"params.yaml: train.metric: {name!r} is not a metric for a {task} target; "
            f"take one of auto, {', '.join(known)}."
        )
    return known[name]


def measure_all_metrics(
    task: Task, truth: Array, scores: Array, threshold: float | None = None
) -> dict[str, float]:
    """Measure all metrics of the task by name, losses as losses; decisions are by `threshold`."""
    figures = {}
    for name, metric in load_metrics(task).items():
        measured = metric.measure(truth, scores)
        figures[name_in_reports(name)] = measured if name_in_reports(name) == name else -measured
    if task != "regression":
        decided = decide(scores, threshold, task).astype(int)
        figures["accuracy"] = float(np.mean(decided == truth))
        figures["f1_macro"] = float(metrics.f1_score(truth, decided, average="macro"))
    return figures
