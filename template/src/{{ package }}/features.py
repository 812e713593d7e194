"""The feature steps: what happens to the inputs before a model sees them. Yours to edit.

Everything a step learns (medians, scales, categories) it learns from training rows alone, and packs
into the model, so that a service computes exactly the same. To add a step, put one line into a list
below. The product of two numbers, for the linear model:

    ("product", make_pipeline(standard(), PolynomialFeatures(interaction_only=True,
                                                             include_bias=False)),
     ["distance", "sched_dep_time"]),

and import PolynomialFeatures from sklearn.preprocessing. Any transformer that skl2onnx can convert
will do (see its list of supported models); the parity gate tells if one does not convert exactly.
"""

import numpy as np
import polars as pl
from skl2onnx.sklapi import CastTransformer
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

# A text with more categories than this is encoded by the target instead of one column each.
FEW = 12


def scaled() -> ColumnTransformer:
    """For models that add up weighted inputs: nothing missing, everything of a like size."""
    return ColumnTransformer(
        [
            ("numbers", standard(), numbers),
            ("few", one_column_each(), few),
            ("many", make_pipeline(by_target(), StandardScaler()), many),
        ]
    )


def raw() -> ColumnTransformer:
    """For trees: they split numbers as they are, and send missing ones their own way."""
    return ColumnTransformer(
        [
            ("numbers", "passthrough", numbers),
            ("few", one_column_each(), few),
            ("many", by_target(), many),
        ]
    )


def numbers(values: pl.DataFrame) -> list[str]:
    """The inputs that are numbers (missing: NaN), without those of which not one is known."""
    return [c.name for c in values if c.dtype != pl.String and not c.is_nan().all()]


def few(values: pl.DataFrame) -> list[str]:
    """The inputs that are texts (missing: "") of FEW categories at most."""
    return [c.name for c in values if c.dtype == pl.String and c.n_unique() <= FEW]


def many(values: pl.DataFrame) -> list[str]:
    return [c.name for c in values if c.dtype == pl.String and c.n_unique() > FEW]


def standard() -> Pipeline:
    """Missing becomes the median, then mean 0 and deviation 1.

    The scaling is done in 64 bits: in 32, seconds since 1970 would lose what tells them apart.
    """
    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        CastTransformer(dtype=np.float64),
        StandardScaler(),
        CastTransformer(dtype=np.float32),
    )


def one_column_each() -> OneHotEncoder:
    """1 in the column of its category; 0 everywhere for a category that training never met."""
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)


def by_target() -> TargetEncoder:
    """The mean target of the category, shrunk towards that of all; learned across folds, so that
    no row is described by its own target (Micci-Barreca, 2001).
    """
    return TargetEncoder(cv=KFold(5, shuffle=True, random_state=0))
