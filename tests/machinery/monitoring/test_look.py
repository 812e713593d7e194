"""What calls for a new model, and what does not."""

import pytest
from mlops.core.params import Monitoring
from mlops.monitoring.look import Seen, drifted, poor, unknown

SETTINGS = Monitoring(min_rows=100, max_psi=0.2, max_performance_loss=0.05)


def performance(rows=100, metric=0.7, expected=0.72, realised=50.0, nothing=20.0):
    value = {"realised": realised, "do_nothing": nothing, "unit": "EUR"}
    return {
        "rows": rows,
        "metric": {"name": "roc_auc", "value": metric, "expected": expected},
        "value": value | {"do_nothing_means": "never acting"},
    }


def test_a_model_that_keeps_what_was_promised_is_kept():
    assert poor(performance(), SETTINGS, 0.0) == []


def test_a_metric_below_that_of_the_evaluation_calls():
    assert poor(performance(metric=0.66), SETTINGS, 0.0) == [
        "roc_auc is 0.660 where the evaluation found 0.720"
    ]


def test_value_below_the_floor_calls():
    [why] = poor(performance(realised=20.0), SETTINGS, 1.0)
    assert why == "a thousand decisions are worth 20 EUR, those of never acting 20"


@pytest.mark.parametrize(
    "found",
    [
        performance(rows=99, metric=0.1, realised=0.0),
        performance(metric=None, realised=None, nothing=None),
        performance(expected=None),
    ],
)
def test_what_cannot_be_told_does_not_call(found):
    assert poor(found, SETTINGS, 0.0) == []


def test_no_limit_is_no_call():
    assert poor(performance(metric=0.1), Monitoring(max_performance_loss=None), 0.0) == []


def test_an_input_far_from_what_was_learned_calls():
    inputs = [{"input": "origin", "psi": 0.31}, {"input": "distance", "psi": 0.19}]
    found = {"rows": 100, "inputs": inputs}
    assert drifted(found, SETTINGS) == ["origin has drifted (population stability index 0.310)"]
    assert drifted(found | {"rows": 99}, SETTINGS) == []
    assert drifted(found, Monitoring(min_rows=100, max_psi=None)) == []


def test_too_little_to_judge_by_is_told():
    assert unknown(100, 100, SETTINGS) == []
    few = unknown(7, 99, SETTINGS)
    assert Seen([], []).told() == "nothing calls for a new model"
    assert Seen([], few).told() == (
        "nothing calls for a new model as far as can be told, but only the truth of 7 decisions is "
        "known (100 are needed) and only 99 records came in the last 1d (100 are needed)"
    )
    assert Seen(["it drifted"], few).told() == "it drifted"
