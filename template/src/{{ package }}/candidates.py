"""The candidate models that the search compares. Yours to edit.

A candidate is a name, feature steps (features.py), a model for each kind of target, and the space
its settings are searched in, of which the defaults are tried first. To add one:

    def forest(task: Task, **settings: Any) -> Any:
        make = by_task(task, RandomForestClassifier, RandomForestRegressor)
        return make(random_state=0, **settings)

    Candidate("forest", scaled, forest, {"min_samples_leaf": Range(1, 50, 5, log=True)}),

The last line goes into CANDIDATES, and the name into `train.candidates` of params.yaml. Any model
that skl2onnx can convert will do. Give it a `random_state`, so that the same data make the same
model again, and one thread: the search runs a trial on each processor.
"""

from typing import Any

from mlops.core.settings import Task
from mlops.model.candidate import Candidate, Range, by_task
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from .features import raw, scaled


def baseline(task: Task) -> Any:
    """The shares of the classes, or the mean, for every row."""
    return by_task(task, DummyClassifier, DummyRegressor)()


def linear(task: Task, shrinkage: float) -> Any:
    if task == "regression":
        return Ridge(alpha=shrinkage)
    return LogisticRegression(C=1 / shrinkage, max_iter=1000, tol=1e-3)


def hist_gradient_boosting(task: Task, **settings: Any) -> Any:
    """Its own early stopping is off: it would put rows aside at random, whatever their time."""
    make = by_task(task, HistGradientBoostingClassifier, HistGradientBoostingRegressor)
    return make(early_stopping=False, random_state=0, **settings)


def lightgbm(task: Task, **settings: Any) -> Any:
    """`deterministic` and one way of building histograms: the same model on every machine.

    Imported here, so that the other candidates go on where LightGBM cannot be loaded.
    """
    from lightgbm import LGBMClassifier, LGBMRegressor  # noqa: PLC0415

    make = by_task(task, LGBMClassifier, LGBMRegressor)
    fixed = {"deterministic": True, "force_row_wise": True, "subsample_freq": 1, "verbose": -1}
    return make(n_jobs=1, random_state=0, **fixed, **settings)


CANDIDATES = (
    Candidate("baseline", raw, baseline, baseline=True),
    Candidate("linear", scaled, linear, {"shrinkage": Range(1e-3, 1e3, 1.0, log=True)}),
    Candidate(
        "hist_gradient_boosting",
        raw,
        hist_gradient_boosting,
        {
            "max_iter": Range(30, 200, 60, log=True),
            "learning_rate": Range(0.03, 0.3, 0.15, log=True),
            "max_leaf_nodes": Range(4, 64, 15, log=True),
            "min_samples_leaf": Range(5, 100, 20, log=True),
            "l2_regularization": Range(1e-3, 30.0, 0.01, log=True),
            "max_features": Range(0.4, 1.0, 1.0),
        },
    ),
    Candidate(
        "lightgbm",
        raw,
        lightgbm,
        {
            "n_estimators": Range(30, 400, 100, log=True),
            "learning_rate": Range(0.02, 0.3, 0.1, log=True),
            "num_leaves": Range(4, 96, 31, log=True),
            "min_child_samples": Range(5, 100, 20, log=True),
            "reg_lambda": Range(1e-3, 30.0, 0.01, log=True),
            "colsample_bytree": Range(0.4, 1.0, 1.0),
            "subsample": Range(0.5, 1.0, 1.0),
        },
    ),
)
