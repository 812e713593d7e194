"""What the stage gate writes down for those who watch the model at work."""

import json
import re

import pytest
from mlops.core.params import Budgets, DataParams, GateParams, Monitoring, Params, TrainParams
from mlops.core.problem import Baseline, Objectives, Problem, Value
from mlops.gates.limits import LIMITS, list_limits, write_limits

from files import FILES

RULES = FILES / "deploy/monitoring/rules.yml"
PROBLEM = Problem(
    name="Tiny",
    decision="Act?",
    kpi="Money",
    baseline=Baseline(description="Nobody acts."),
    value=Value(unit="EUR"),
    objectives=Objectives(availability=0.99, latency_ms=250, latency_share=0.9),
)
EVALUATION = {
    "primary_metric": {"name": "r2", "value": 0.8},
    "champion": {"version": 3, "score": 0.7},
    "value": {"do_nothing": -100.0},
}


def judged(monitoring=None, passed=True, evaluation=EVALUATION, **sections):
    live = Monitoring(**(monitoring or {}))
    params = Params(train=TrainParams(candidates=["linear"]), monitoring=live, **sections)
    return list_limits(PROBLEM, params, evaluation, passed)


def test_objectives_are_those_of_the_problem():
    found = judged()
    names = ("availability", "latency_seconds", "latency_share")
    assert [found[name] for name in names] == [0.99, 0.25, 0.9]


@pytest.mark.parametrize(
    ("setting", "limit"),
    [
        ("max_psi", "psi"),
        ("max_missing", "missing"),
        ("max_unseen", "unseen"),
        ("max_performance_loss", "performance"),
        ("max_model_age_days", "model_age_seconds"),
        ("max_data_age_days", "data_age_seconds"),
        ("max_silence", "silence_seconds"),
    ],
)
def test_what_is_not_limited_has_no_limit(setting, limit):
    found = judged({setting: None})
    assert [name for name, figure in found.items() if figure is None] == [limit]


@pytest.mark.parametrize(
    ("monitoring", "limit", "figure"),
    [
        ({"max_psi": 0.3}, "psi", 0.3),
        ({"max_missing": 0.4}, "missing", 0.4),
        ({"max_unseen": 0.01}, "unseen", 0.01),
        ({"min_rows": 77}, "min_rows", 77),
        ({"max_performance_loss": 0.1}, "performance", 0.7),
        ({"max_model_age_days": 2}, "model_age_seconds", 172_800),
        ({"max_data_age_days": 0.5}, "data_age_seconds", 43_200),
        ({"max_silence": "2d"}, "silence_seconds", 172_800),
        ({"watch": {"every": "1h30m"}}, "watch_silence_seconds", 12_600),
    ],
)
def test_a_setting_becomes_its_limit(monitoring, limit, figure):
    assert judged(monitoring)[limit] == pytest.approx(figure)


def test_limits_of_other_sections_are_told():
    sections = {"data": DataParams(max_reject_rate=0.3), "gates": GateParams(min_value=12.5)}
    found = judged(**sections, budgets=Budgets(memory_mb=100))
    assert (found["reject_rate"], found["memory_bytes"]) == (0.3, 1e8)
    assert found["value"] == 12.5  # above doing nothing, whatever that is worth


def test_performance_is_held_against_the_model_in_use():
    assert judged()["performance"] == pytest.approx(0.75)
    assert judged(passed=False)["performance"] == pytest.approx(0.65)
    unknown = {**EVALUATION, "primary_metric": {"name": "r2", "value": None}}
    assert judged(evaluation=unknown)["performance"] is None


@pytest.mark.skipif(not RULES.exists(), reason="a project without a service has no rules")
def test_the_rules_ask_for_limits_that_there_are_and_miss_each_that_is_not():
    text, found = RULES.read_text(encoding="utf-8"), judged()
    assert set(re.findall(r"""limit=["'](\w+)""", text)) <= set(found)
    assert f"count by (job) (job:mlops_limit:max) >= {len(found)}\n" in text


def test_they_are_written_with_what_the_model_is_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params = Params(train=TrainParams(candidates=["linear"]))
    write_limits(PROBLEM, params, EVALUATION, passed=True)
    found = json.loads(LIMITS.read_text())
    assert found["limits"] == list_limits(PROBLEM, params, EVALUATION, passed=True)
    assert found["project"] == {
        "decision": "Act?",
        "kpi": "Money",
        "before": "Nobody acts.",
        "unit": "EUR",
    }
