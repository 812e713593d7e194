"""Dashboards by Grafana's own schema, and every query of theirs by a Prometheus that is at work.

It watches over the real service under traffic, and over a stand-in for `monitor watch`; alerts go
through a real Alertmanager to the webhooks of their owners.
"""

import json
import math
import re
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import promql_parser
import pytest
import yaml

from servers import debian, free_ports
from support import ROOT, Render, run
from test_serving import ask, records, service
from watched import RELEASE, World, faster, listener, run_monitoring, webhooks

pytestmark = pytest.mark.slow
BOARDS = ["business", "data", "model", "resources", "service"]
GRAFANA = "@grafana/schema@12.2.0"
GENERATOR = "ts-json-schema-generator@2.4.0"
TYPES = "node_modules/@grafana/schema/dist/types/raw"
GONE = "wind_speed"


@pytest.fixture(scope="module")
def project(set_up: Render) -> Path:
    project = set_up({})
    run("uv", "run", "dvc", "repro", cwd=project)
    assert "up to date" in run("uv", "run", "dvc", "repro", cwd=project).stdout
    return project


@pytest.fixture(scope="module")
def boards(project: Path) -> dict[str, dict[str, Any]]:
    made = (project / "deploy/monitoring/dashboards").glob("*.json")
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(made)}


@pytest.fixture(scope="module")
def world(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    made = folder / "monitoring"
    shutil.copytree(project / "deploy/monitoring", made)
    flights, alerts = records(project, 1500), defaultdict(list)
    settings = {
        "UNEXPECTED": "score",
        "SHADOW_URI": "models/model.onnx",
        "JOURNAL_URL": f"sqlite:///{folder}/journal.db",
    }
    with ExitStack() as opened:
        address = opened.enter_context(service(project, **settings))
        neighbour = opened.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), listener(alerts)))
        threading.Thread(target=neighbour.serve_forever, daemon=True).start()
        opened.callback(neighbour.shutdown)
        here = f"127.0.0.1:{neighbour.server_port}"
        alertmanager, prometheus = (f"127.0.0.1:{port}" for port in free_ports(2))
        faster(made, {
            RELEASE: f"static_configs: [targets: ['{address.removeprefix('http://')}']]",
            "host.docker.internal:9101": here,
            "alertmanager:9093": alertmanager,
            "localhost:9090": prometheus,
        }, "10m")  # fmt: skip
        webhooks(made, f"http://{here}")
        opened.enter_context(run_monitoring(made, alertmanager, prometheus, folder / "kept"))
        world = World(address, f"http://{prometheus}", alerts, made, flights)
        busy(world)
        yield world


