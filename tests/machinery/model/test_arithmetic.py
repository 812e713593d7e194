"""Steps that reckon: right, and the same once packaged."""

import numpy as np
import polars as pl
import pytest
from flights import features
from mlops.core.errors import UserError
from mlops.model import arithmetic, package
from mlops.model.candidate import Candidate
from mlops.model.estimators import hist_gradient_boosting, linear
from mlops.model.inputs import list_inputs, select_inputs
from mlops.model.steps import standard
from mlops.model.trial_runner import predict_scores
from sklearn.pipeline import make_pipeline

from tables import table

NAN = float("nan")
VALUES = pl.DataFrame(
    {"a": [6.0, -1.0, 0.0, NAN, 3e38, 5.0], "b": [3.0, 0.0, 0.0, 1.0, 1e-5, NAN]},
    schema={"a": pl.Float32, "b": pl.Float32},
)
PAIR = {
    "ratio": ["count", "size, in cm."],
    "difference": ["days of seen", "days of born"],
    "product": ["seconds", "count"],
    "log": ["seconds", "size, in cm."],
    "is_missing": ["size, in cm.", "count"],
}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (arithmetic.ratio, [[2], [NAN], [NAN], [NAN], [NAN], [NAN]]),
        (arithmetic.difference, [[3], [-1], [0], [NAN], [3e38], [NAN]]),
        (arithmetic.product, [[18], [0], [0], [NAN], [3e33], [NAN]]),
        (
            arithmetic.log,
            [
                *([np.log(7), np.log(4)], [-np.log(2), 0], [0, 0], [NAN, np.log(2)]),
                *([np.log(3e38), np.log1p(1e-5)], [np.log(6), NAN]),
            ],
        ),
        (arithmetic.is_missing, [[0, 0], [0, 0], [0, 0], [1, 0], [0, 0], [0, 1]]),
    ],
)
def test_what_is_reckoned_is_right(step, expected):
    made = step().fit_transform(VALUES)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, np.array(expected), rtol=1e-6)


@pytest.mark.parametrize("name", PAIR)
@pytest.mark.parametrize("trees", [False, True])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_model_with_such_a_step_packs_exactly(name, trees, task, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def steps():
        made, step = features.raw() if trees else features.scaled(), getattr(arithmetic, name)()
        step = step if trees else make_pipeline(step, standard())
        made.transformers.append(("mine", step, PAIR[name]))
        return made

    model = hist_gradient_boosting if trees else linear
    settings = {"max_iter": 20} if trees else {"shrinkage": 0.01}
    candidate = Candidate("mine", steps, model)
    monkeypatch.setattr(package, "find_candidates", lambda names: [candidate])
    rows, contract = table(task)
    choice = {"candidate": "mine", "parameters": settings, "keep": 1.0, "threshold": None}
    choice |= {"metric": "", "score": 0}
    fitted = package.package_choice(rows[:300], rows[300:], choice, contract)
    parity = package.compare_answers(fitted, rows[300:], contract)
    assert parity["share_differing"] == 0
    assert parity["max_difference"] < 1e-5
    values = select_inputs(rows, list_inputs(contract))
    assert np.ptp(predict_scores(fitted, values, contract)) > 0


@pytest.mark.parametrize("name", ["ratio", "difference", "product"])
def test_another_number_of_inputs_is_told(name):
    step = getattr(arithmetic, name)()
    with pytest.raises(UserError, match=rf"{name}\(\) is of 2 inputs, and was given 3: name"):
        step.fit(VALUES.with_columns(c=1.0))
