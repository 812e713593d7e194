import json
from pathlib import Path

import pytest
import yaml
from mlops.core.errors import UserError
from mlops.core.settings import Owners
from mlops.monitoring import alert_rules, facts

PROBLEM = {
    "name": "Tiny",
    "decision": "Act?",
    "owners": {"data_engineer": "@acme/data", "business_owner": "jo@acme.example"},
    "value": {"unit": "EUR"},
    "objectives": {"availability": 0.99, "latency_ms": 250, "latency_share": 0.9},
}
EVALUATION = {
    "primary_metric": {"name": "r2", "value": 0.8},
    "champion": {"version": 3, "score": 0.7},
    "value": {"do_nothing": -100.0},
}
SERVICE = {"services": {"blue": {"mem_limit": "256m"}}}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("problem.yaml").write_text(json.dumps(PROBLEM))
    Path("reports").mkdir()
    Path("reports/evaluation.json").write_text(json.dumps(EVALUATION))
    passed(True)


def passed(all_gates):
    Path("reports/gate.json").write_text(json.dumps({"passed": all_gates}))


def groups(monitoring=None, **sections):
    params = {"train": {"candidates": ["linear"]}, "monitoring": monitoring or {}, **sections}
    Path("params.yaml").write_text(json.dumps(params))
    return alert_rules.groups(facts.Facts.read())


def made(monitoring=None, **sections):
    """The rules by name, of an alert with its severity."""
    return {
        name_of(rule) + rule["labels"].get("objective", ""): rule
        for group in groups(monitoring, **sections)
        for rule in group["rules"]
    }


def name_of(rule):
    return rule.get("record") or f"{rule['alert']} {rule['labels']['severity']}"


def test_all_that_is_asked_for_is_watched():
    names = {name.split()[0] for name, rule in made().items() if "alert" in rule}
    assert names >= {"InputDrift", "MissingValues", "PerformanceLow", "DataOld", "NoTraffic"}
    assert len(names) == 18


@pytest.mark.parametrize(
    ("setting", "gone"),
    [
        ("max_psi", {"InputDrift ticket", "ScoreDrift ticket"}),
        ("max_missing", {"MissingValues ticket"}),
        ("max_unseen", {"UnseenCategories ticket"}),
        ("max_performance_loss", {"PerformanceLow ticket"}),
        ("max_model_age_days", {"ModelOld ticket"}),
        ("max_data_age_days", {"DataOld ticket"}),
        ("max_silence", {"NoTraffic ticket"}),
    ],
)
def test_what_has_no_limit_raises_no_alert(setting, gone):
    assert made().keys() - made({setting: None}).keys() == gone


@pytest.mark.parametrize(
    ("monitoring", "alert", "text"),
    [
        ({"max_psi": 0.3}, "InputDrift", "> 0.3\n"),
        ({"max_missing": 0.4}, "MissingValues", "> 0.4\n"),
        ({"max_unseen": 0.01}, "UnseenCategories", "> 0.01\n"),
        ({"min_rows": 77}, "ScoreDrift", ">= 77"),
        ({"min_rows": 77}, "ValueLow", ">= 77"),
        ({"max_performance_loss": 0.1}, "PerformanceLow", "< 0.7\n"),
        ({"max_model_age_days": 2}, "ModelOld", "> 172800"),
        ({"max_data_age_days": 0.5}, "DataOld", "> 43200"),
        ({"max_silence": "2d"}, "NoTraffic", "[2d]"),
        ({"window": "6h"}, "RequestsRefused", "[6h]"),
        ({"watch": {"every": "1h30m"}}, "WatchStopped", "> 12600"),
    ],
)
def test_a_limit_is_in_its_rule(monitoring, alert, text):
    assert text in made(monitoring)[f"{alert} ticket"]["expr"]


def test_limits_of_other_sections_are_used():
    found = made(data={"max_reject_rate": 0.3}, gates={"min_value": 12.5})
    assert "> 0.3\n" in found["RequestsRefused ticket"]["expr"]
    assert "< -87.5\n" in found["ValueLow ticket"]["expr"]  # doing nothing is worth -100
    assert "-87.5 was agreed" in found["ValueLow ticket"]["annotations"]["description"]