def busy(world: World) -> None:
    """Traffic of every kind for a while: answered, scored by policy, refused, and its truth."""
    odd = {**world.flights[0], "distance": 99_999}
    for start in range(0, 750, 50):
        ask(f"{world.service}/predict", world.flights[start : start + 50])
        answer = ask(f"{world.service}/predict", odd)
        ask(f"{world.service}/feedback", {"id": answer["id"], "truth": "true"})
        with pytest.raises(HTTPError, match="422"):
            ask(f"{world.service}/predict", {"no such column": 1})
        time.sleep(0.5)
    time.sleep(3)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of JSON schemas made from the types of Grafana: of a dashboard, of options."""
    folder = tmp_path_factory.mktemp("schema")
    debian("npm", "npm")
    run("npm", "install", "--silent", "--prefix", folder, GRAFANA, GENERATOR, cwd=folder)
    options = {"skipLibCheck": True, "moduleResolution": "bundler", "module": "esnext"}
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options}))
    generate = [folder / "node_modules/.bin/ts-json-schema-generator", "--no-type-check"]
    generate += ["--tsconfig", "tsconfig.json"]
    types = {"Dashboard": "dashboard"}
    types |= {name: f"composable/{name}/panelcfg" for name in KINDS}
    for name, place in types.items():
        [path] = (folder / TYPES / place / "x").glob("*.d.ts")
        kind = "Dashboard" if name == "Dashboard" else "Options"
        run(*generate, "--path", path, "--type", kind, "-o", f"{name}.json", cwd=folder)
    return folder


KINDS = ["timeseries", "stat", "bargauge", "table"]


def test_grafana_s_schema_is_kept(
    schema: Path, project: Path, boards: dict[str, Any], tmp_path: Path
) -> None:
    made = sorted((project / "deploy/monitoring/dashboards").glob("*.json"))
    assert [path.stem for path in made] == BOARDS
    run("check-jsonschema", "--schemafile", schema / "Dashboard.json", *made, cwd=ROOT)
    shown = [panel for board in boards.values() for panel in board["panels"]]
    assert {panel["type"] for panel in shown} == {*KINDS}
    for kind in KINDS:
        # Grafana puts in what is left out: what is there must have its form.
        lax = json.loads((schema / f"{kind}.json").read_text(), object_hook=lenient)
        (tmp_path / f"{kind}.schema").write_text(json.dumps(lax))
        options = tmp_path / f"{kind}.json"
        options.write_text(json.dumps(next(p["options"] for p in shown if p["type"] == kind)))
        run("check-jsonschema", "--schemafile", tmp_path / f"{kind}.schema", options, cwd=ROOT)


def lenient(part: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key != "required"}


def test_every_panel_says_what_it_is(boards: dict[str, Any]) -> None:
    for name, board in boards.items():
        assert board["title"] == f"Model in production: {name}"
        assert board["description"]
        titles = [panel["title"] for panel in board["panels"]]
        assert len(titles) == len({*titles}) > 4
        for panel in board["panels"]:
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            assert len(panel["description"]) > 15, panel["title"]
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24


def test_the_business_owner_reads_their_decision_and_their_unit(
    world: World, boards: dict[str, Any]
) -> None:
    panels = boards["business"]["panels"]
    [shown] = world.query(fill_variables(panels[0]["targets"][0]["expr"]))
    assert shown["metric"]["decision"].startswith("Should a passenger be warned")
    assert shown["metric"]["unit"] == "EUR"
    words = " ".join(panel["title"] + panel["description"] for panel in panels).lower()
    assert not set(re.findall(r"\w+", words)) & {"roc_auc", "psi", "metric", "promql", "quantile"}


def test_every_panel_has_data(world: World, boards: dict[str, Any]) -> None:
    for board in boards.values():
        listed = [each["name"] for each in board["templating"]["list"]]
        assert listed[:2] == ["source", "job"]
        for panel in board["panels"]:
            assert panel["targets"], panel["title"]
            for target in panel["targets"]:
                expr = fill_variables(target["expr"])
                promql_parser.parse(expr)
                samples = world.query(expr)
                assert samples, f"{board['title']}, {panel['title']}: {expr}"
                values = [float(each["value"][1]) for each in samples]
                assert not all(map(math.isnan, values)), f"{panel['title']}: only NaN"
                legend = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
                assert all({*legend} <= {*each["metric"]} for each in samples), panel["title"]


def fill_variables(expr: str) -> str:
    """With what a reader has chosen."""
    return expr.replace("${job}", "flights").replace("$job", "flights").replace("$input", GONE)


def test_every_metric_that_is_named_exists(world: World, boards: dict[str, Any]) -> None:
    rules = yaml.safe_load((world.made / "rules.yml").read_text(encoding="utf-8"))
    named = {
        name
        for group in rules["groups"]
        for rule in group["rules"]
        for name in metrics(promql_parser.parse(rule["expr"]))
    }
    for board in boards.values():
        for panel in board["panels"]:
            for target in panel["targets"]:
                named |= metrics(promql_parser.parse(fill_variables(target["expr"])))
    assert len(named) > 30
    assert named - {"ALERTS"} <= world.names()  # which is there while one fires


def metrics(node: Any) -> set[str]:
    """The names of all metrics in a query."""
    if isinstance(node, promql_parser.VectorSelector):
        return {node.name} if node.name else set()
    parts = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector")]
    below = [part for part in (*parts, *getattr(node, "args", [])) if part is not None]
    return {name for part in below for name in metrics(part)}


def test_the_inputs_to_choose_from_are_listed(world: World, boards: dict[str, Any]) -> None:
    [chosen] = [v for v in boards["data"]["templating"]["list"] if v["name"] == "input"]
    [(metric, label)] = re.findall(r"^label_values\((.*), (\w+)\)$", chosen["query"]["query"])
    metric = fill_variables(metric)
    assert GONE in {each["metric"][label] for each in world.query(metric)}


def test_a_column_gone_missing_is_told_to_the_data_engineer(world: World) -> None:
    """And to nobody else as a drift of that column."""
    without = [{k: v for k, v in row.items() if k != GONE} for row in world.flights[:1000]]
    for start in range(0, 1000, 100):
        ask(f"{world.service}/predict", without[start : start + 100])
    for _ in range(60):
        missing = [
            a for a in world.alerts["data_engineer"] if alert_of(a) == ("MissingValues", GONE)
        ]
        if missing:
            break
        time.sleep(1)
    [notification] = missing
    assert notification["labels"]["owner_role"] == "data_engineer"
    assert notification["annotations"]["runbook"] == "docs/runbooks/MissingValues.md"
    assert re.search(
        r"missing values exceeds .* by more than \d+\.\d+% of",
        notification["annotations"]["description"],
    )
    firing = world.query(f'ALERTS{{alertname="InputDrift",input="{GONE}",alertstate="firing"}}')
    assert firing
    everybody = [alert_of(alert) for alerts in world.alerts.values() for alert in alerts]
    assert ("InputDrift", GONE) not in everybody
    assert not world.alerts["everybody"]


def alert_of(alert: dict[str, Any]) -> tuple[str, str]:
    return alert["labels"]["alertname"], alert["labels"].get("input", "")
