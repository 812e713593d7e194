"""The models that candidates.py starts with.

Each has one thread and one seed: the same data make the same model again, and the search runs a
trial on each processor.
"""

from typing import Any

from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from ..core.problem import Task


def by_task(task: Task, classifier: type, regressor: type) -> type:
    """Choose the class that fits the kind of target."""
    return regressor if task == "regression" else classifier


def baseline(task: Task) -> Any:
    """Answer every row with the shares of the classes, or with the mean."""
    return by_task(task, DummyClassifier, DummyRegressor)()


def linear(task: Task, shrinkage: float) -> Any:
    """Fit a ridge or a logistic regression."""
    if task == "regression":
        return Ridge(alpha=shrinkage)
    return LogisticRegression(C=1 / shrinkage, max_iter=1000, tol=1e-3)


def hist_gradient_boosting(task: Task, **settings: Any) -> Any:
    """Boost trees on binned numbers (scikit-learn's own).

    Its early stopping is off: it would put rows aside at random, whatever their time.
    """
    make = by_task(task, HistGradientBoostingClassifier, HistGradientBoostingRegressor)
    return make(early_stopping=False, random_state=0, **settings)


def lightgbm(task: Task, **settings: Any) -> Any:
    """Boost trees with LightGBM, with histograms built in one way, so that every machine agrees.

    Imported here, so that the other candidates go on where LightGBM cannot be loaded.
    """
    from lightgbm import LGBMClassifier, LGBMRegressor  # noqa: PLC0415

    make = by_task(task, LGBMClassifier, LGBMRegressor)
    fixed = {"deterministic": True, "force_row_wise": True, "subsample_freq": 1, "verbose": -1}
    return make(n_jobs=1, random_state=0, **fixed, **settings)
