"""Feature steps that convert to ONNX exactly, and the inputs that they are for.

What a step learns (medians, scales, categories) it learns from training rows alone, and packs into
the model, so that a service computes exactly the same.
"""

import numpy as np
import polars as pl
from skl2onnx.sklapi import CastTransformer
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from ..core.problem import Task
from .inputs import LENGTH, WORDS
from .words import WordWeights

# A text with more categories than this is encoded by the target instead of one column each.
FEW = 12


def numbers(values: pl.DataFrame) -> list[str]:
    """Select the inputs that are numbers (missing: NaN), without those of which none is known, and
    without the lengths of texts.
    """
    known = [c.name for c in values if c.dtype != pl.String and not c.is_nan().all()]
    return [name for name in known if not name.startswith(LENGTH)]


def few_categories(values: pl.DataFrame) -> list[str]:
    """Select the inputs that are texts (missing: "") of 12 categories at most."""
    return [c.name for c in _list_categories(values) if c.n_unique() <= FEW]


def many_categories(values: pl.DataFrame) -> list[str]:
    """Select the inputs that are texts of more than 12 categories."""
    return [c.name for c in _list_categories(values) if c.n_unique() > FEW]


def _list_categories(values: pl.DataFrame) -> list[pl.Series]:
    return [c for c in values if c.dtype == pl.String and not c.name.startswith(WORDS)]


def free_texts(values: pl.DataFrame) -> list[str]:
    """Select the words of free texts, as columns with `freeText: true` in contract.yaml are."""
    return [c.name for c in values if c.name.startswith(WORDS)]


def text_lengths(values: pl.DataFrame) -> list[str]:
    """Select the lengths of free texts, in letters: a weighted sum would make too much of a text
    that is longer than all others.
    """
    return [c.name for c in values if c.name.startswith(LENGTH)]


def standard() -> Pipeline:
    """Make numbers (rows, columns) fit for a weighted sum: missing becomes the median, then mean 0
    and deviation 1.

    The scaling is done in 64 bits: in 32, seconds since 1970 would lose what tells them apart.
    """
    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        CastTransformer(dtype=np.float64),
        StandardScaler(),
        CastTransformer(dtype=np.float32),
    )


def one_hot() -> OneHotEncoder:
    """Make a column of 0 and 1 for each category; all are 0 for one that training never met."""
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)


def words(most: int = 500) -> WordWeights:
    """Weigh the words of free texts by TF-IDF: a column for each of the `most` telling words, of
    those in five rows or more.
    """
    return WordWeights(most)


def target_mean() -> TargetEncoder:
    """Make of each category the mean target among its rows, shrunk towards that of all rows.

    It is learned across folds, so that no row is described by its own target (Micci-Barreca, 2001).
    """
    return TargetEncoder(cv=KFold(5, shuffle=True, random_state=0))


def fix_target_type(features: BaseEstimator, task: Task) -> None:
    """Tell each target encoder among the steps, nested ones too, that a number is a number.

    Left to itself it takes whole numbers for classes, and makes a column of each (scikit-learn,
    `type_of_target`).
    """
    if task != "regression":
        return
    for step in features.get_params(deep=True).values():
        if isinstance(step, TargetEncoder) and step.target_type == "auto":
            step.set_params(target_type="continuous")
