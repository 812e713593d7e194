import numpy as np
import polars as pl
import pytest
from lightgbm import LGBMClassifier
from mlops.model.conversion import convert_to_onnx
from mlops.model.inputs import Input
from mlops.model.rounding import round_down
from onnxruntime import InferenceSession
from skl2onnx.sklapi import CastTransformer
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.pipeline import Pipeline


def test_thresholds_are_rounded_down_to_32_bits():
    step = float(np.spacing(np.float32(1)))
    given = np.array([1.0, 1 + step * 0.4, 1 + step * 0.6, -1 - step * 0.4, 1e300])
    rounded = round_down(given)
    assert (rounded[:4] == np.array([1, 1, 1, -1 - step], dtype=np.float32)).all()
    assert rounded[4] == np.finfo(np.float32).max


def rows_one_step_apart(rows=600):
    """Numbers that differ by one 32-bit step, so that a threshold between two is easily rounded
    to the wrong side; and yes or no.
    """
    dice = np.random.default_rng(0)
    steps = dice.integers(0, 50, (rows, 2))
    values = np.float32(1) + steps.astype(np.float32) * np.spacing(np.float32(1))
    return pl.DataFrame(values, schema=["a", "b"]), (steps[:, 0] > 13) ^ (steps[:, 1] > 22)


@pytest.mark.parametrize(
    "trees",
    [
        lambda: HistGradientBoostingClassifier(max_iter=10, random_state=0),
        lambda: LGBMClassifier(n_estimators=10, min_child_samples=5, verbose=-1),
    ],
    ids=["scikit-learn", "lightgbm"],
)
@pytest.mark.parametrize(
    "nest",
    [
        lambda trees: CalibratedClassifierCV(trees(), cv=2),
        lambda trees: CalibratedClassifierCV(trees(), cv=2, ensemble=False),
        lambda trees: BaggingClassifier(trees(), n_estimators=2, random_state=0),
        lambda trees: StackingClassifier([("one", trees()), ("two", trees())], cv=2),
        lambda trees: VotingClassifier(
            [("one", trees()), ("two", trees())], voting="soft", flatten_transform=False
        ),
    ],
)
@pytest.mark.parametrize("classes", [2, 3])
def test_trees_within_other_models_answer_alike_too(nest, trees, classes):
    values, truth = rows_one_step_apart()
    truth = truth + (values["a"].rank() > 400).to_numpy() if classes == 3 else truth
    steps = ColumnTransformer([("numbers", "passthrough", ["a", "b"])])
    narrow = CastTransformer(dtype=np.float32)
    pipeline = Pipeline([("features", steps), ("narrow", narrow), ("model", nest(trees))])
    pipeline.fit(values, truth.astype(int))
    graph = convert_to_onnx(
        pipeline, [Input(name=name, column=name, kind="number") for name in "ab"]
    )
    session = InferenceSession(graph.SerializeToString())
    [scores] = session.run(None, {name: values.select(name).to_numpy() for name in "ab"})
    assert scores == pytest.approx(pipeline.predict_proba(values), abs=1e-5)
