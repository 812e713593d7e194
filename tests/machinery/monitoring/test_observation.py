"""What calls for a new model, and what does not."""

import pytest
from mlops.core.params import Monitoring, Params, TrainParams
from mlops.monitoring.observation import describe, reasons_to_retrain

CALM = "nothing calls for a new model"


@pytest.fixture(autouse=True)
def _params(monkeypatch):
    settings = Monitoring(min_rows=100)
    train = TrainParams(candidates=["linear"])
    monkeypatch.setattr(Params, "read", lambda: Params(train=train, monitoring=settings))


def observation(*failed, truths=100, records=100):
    names = ("value", "performance", "slices", "missing", "unseen", "drift", "traffic")
    checks = [
        {"name": name, "passed": name not in failed, "meaning": f"{name} it is"} for name in names
    ]
    return {"checks": checks, "performance": {"rows": truths}, "drift": {"rows": records}}


def test_a_model_that_keeps_what_was_promised_is_kept():
    assert reasons_to_retrain(observation()) == []
    assert describe(observation()) == CALM


def test_value_performance_and_drift_call():
    seen = observation("drift", "value", "performance")
    assert reasons_to_retrain(seen) == ["value it is", "performance it is", "drift it is"]
    assert describe(seen) == "value it is; performance it is; drift it is"


def test_a_fault_of_what_comes_in_is_not_learned():
    seen = observation("missing", "unseen", "slices", "traffic")
    assert describe(seen) == CALM


def test_too_little_to_judge_by_is_told():
    assert describe(observation(truths=7, records=99)) == (
        f"{CALM} as far as can be told, but only the ground truth of 7 decisions is "
        "known (100 are needed) and only 99 records came in the last 1d (100 are needed)"
    )
    assert describe(observation("drift", truths=7)) == "drift it is"
