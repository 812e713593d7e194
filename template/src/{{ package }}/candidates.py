"""The candidate models that the search compares. Yours to edit.

A candidate is a name, feature steps (features.py), a function that makes the model for a kind of
target, and the ranges (low, high, default) in which its settings are searched; the defaults are
tried first. To add one:

    from mlops.api import by_task
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    def forest(task, **settings):
        make = by_task(task, RandomForestClassifier, RandomForestRegressor)
        return make(n_estimators=50, n_jobs=1, random_state=0, **settings)

    Candidate("forest", scaled, forest, {"min_samples_leaf": Range(1, 50, 5, log=True)}),

The last line goes into CANDIDATES, and the name into `train.candidates` of params.yaml. Any model
that skl2onnx converts will do. One that is not wanted can go, from there and from here.
"""

from mlops.api import Candidate, Range, baseline, hist_gradient_boosting, lightgbm, linear

from .features import raw, scaled

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
