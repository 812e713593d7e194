"""Whether the packaged model answers as the pipeline that it was made from."""

from typing import Any

import numpy as np
import polars as pl
from onnx import ModelProto
from onnxruntime import InferenceSession
from sklearn.pipeline import Pipeline

from ..core.problem import Task
from ..data.column_names import col
from .inputs import make_feed
from .value import Array

# Two scores differ when they are further apart than this: probabilities as they are, numbers as a
# share of the spread (standard deviation) of the target.
TOLERANCE = 1e-4


def share_differing(model: ModelProto, pipeline: Pipeline, values: pl.DataFrame) -> float:
    """Measure on which share of the rows, as they are and spoiled, the answers differ.

    `values` are the model's inputs (select_inputs), `pipeline` is the fitted one.
    """
    values = pl.concat([values, spoil_cells(values)])
    packaged = InferenceSession(model.SerializeToString()).run(None, make_feed(values))[0]
    is_number = not hasattr(pipeline, "classes_")
    answer = pipeline.predict if is_number else pipeline.predict_proba
    expected = np.reshape(answer(values.clone()), packaged.shape)
    apart = measure_gaps(packaged, expected, pipeline, "regression" if is_number else "multiclass")
    return float(np.mean(~(apart <= TOLERANCE)))


def measure_gaps(told: Array, expected: Array, pipeline: Pipeline, task: Task) -> Array:
    """Measure how far the answers to each row, (rows,), are apart, in the unit of TOLERANCE."""
    apart: Any = np.abs(told - expected)
    if task == "regression":
        apart = apart / pipeline["model"].transformer_.scale_
    return np.asarray(apart.reshape(len(apart), -1).max(axis=1))


def spoil_cells(values: pl.DataFrame) -> pl.DataFrame:
    """Spoil a fifth of all cells, drawn at random: a number missing, a category never met."""
    random = np.random.default_rng(0)
    return values.select(
        pl.when(pl.Series(random.random(values.height) < 0.2))
        .then(pl.lit("never met" if dtype == pl.String else float("nan"), dtype))
        .otherwise(col(name))
        .alias(name)
        for name, dtype in values.schema.items()
    )