def test_objectives_are_those_of_the_problem():
    found = made()
    assert found["objective:burn_rate:1havailability"]["expr"].endswith("/ 0.01")
    assert found["objective:burn_rate:1hlatency"]["expr"].endswith("/ 0.1")
    assert 'le="0.25"' in found["objective:bad_requests:rate5mlatency"]["expr"]
    assert "99 % are to be answered" in found["RequestsFail page"]["annotations"]["description"]


def test_a_long_window_is_judged_less_often():
    def interval(window):
        found = groups({"window": window})
        return next(group["interval"] for group in found if "interval" in group)

    assert (interval("5m"), interval("1d")) == ("15s", "1m")


def test_an_alert_names_its_owner_or_the_role():
    found = made()
    assert found["MissingValues ticket"]["labels"]["owner"] == "@acme/data"
    assert found["ModelOld ticket"]["labels"]["owner"] == "ml engineer"
    assert found["ValueLow ticket"]["labels"]["owner_role"] == "business_owner"


def test_a_text_of_the_team_is_no_template_of_prometheus():
    two = "{" * 2
    changed = {**PROBLEM, "value": {"unit": two + " $value }}"}}
    Path("problem.yaml").write_text(json.dumps(changed))
    told = made()["ValueLow ticket"]["annotations"]["description"]
    assert two + ' "' + two + '" }} $value }}' in told


def test_performance_is_held_against_the_model_in_use():
    assert "< 0.75\n" in made()["PerformanceLow ticket"]["expr"]
    passed(False)
    assert "< 0.65\n" in made()["PerformanceLow ticket"]["expr"]


def test_a_model_that_could_not_be_judged_has_no_performance_to_lose():
    unknown = {**EVALUATION, "primary_metric": {"name": "r2", "value": None}}
    Path("reports/evaluation.json").write_text(json.dumps(unknown))
    assert "PerformanceLow ticket" not in made()


def test_memory_is_what_the_container_is_granted():
    def most(**sections):
        return float(made(**sections)["MemoryHigh ticket"]["expr"].split()[-1])

    assert most() == pytest.approx(0.9 * 4e9)
    facts.COMPOSE.parent.mkdir(exist_ok=True)
    facts.COMPOSE.write_text(json.dumps(SERVICE))
    assert most() == pytest.approx(0.9 * 256 * 2**20, abs=1)
    assert most(budgets={"memory_mb": 100.0}) == pytest.approx(0.9e8)


@pytest.mark.parametrize(
    ("limits", "granted"), [({"memory": "1Gi"}, 2.0**30), ({"memory": "500M"}, 5e8), ({}, 4e9)]
)
def test_memory_of_a_pod(limits, granted):
    pod([{"resources": {"limits": limits}}])
    made()
    assert facts.Facts.read().memory == granted


def test_an_amount_of_memory_that_is_none_is_refused():
    pod([{"resources": {"limits": {"memory": "much"}}}])
    with pytest.raises(UserError, match="much is no amount of memory: write it like 288Mi"):
        made()


def pod(containers):
    facts.CLUSTER.parent.mkdir(parents=True)
    template = {"spec": {"containers": containers}}
    facts.CLUSTER.write_text(json.dumps({"spec": {"template": template}}))


def test_without_a_judged_model_nothing_is_written():
    made()
    Path("reports/gate.json").unlink()
    with pytest.raises(UserError, match="uv run dvc repro"):
        alert_rules.run()
    assert not alert_rules.FOLDER.exists()


def test_the_stage_writes_the_same_bytes_for_the_same_settings(capsys):
    asked = made()
    written = []
    for _ in range(2):
        alert_rules.run()
        files = sorted(path for path in alert_rules.FOLDER.rglob("*") if path.is_file())
        written.append({path.name: path.read_bytes() for path in files})
    assert written[0] == written[1]
    assert len(written[0]) == 7
    assert yaml.safe_load(written[0]["rules.yml"]) == {"groups": groups()}
    assert capsys.readouterr().out.startswith("rules: 20 alerts")
    assert sum("alert" in rule for rule in asked.values()) == 20


def test_each_role_has_a_receiver_and_no_address_is_written_down():
    made()
    alert_rules.run()
    text = alert_rules.ALERTMANAGER.read_text(encoding="utf-8")
    settings = yaml.safe_load(text)
    roles = [route["receiver"] for route in settings["route"]["routes"]]
    assert roles == list(Owners.model_fields)
    assert {each["name"] for each in settings["receivers"]} == {*roles, "everybody"}
    assert "http" not in text
