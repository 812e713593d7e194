"""What watches over a deployed model, tried with Prometheus and Alertmanager themselves."""

import math
import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from alert_cases import CASES, END, HEALTHY, SHARES, Case, counted
from engine import unpack_packages
from servers import debian
from support import ROOT, Render, run

pytestmark = pytest.mark.slow
ROLES = ["business_owner", "data_engineer", "data_scientist", "ml_engineer", "devops_engineer"]
Rule = dict[str, Any]
# What a description asks Prometheus for, and how it prints it.
LIMIT = re.compile(
    r"\{\{ with printf [^}]*\{[^}]*limit='(\w+)'\}[^}]*\}\}\{\{[^}]*\}\}\{\{ end \}\}"
)
SHOWN = {
    "availability": "99.5%",
    "latency_share": "99%",
    "latency_seconds": "100ms",
    "psi": "0.2",
    "performance": "0.622",
    "value": "0.00",
    "memory_bytes": "512Mi",
}


@pytest.fixture(scope="module")
def project(render: Render) -> Path:
    return render({})


@pytest.fixture(scope="module")
def made(project: Path) -> Path:
    return project / "deploy/monitoring"


@pytest.fixture(scope="module")
def alerts(made: Path) -> list[Rule]:
    rules = yaml.safe_load((made / "rules.yml").read_text(encoding="utf-8"))
    return [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]


@pytest.fixture(scope="module")
def amtool() -> Path:
    """That of the newer Debian: the older one does not know addresses in files."""
    return unpack_packages("monitoring", ["prometheus-alertmanager"]) / "usr/bin/amtool"


def test_prometheus_and_alertmanager_understand_their_settings(made: Path, amtool: Path) -> None:
    run(debian("promtool", "prometheus"), "check", "config", made / "prometheus.yml", cwd=ROOT)
    run(amtool, "check-config", made / "alertmanager.yml", cwd=ROOT)


def test_every_alert_has_an_owner_and_says_what_was_measured(
    alerts: list[Rule], project: Path
) -> None:
    owners = yaml.safe_load((project / "problem.yaml").read_text(encoding="utf-8"))["owners"]
    assert [*owners] == ROLES
    for alert in alerts:
        labels, annotations = alert["labels"], alert["annotations"]
        assert labels["severity"] in {"page", "ticket"}
        assert {"summary", "description", "runbook"} == {*annotations}
        assert "{{ $" in annotations["description"]
    assert {alert["labels"]["owner_role"] for alert in alerts} == {*ROLES}


def test_every_alert_has_a_runbook_and_every_runbook_an_alert(
    alerts: list[Rule], project: Path
) -> None:
    asked = {alert["annotations"]["runbook"] for alert in alerts}
    there = {path.relative_to(project).as_posix() for path in project.glob("docs/runbooks/*")}
    assert asked == there
    for alert in alerts:
        text = (project / alert["annotations"]["runbook"]).read_text(encoding="utf-8")
        assert text.startswith(f"# {alert['alert']}: ")
        assert alert["labels"]["owner_role"].replace("_", " ") in text.lower()
        assert re.findall("^## (.*)$", text, re.MULTILINE) == ["What to look at", "What to do"]


def test_every_alert_is_tried(alerts: list[Rule]) -> None:
    assert {case.alert for case in CASES} == {alert["alert"] for alert in alerts}
    tried = {(case.alert, severity) for case in CASES for severity in case.by}
    assert tried == {(alert["alert"], alert["labels"]["severity"]) for alert in alerts}


NUMBER = count()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}-{next(NUMBER)}")
def test_it_fires_and_does_not(case: Case, made: Path, alerts: list[Rule], tmp_path: Path) -> None:
    fired = [
        alert
        for alert in alerts
        if alert["alert"] == case.alert and alert["labels"]["severity"] in case.by
    ]
    at = f"{case.minutes}m"
    tests = [world(case.fires, at, case.alert, [expectation(alert, case) for alert in fired])]
    others = "|".join((case.alert, *case.also))
    other = {"expr": f'ALERTS{{alertstate="firing",alertname!~"{others}"}}', "exp_samples": []}
    tests[0]["promql_expr_test"] = [{**other, "eval_time": at}]
    tests += [world(quiet, at, case.alert, []) for quiet in case.quiet]
    promtool(made, tmp_path, tests)


