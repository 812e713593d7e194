"""Trials of candidates: fitted to rows, and scored on rows that they did not learn from."""

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from skl2onnx.sklapi import CastTransformer
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectFromModel
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from ..core.libraries import LibraryError, describe_failed_import
from ..core.params import Params
from ..core.problem import Task
from ..core.team import is_library_missing, locate_error, team_code
from ..data.contract import Contract
from ..data.folds import make_folds
from .candidate import Candidate
from .inputs import encode_truth, list_inputs, select_inputs
from .metrics import Metric, UnmeasurableError, find_primary_metric
from .steps import fix_target_type
from .value import Array

# A trial learns from so many rows at most: settings that do well on them do well on all.
MOST_ROWS = 100_000
# By these a plan fails, and the search goes on: other settings, or other rows, may do.
OF_A_PLAN = (ValueError, ArithmeticError, LibraryError)


@dataclass(frozen=True)
class Plan:
    """What to try: a candidate, its settings, and the share of the features to keep."""

    candidate: Candidate
    settings: dict[str, Any]
    keep: float = 1.0

    def count_kept(self, features: Array) -> int:
        """Count how many of the features, shape (rows, features), to keep."""
        return max(1, round(self.keep * int(features.shape[1])))


@dataclass(frozen=True)
class Trial:
    """`score` is None if the plan could not be fitted or scored; `fault` says why."""

    plan: Plan
    score: float | None
    seconds: float
    fault: str = ""


def make_model(plan: Plan, task: Task) -> Any:
    """Make the plan's estimator, not fitted.

    Raises LibraryError if a library that it imports cannot be loaded, TeamError for another mistake
    of the team's in making it.
    """
    candidate = plan.candidate
    with team_code(but=OF_A_PLAN, place=candidate.line):
        try:
            return candidate.model(task, **plan.settings)
        except (ImportError, OSError) as error:
            if is_library_missing(error):
                reason = describe_failed_import(error)
                raise LibraryError(f"{candidate.name}: {reason}") from error
            raise


def make_ranker(task: Task) -> Any:
    """Make what ranks features by their gain: LightGBM, or a forest where that cannot be loaded."""
    try:
        from lightgbm import LGBMClassifier, LGBMRegressor  # noqa: PLC0415
    except (ImportError, OSError):
        make = RandomForestRegressor if task == "regression" else RandomForestClassifier
        return make(n_estimators=30, min_samples_leaf=5, n_jobs=1, random_state=0)
    make = LGBMRegressor if task == "regression" else LGBMClassifier
    fixed: dict[str, Any] = {"deterministic": True, "force_row_wise": True, "verbose": -1}
    return make(n_estimators=30, importance_type="gain", n_jobs=1, random_state=0, **fixed)


def fit_plan(plan: Plan, values: pl.DataFrame, truth: Array, contract: Contract) -> Pipeline:
    """Fit to the model's inputs (select_inputs) and the target (encode_truth) of the same rows.

    The steps and the model may alter what they get; the rows stay as they are. Raises TeamError if
    the team's code is at fault for more than these settings.
    """
    model = make_model(plan, contract.task)
    if contract.task == "regression":
        # 32-bit sums of large numbers would lose what tells rows apart.
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    # The packaged model computes in 32 bits, so it is trained on what it will see.
    with team_code(but=OF_A_PLAN, place=plan.candidate.line):
        features = plan.candidate.steps()
        fix_target_type(features, contract.task)
    steps = [("features", features), ("narrow", CastTransformer(dtype=np.float32))]
    if plan.keep < 1:
        ranks = make_ranker(contract.task)
        steps.append(
            ("select", SelectFromModel(ranks, threshold=-np.inf, max_features=plan.count_kept))
        )
    pipeline = Pipeline([*steps, ("model", model)])
    # On one processor: the others have trials too, and threads that compete are slow. A model
    # that has not converged is scored like any other, and loses if that hurts.
    with (
        team_code(but=OF_A_PLAN, place=plan.candidate.line),
        threadpool_limits(1),
        warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
    ):
        return pipeline.fit(values.clone(), np.copy(truth))


def predict_scores(pipeline: Pipeline, values: pl.DataFrame, contract: Contract) -> Array:
    """Score rows: (rows,) of P(positive), or of the number; (rows, classes) of several classes."""
    values = values.clone()  # a step may alter what it gets
    if contract.task == "regression":
        return np.asarray(pipeline.predict(values))
    # A class that training never met has no output of its own: its probability is zero.
    scores = np.zeros((values.height, len(contract.classes)))
    scores[:, pipeline.classes_] = pipeline.predict_proba(values)
    return scores[:, 1] if contract.task == "binary" else scores


@dataclass(frozen=True)
class TrialRunner:
    """Tries plans on the same rows.

    `values` and `truth` (inputs.py) are of all rows; `pairs` are positions of the rows to learn
    from and of those to judge by (folds of few rows, else the train part and the valid part).
    """

    values: pl.DataFrame
    truth: Array
    contract: Contract
    metric: Metric
    pairs: list[tuple[Array, Array]]

    @classmethod
    def of(
        cls, train: pl.DataFrame, valid: pl.DataFrame, contract: Contract, params: Params
    ) -> Self:
        """Take the train part and the valid part. Raises UserError for a metric that is unknown."""
        rows, random = pl.concat([train, valid]), np.random.default_rng(params.train.seed)
        pairs = [(np.arange(train.height), np.arange(train.height, rows.height))]
        if rows.height < params.train.folds_below_rows:
            pairs = make_folds(rows, contract, params)
        pairs = [(sample_rows(learn, random), sample_rows(judge, random)) for learn, judge in pairs]
        metric = find_primary_metric(contract.task, params.train.metric)
        return cls(
            select_inputs(rows, list_inputs(contract)),
            encode_truth(rows, contract),
            contract,
            metric,
            pairs,
        )

    def score_pairs(self, plan: Plan) -> Iterator[tuple[Array, Array]]:
        """Yield for each pair the truth of the rows to judge by, and the scores of a fresh fit."""
        for learn, judge in self.pairs:
            pipeline = fit_plan(plan, self.values[learn], self.truth[learn], self.contract)
            with team_code(but=OF_A_PLAN, place=plan.candidate.line):
                scores = predict_scores(pipeline, self.values[judge], self.contract)
            yield self.truth[judge], scores

    def attempt(self, plan: Plan) -> Trial:
        """Take the mean of the metric over the pairs. A plan that cannot be fitted is no error.

        Raises TeamError if the team's code is at fault for more than these settings.
        """
        start, score, fault = time.perf_counter(), None, ""
        try:
            scores = [self.metric.measure(*pair) for pair in self.score_pairs(plan)]
            if not np.isfinite(scores).any():
                raise ArithmeticError(f"{self.metric.name} cannot be computed on these rows")
            score = float(np.nanmean(scores))
        except UnmeasurableError as error:
            fault = str(error)
        except OF_A_PLAN as error:
            where = f"{line}: " if (line := locate_error(error)) else ""
            fault = where + " ".join(f"{type(error).__name__}: {error}".split())
        return Trial(plan, score, time.perf_counter() - start, fault)


def sample_rows(rows: Array, random: np.random.Generator) -> Array:
    """Draw MOST_ROWS at most of the positions, (rows,), at random, and leave them in order."""
    return rows if len(rows) <= MOST_ROWS else np.sort(random.choice(rows, MOST_ROWS, False))
