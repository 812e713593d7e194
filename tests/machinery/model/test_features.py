import numpy as np
import polars as pl
import pytest
from flights import features
from flights.candidates import CANDIDATES
from mlops.model import package
from mlops.model import steps as library
from mlops.model.candidate import Candidate, Range
from mlops.model.estimators import by_task
from mlops.model.inputs import list_inputs, select_inputs
from mlops.model.trial_runner import predict_scores
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from tables import table

VALUES = pl.DataFrame(
    {
        "n": pl.Series([1.0, 2.0, float("nan"), 6.0] * 2, dtype=pl.Float32),
        "few": ["a", "b", "", "a"] * 2,
        "many": ["p", "q", "r", "s"] * 2,
        "unknown": pl.Series([float("nan")] * 8, dtype=pl.Float32),
    }
)
TRUTH = np.array([0, 1, 0, 1] * 2)


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(library, "FEW", 3)


def test_inputs_are_sorted_by_what_can_be_done_with_them():
    kinds = (library.numbers, library.few_categories, library.many_categories)
    found = [names(VALUES) for names in kinds]
    assert found == [["n"], ["few"], ["many"]]


def test_scaled_leaves_nothing_missing_and_everything_of_a_size():
    found = features.scaled().fit_transform(VALUES, TRUTH)
    assert found.shape == (8, 1 + 3 + 1)
    assert np.isfinite(found).all()
    assert found[:, [0, 4]].std(axis=0) == pytest.approx(1, abs=1e-5)


def test_raw_leaves_numbers_as_they_are():
    found = features.raw().fit(VALUES, TRUTH).transform(VALUES[:4])
    assert np.array_equal(found[:, 0], VALUES["n"][:4].to_numpy(), equal_nan=True)
    assert found[:, 1:4].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("step", [features.scaled, features.raw])
def test_what_was_never_met_is_like_nothing_in_particular(step):
    steps = step().fit(VALUES, TRUTH)
    found = steps.transform(VALUES.with_columns(few=pl.lit("zz"), many=pl.lit("zz")))
    assert (found[:, 1:4] == 0).all()
    expected = 0.5 if step is features.raw else 0
    assert found[:, 4] == pytest.approx(expected, abs=0.5)
    assert np.ptp(found[:, 4]) == 0


def packs(candidate, task, tmp_path, monkeypatch):
    """The share of rows that a model of the candidate answers otherwise once it is packaged."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(package, "find_candidates", lambda names: [candidate])
    rows, contract = table(task)
    choice = {"candidate": "", "parameters": candidate.defaults, "keep": 1.0, "threshold": None}
    fitted = package.package_choice(
        rows[:300], rows[300:], choice | {"metric": "", "score": 0}, contract
    )
    assert np.ptp(predict_scores(fitted, select_inputs(rows, list_inputs(contract)), contract)) > 0
    return package.compare_answers(fitted, rows[300:], contract)["share_differing"]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_forest_packs_exactly(task, tmp_path, monkeypatch):
    def forest(task, **settings):
        make = by_task(task, RandomForestClassifier, RandomForestRegressor)
        return make(random_state=0, n_estimators=20, **settings)

    space = {"min_samples_leaf": Range(1, 50, 5, log=True)}
    candidate = Candidate("forest", features.scaled, forest, space)
    assert packs(candidate, task, tmp_path, monkeypatch) == 0


def test_products_of_columns_with_odd_names_pack_exactly(tmp_path, monkeypatch):
    def steps():
        products = PolynomialFeatures(interaction_only=True, include_bias=False)
        found = features.scaled()
        product = make_pipeline(library.standard(), products)
        found.transformers.append(("product", product, ["size, in cm.", "count"]))
        return found

    linear = next(candidate for candidate in CANDIDATES if candidate.name == "linear")
    candidate = Candidate("linear", steps, linear.model, linear.space)
    assert packs(candidate, "regression", tmp_path, monkeypatch) == 0


def test_candidates_have_names_of_their_own_and_defaults_in_their_space():
    assert len({candidate.name for candidate in CANDIDATES}) == len(CANDIDATES)
    for candidate in CANDIDATES:
        for name, setting in candidate.space.items():
            assert setting.low <= candidate.defaults[name] <= setting.high, (candidate.name, name)