def test_a_healthy_service_raises_none_at_any_time(made: Path, tmp_path: Path) -> None:
    quiet = {"expr": 'ALERTS{alertstate="firing"}', "exp_samples": []}
    times = [{**quiet, "eval_time": f"{minute}m"} for minute in range(0, END, 10)]
    promtool(made, tmp_path, [{**world({}, "0m", "Any", []), "promql_expr_test": times}])


def test_the_recorded_psi_is_the_analytic_one(made: Path, tmp_path: Path) -> None:
    live = {"distance": (10, 49, 1), "carrier": (0, 23, 30, 7), "(score)": (42, 18, 0)}
    changes = {name: value for each in live for name, value in counted(each, *live[each]).items()}
    tests = []
    for name, rows in live.items():
        index = psi([many / 60 for many in rows], list(SHARES[name].values()))
        near = f'abs(input:psi1d{{input="{name}"}} - {index}) < bool 1e-9'
        labels = f'{{input="{name}", job="flights", version="1"}}'
        samples = [{"labels": labels, "value": 1}]
        tests.append({"expr": near, "eval_time": "180m", "exp_samples": samples})
    promtool(made, tmp_path, [{**world(changes, "0m", "Any", []), "promql_expr_test": tests}])


def psi(live: list[float], expected: list[float]) -> float:
    """By hand."""
    pairs = [(max(a, 1e-4), max(e, 1e-4)) for a, e in zip(live, expected, strict=True)]
    return sum((a - e) * math.log(a / e) for a, e in pairs)


def world(
    changes: Mapping[str, str | None], at: str, alert: str, expected: list[Rule]
) -> dict[str, Any]:
    """A test of promtool: in these circumstances that alert fires so."""
    series = {name: values for name, values in (HEALTHY | changes).items() if values is not None}
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": expected}],
    }


def expectation(alert: Rule, case: Case) -> Rule:
    """The alert with what it measured put in."""
    labels = {"job": case.job, **case.labels}
    values = {"value": case.measured} | {f"labels.{k}": v for k, v in labels.items()}
    annotations = {name: LIMIT.sub(show_limit, text) for name, text in alert["annotations"].items()}
    annotations = {
        name: re.sub(r"\{\{ \$([\w.]+)[^}]*\}\}", lambda variable: values[variable[1]], text)
        for name, text in annotations.items()
    }
    return {"exp_labels": {**labels, **alert["labels"]}, "exp_annotations": annotations}


def show_limit(limit: re.Match[str]) -> str:
    return SHOWN[limit[1]]


def promtool(made: Path, folder: Path, tests: list[Rule]) -> None:
    """The groups take turns as they stand in the file: promtool would shuffle them."""
    rules = yaml.safe_load((made / "rules.yml").read_text(encoding="utf-8"))
    content = {
        "rule_files": [str(made / "rules.yml")],
        "group_eval_order": [group["name"] for group in rules["groups"]],
        "evaluation_interval": "1m",
        "tests": tests,
    }
    (folder / "tests.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    run(debian("promtool", "prometheus"), "test", "rules", folder / "tests.yml", cwd=folder)


@pytest.mark.parametrize("role", [*ROLES, ""])
def test_every_role_is_told_by_its_own_webhook(role: str, made: Path, amtool: Path) -> None:
    command = [amtool, "config", "routes", "test", "--config.file", made / "alertmanager.yml"]
    for severity in ("page", "ticket"):
        labels = [f"owner_role={role}", f"severity={severity}", "alertname=Any", "job=flights"]
        receivers = run(*command, *labels, cwd=ROOT).stdout
        assert receivers.splitlines()[-1] == (role or "everybody")
    settings = yaml.safe_load((made / "alertmanager.yml").read_text(encoding="utf-8"))
    files = {each["name"]: each["webhook_configs"][0]["url_file"] for each in settings["receivers"]}
    assert files == {name: f"/etc/alertmanager/webhooks/{name}" for name in (*ROLES, "everybody")}
