"""Feature selection: inputs ranked by how much they help, so that a trial can do without the last.

The ranking is made on the rows to learn from, never on those to judge by.
"""

from typing import Any

import numpy as np
import polars as pl
from lightgbm import LGBMClassifier, LGBMRegressor
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer

from ..data.contract import Contract
from .features import by_target


def ranked(values: pl.DataFrame, truth: NDArray[Any], contract: Contract) -> list[str]:
    """Names of the inputs, most helpful first: by the gain of their splits in a small LightGBM.

    Texts are encoded by the target across folds, so that rare categories do not look helpful.
    """
    encoders = [
        (name, by_target() if dtype == pl.String else "passthrough", [name])
        for name, dtype in values.schema.items()
    ]
    columns = ColumnTransformer(encoders)
    table = columns.fit_transform(values, truth).astype(np.float32)
    make: Any = LGBMRegressor if contract.task == "regression" else LGBMClassifier
    fixed = {"deterministic": True, "force_row_wise": True, "verbose": -1, "n_jobs": 1}
    model = make(n_estimators=30, importance_type="gain", random_state=0, **fixed)
    gains = model.fit(table, truth).feature_importances_
    gain = {name: gains[columns.output_indices_[name]].sum() for name in values.columns}
    return sorted(gain, key=lambda name: -gain[name])


def kept(ranking: list[str], share: float) -> list[str]:
    """The first `share` of the ranking, one input at least."""
    return ranking[: max(1, round(share * len(ranking)))]
