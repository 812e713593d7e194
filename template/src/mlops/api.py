"""What the team's files import from the platform: `from mlops.api import Candidate`.

This, and `mlops.testing`, are the public parts of the package. What stands in `__all__` keeps its
name, its arguments and its meaning in every later release; new arguments come with a default. Files
that the first release seeded run against every later one, as tests see to.

    Candidate, Range            a model of the search, and the range of one of its settings
    baseline, linear, hist_gradient_boosting, lightgbm      the models that come along
    by_task                     the class that fits the kind of target
    numbers, few_categories, many_categories                which inputs a feature step is for
    free_texts, text_lengths                                the same, of columns with `freeText`
    standard, one_hot, target_mean, words                   feature steps that convert exactly
    ratio, difference, product, log, is_missing             the same, of a few numbers of a row
    Metric                      a figure that models are chosen and judged by
    Gate, Finding, Evidence     a question that may block a release, its answer, what it may look at
    Task                        "binary", "multiclass" or "regression"

A name is looked up when it is first asked for: a file that asks for `Gate` does not load
scikit-learn, and a pipeline stage depends on no more code than it runs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core.problem import Task
    from .evaluation.evidence import Evidence
    from .gates.gates import Finding
    from .gates.own_gates import Gate
    from .model.arithmetic import difference, is_missing, log, product, ratio
    from .model.candidate import Candidate, Range
    from .model.estimators import baseline, by_task, hist_gradient_boosting, lightgbm, linear
    from .model.metrics import Metric
    from .model.steps import (
        few_categories,
        free_texts,
        many_categories,
        numbers,
        one_hot,
        standard,
        target_mean,
        text_lengths,
        words,
    )

VERSION = 1

_PLACES = {
    "core.problem": ("Task",),
    "evaluation.evidence": ("Evidence",),
    "gates.gates": ("Finding",),
    "gates.own_gates": ("Gate",),
    "model.arithmetic": ("difference", "is_missing", "log", "product", "ratio"),
    "model.candidate": ("Candidate", "Range"),
    "model.estimators": ("baseline", "by_task", "hist_gradient_boosting", "lightgbm", "linear"),
    "model.metrics": ("Metric",),
    "model.steps": (
        *("few_categories", "free_texts", "many_categories", "numbers", "text_lengths"),
        *("one_hot", "standard", "target_mean", "words"),
    ),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "Candidate",
    "Evidence",
    "Finding",
    "Gate",
    "Metric",
    "Range",
    "Task",
    "baseline",
    "by_task",
    "difference",
    "few_categories",
    "free_texts",
    "hist_gradient_boosting",
    "is_missing",
    "lightgbm",
    "linear",
    "log",
    "many_categories",
    "numbers",
    "one_hot",
    "product",
    "ratio",
    "standard",
    "target_mean",
    "text_lengths",
    "words",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"mlops.api has no {name}; it has {', '.join(__all__)}")
    return getattr(import_module(f".{_MODULES[name]}", __package__), name)
