import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from flights.candidates import CANDIDATES
from flights.features import scaled
from mlops.core.params import Params, TrainParams
from mlops.model.candidate import Candidate
from mlops.model.trial_runner import Plan, TrialRunner, fit_plan

from needs import each
from tables import table

KNOWN = {candidate.name: candidate for candidate in CANDIDATES}


def params(**changes):
    return Params(train=TrainParams(candidates=["linear"], **changes))


def make_runner(rows, contract, **changes):
    at = rows.height * 3 // 4
    return TrialRunner.of(rows[:at], rows[at:], contract, params(**changes))


def plan(name="linear", keep=1.0):
    return Plan(KNOWN[name], KNOWN[name].defaults, keep)


def test_many_rows_are_judged_by_the_valid_part():
    found = make_runner(*table(), folds_below_rows=400)
    [(learn, judge)] = found.pairs
    assert learn.tolist() == list(range(300))
    assert judge.tolist() == list(range(300, 400))


def test_few_rows_are_judged_in_folds_over_both_parts():
    found = make_runner(*table(), folds_below_rows=401, folds=3)
    assert len(found.pairs) == 3
    assert sorted(np.concatenate([judge for _, judge in found.pairs])) == list(range(400))
    assert all(not set(learn) & set(judge) for learn, judge in found.pairs)


def test_a_trial_learns_from_a_limited_number_of_rows(monkeypatch):
    monkeypatch.setattr(f"{TrialRunner.__module__}.MOST_ROWS", 40)
    [(learn, judge)] = make_runner(*table(), folds_below_rows=0).pairs
    assert (len(learn), len(judge)) == (40, 40)
    assert (np.diff(learn) > 0).all()
    assert learn.max() < 300 <= judge.min()


@pytest.mark.parametrize("candidate", each(CANDIDATES))
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_candidate_copes_with_every_task_and_column(candidate, task):
    rows, contract = table(task)
    found = make_runner(rows, contract, folds=3)
    outcome = found.attempt(Plan(candidate, candidate.defaults, 0.7))
    assert outcome.fault == ""
    if candidate.baseline:
        assert outcome.score == pytest.approx(0.5 if task != "regression" else 0, abs=0.05)
    else:
        assert outcome.score > (0.75 if task != "regression" else 0.3)


@pytest.mark.parametrize("candidate", each(one for one in CANDIDATES if not one.baseline))
def test_folds_may_lack_categories_numbers_and_classes(candidate):
    rows, contract = table("multiclass", rows=240)
    late = pl.int_range(pl.len()) >= 180
    rows = rows.with_columns(
        count=pl.when(late).then(pl.col("count")),
        kind=pl.when(late).then(pl.lit("new")).otherwise(pl.lit("old")),
        y=pl.when(pl.int_range(pl.len()) == 239).then(pl.lit("unmet")).otherwise(pl.col("y")),
    )
    outcome = make_runner(rows, contract, folds_below_rows=0).attempt(
        Plan(candidate, candidate.defaults)
    )
    assert outcome.score > 0.6


def test_what_cannot_be_scored_is_a_fault_and_no_error():
    rows, contract = table()
    found = make_runner(rows, contract, folds_below_rows=0)
    found = replace(found, truth=np.where(np.arange(400) < 300, found.truth, 1))
    assert (
        found.attempt(plan()).fault == "ArithmeticError: roc_auc cannot be computed on these rows"
    )


@pytest.mark.parametrize("lightgbm", [True, False])
def test_features_that_help_are_kept(monkeypatch, lightgbm):
    """By LightGBM's ranks, and by others where it cannot be loaded."""
    if not lightgbm:
        monkeypatch.setitem(sys.modules, "lightgbm", None)
    rows, contract = table(rows=800)
    found = make_runner(rows, contract, folds_below_rows=0)
    steps = fit_plan(plan("hist_gradient_boosting", keep=0.2), found.values, found.truth, contract)
    kept = steps["select"].get_support()
    names = {name: kept[where] for name, where in steps["features"].output_indices_.items()}
    numbers = dict(zip(steps["features"].transformers_[0][2], names["numbers"], strict=True))
    assert kept.sum() == round(0.2 * len(kept))
    assert numbers["size, in cm."]
    assert numbers["seconds"]
    assert not numbers["same"]


def test_a_candidate_whose_library_is_missing_is_a_fault_that_names_it():
    def boost(task):
        import nosuch_boost  # noqa: F401, PLC0415

    found = make_runner(*table(), folds_below_rows=0)
    outcome = found.attempt(Plan(Candidate("boost", scaled, boost), {}))
    assert "boost: the package nosuch_boost is not installed" in outcome.fault
    assert "'uv add nosuch_boost' brings it" in outcome.fault


def test_one_feature_at_least_is_kept():
    rows, contract = table(only=["date"])
    found = make_runner(rows, contract, folds_below_rows=0)
    fitted = fit_plan(plan(keep=0.01), found.values, found.truth, contract)
    assert fitted["select"].get_support().sum() == 1


@pytest.mark.parametrize("name", ["linear", "hist_gradient_boosting"])
def test_whole_numbers_to_predict_are_numbers_and_not_classes(name):
    rows, contract = table("regression", only=["string"], scale=1000)
    rows = rows.with_columns(pl.col("y").round())
    made = make_runner(rows, contract)
    fitted = fit_plan(plan(name), made.values, made.truth, contract)
    texts = len([column for column in made.values if column.dtype == pl.String])
    assert rows["y"].n_unique() > 100
    assert fitted["features"].transform(made.values).shape[1] <= texts * 4
