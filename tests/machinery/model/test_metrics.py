import numpy as np
import pytest
from mlops.core.errors import UserError
from mlops.model.metrics import CHOICES, find_primary_metric, measure_all_metrics
from sklearn import metrics as reference

RANDOM = np.random.default_rng(5)
TRUTH = RANDOM.integers(0, 2, 300)
# Rounded, so that many scores are equal.
SCORES = np.round(np.clip(TRUTH * 0.2 + RANDOM.random(300) * 0.8, 0.01, 0.99), 2)
PLACES = RANDOM.integers(0, 3, 300)
SHARES = RANDOM.dirichlet([1, 1, 1], 300) * 0.5 + np.eye(3)[PLACES] * 0.5
NUMBERS = RANDOM.normal(size=300)


def test_binary_agrees_with_scikit_learn():
    told = (SCORES >= 0.4).astype(int)
    assert measure_all_metrics("binary", TRUTH, SCORES, 0.4) == pytest.approx(
        {
            "roc_auc": reference.roc_auc_score(TRUTH, SCORES),
            "average_precision": reference.average_precision_score(TRUTH, SCORES),
            "log_loss": reference.log_loss(TRUTH, SCORES),
            "accuracy": reference.accuracy_score(TRUTH, told),
            "f1_macro": reference.f1_score(TRUTH, told, average="macro"),
        }
    )


def test_multiclass_agrees_with_scikit_learn():
    told = SHARES.argmax(axis=1)
    assert measure_all_metrics("multiclass", PLACES, SHARES) == pytest.approx(
        {
            "roc_auc_ovr": reference.roc_auc_score(PLACES, SHARES, multi_class="ovr"),
            "log_loss": reference.log_loss(PLACES, SHARES),
            "accuracy": reference.accuracy_score(PLACES, told),
            "f1_macro": reference.f1_score(PLACES, told, average="macro"),
        }
    )


def test_regression_agrees_with_scikit_learn():
    scores = NUMBERS * 0.7 + 0.1
    assert measure_all_metrics("regression", NUMBERS, scores) == pytest.approx(
        {
            "r2": reference.r2_score(NUMBERS, scores),
            "mae": reference.mean_absolute_error(NUMBERS, scores),
            "rmse": reference.root_mean_squared_error(NUMBERS, scores),
        }
    )


@pytest.mark.parametrize("task", CHOICES)
def test_greater_is_better_for_every_metric_to_choose_by(task):
    true, good = {
        "binary": (TRUTH, np.where(TRUTH == 1, 0.9, 0.1)),
        "multiclass": (PLACES, np.eye(3)[PLACES] * 0.7 + 0.1),
        "regression": (NUMBERS, NUMBERS * 0.99),
    }[task]
    bad = good[::-1]
    for name, score in CHOICES[task].items():
        assert score(true, good) > score(true, bad), name


def test_what_cannot_be_told_is_nan_without_a_warning():
    with np.errstate(all="raise"):
        assert np.isnan(find_primary_metric("binary").score(np.ones(3), np.array([0.1, 0.2, 0.3])))
        assert np.isnan(
            find_primary_metric("regression").score(np.ones(3), np.array([0.1, 0.2, 0.3]))
        )
        assert np.isnan(
            measure_all_metrics("binary", np.zeros(2), np.array([0.1, 0.2]))["average_precision"]
        )
        assert np.isnan(find_primary_metric("multiclass").score(np.zeros(3, int), SHARES[:3]))


def test_a_class_without_rows_does_not_spoil_the_mean_of_the_classes():
    wider = np.hstack([SHARES, np.zeros((300, 1))])
    narrow, wide = (
        find_primary_metric("multiclass").score(PLACES, each) for each in (SHARES, wider)
    )
    assert wide == narrow


def test_auto_is_the_first_and_names_are_looked_up():
    assert [find_primary_metric(task).name for task in CHOICES] == ["roc_auc", "roc_auc_ovr", "r2"]
    assert (
        find_primary_metric("regression", "neg_mae").score(np.array([1.0]), np.array([3.0])) == -2
    )


def test_a_metric_of_another_task_is_refused_with_the_choices():
    with pytest.raises(UserError, match=r"'r2' is not a metric for a binary target.*roc_auc"):
        find_primary_metric("binary", "r2")
