import numpy as np
import pytest
from mlops.core.problem import Value
from mlops.model.value import (
    NEVER,
    compute_value_per_thousand,
    decide,
    find_best_threshold,
    find_usual_decision,
)

MONEY = Value(true_positive=10, false_positive=-2, false_negative=-5, true_negative=1)


def test_the_four_outcomes_are_counted_and_paid():
    truth, score = np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.2, 0.1])
    acted = decide(score, 0.5, "binary")
    paid = [compute_value_per_thousand(truth[[i]], acted[[i]], MONEY, "binary") for i in range(4)]
    assert paid == [10_000, -2000, -5000, 1000]
    assert compute_value_per_thousand(truth, acted, MONEY, "binary") == 1000


def test_classes_pay_for_being_right_and_numbers_for_being_near():
    three = np.array([[0.2, 0.7, 0.1], [0.5, 0.1, 0.4]])
    classes = Value(correct=3, wrong=-1)
    decided = decide(three, None, "multiclass")
    assert compute_value_per_thousand(np.array([1, 2]), decided, classes, "multiclass") == 1000
    numbers = Value(per_unit_of_error=-2)
    predicted = np.array([1.0, 4.0])
    decided = decide(predicted, None, "regression")
    assert compute_value_per_thousand(np.array([2.0, 1.0]), decided, numbers, "regression") == -4000


def test_policies_without_a_model():
    truth = np.array([1, 0, 0, 0])
    assert compute_value_per_thousand(truth, 0, MONEY, "binary") == 1000 * (-5 + 3) / 4
    assert compute_value_per_thousand(truth, 1, MONEY, "binary") == 1000 * (10 - 6) / 4
    assert find_usual_decision(truth, "binary")[0] == 0
    assert find_usual_decision(np.array([2, 1, 2]), "multiclass")[0] == 2
    assert find_usual_decision(np.array([1.0, 5.0, 100.0]), "regression")[0] == 5


def test_best_threshold_is_the_best_of_all():
    random = np.random.default_rng(1)
    score = random.random(400).round(2)
    truth = (random.random(400) < score).astype(int)
    chosen = find_best_threshold(truth, score, MONEY)

    def reached(threshold):
        return compute_value_per_thousand(
            truth, decide(score, threshold, "binary"), MONEY, "binary"
        )

    assert reached(chosen) == pytest.approx(max(map(reached, np.linspace(0, 1.01, 500))))
    assert np.abs(score - chosen).min() > 0.004, "lies between two scores, not on one"


def test_equal_scores_are_never_told_apart():
    truth, score = np.array([1, 1, 0, 0]), np.full(4, 0.5)
    assert find_best_threshold(truth, score, Value(true_positive=1, false_positive=-3)) == NEVER
    assert find_best_threshold(truth, score, Value(true_positive=3, false_positive=-1)) == 0


def test_never_acts_when_acting_never_pays():
    truth, score = np.array([1, 0]), np.array([1.0, 0.0])
    threshold = find_best_threshold(truth, score, Value(true_positive=-1, false_positive=-1))
    assert not decide(score.astype(np.float32), threshold, "binary").any()
