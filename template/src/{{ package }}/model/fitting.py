"""One candidate fitted to one set of rows: feature steps and model as one pipeline."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from skl2onnx.sklapi import CastTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from ..data.contract import Contract
from ..settings import Task
from .candidates import Candidate
from .features import FEW
from .inputs import kinds

Array = NDArray[Any]


@dataclass(frozen=True)
class Fitted:
    """A pipeline of "features", "narrow" and "model", and how to read what it puts out.

    A number as target is learned with mean 0 and deviation 1, and told as `middle` + `spread` times
    the pipeline's output: 32-bit sums of large numbers would lose what tells rows apart.
    `classes` is how many classes the contract knows; training may not have met all of them.
    """

    pipeline: Pipeline
    task: Task
    classes: int
    middle: float = 0.0
    spread: float = 1.0

    def scores(self, values: pl.DataFrame) -> Array:
        """(rows,): P(positive), or the number; (rows, classes) with several classes."""
        if self.task == "regression":
            return np.asarray(self.middle + self.spread * self.pipeline.predict(values))
        scores = np.zeros((values.height, self.classes))
        scores[:, self.outputs] = self.pipeline.predict_proba(values)
        return scores[:, 1] if self.task == "binary" else scores

    @property
    def outputs(self) -> list[int]:
        """The class each column of the pipeline's output stands for."""
        return [int(place) for place in self.pipeline.classes_]


def fit(
    candidate: Candidate,
    settings: Mapping[str, Any],
    values: pl.DataFrame,
    truth: Array,
    contract: Contract,
) -> Fitted:
    """Fit to the model's inputs (inputs.frame) and the target (inputs.truth) of the same rows."""
    task, middle, spread = contract.task, 0.0, 1.0
    if task == "regression":
        middle, spread = float(truth.mean()), float(truth.std()) or 1.0
        truth = (truth - middle) / spread
    pipeline = Pipeline(
        [
            ("features", candidate.steps(kinds(values, FEW))),
            # The packaged model computes in 32 bits, so it is trained on what it will see.
            ("narrow", CastTransformer(dtype=np.float32)),
            ("model", candidate.model(task, **settings)),
        ]
    )
    with warnings.catch_warnings():
        # A model that has not converged is scored like any other, and loses if that hurts.
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipeline.fit(values, truth)
    return Fitted(pipeline, task, len(contract.classes), middle, spread)
