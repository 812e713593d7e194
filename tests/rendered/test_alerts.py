"""From a shift in the traffic to the webhook of the one who can mend it, with all parts at work.

The service, `monitor watch`, Prometheus and Alertmanager are real; months are replayed as minutes.
"""

import csv
import json
import random
import re
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from servers import free_ports, running
from support import Render, run
from test_loop import edit
from test_serving import service
from watched import RELEASE, World, faster, listener, run_monitoring, webhooks

pytestmark = pytest.mark.slow
WINDOW = 30
ROWS = 600
QUICK = {"every: 1h": "every: 5s"}
Row = dict[str, str]


@pytest.fixture(scope="module")
def project(set_up: Render) -> Path:
    """Trained; the watch may not train again in the time of this test."""
    project = set_up({"project_name": "Alerts", "package": "flights"})
    edit(project / "params.yaml", QUICK)
    edit(project / "problem.yaml", {"latency_ms: 100 ": "latency_ms: 1000 "})
    run("uv", "run", "dvc", "repro", cwd=project)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    step = {"when": now, "kind": "began", "told": "a new model is trained", "facts": {}}
    (project / "reports/story.jsonl").write_text(json.dumps(step) + "\n", encoding="utf-8")
    return project


@pytest.fixture(scope="module")
def flights(project: Path) -> list[Row]:
    """Those with a label, in an order of chance, so that no month comes together."""
    run("uv", "run", "flights", "data", "export", "known.csv", cwd=project)
    with (project / "known.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["late"]]
    random.Random(1).shuffle(rows)
    return rows


@pytest.fixture(scope="module")
def world(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    made, alerts = folder / "monitoring", defaultdict(list)
    shutil.copytree(project / "deploy/monitoring", made)
    with ExitStack() as opened:
        address = opened.enter_context(service(project, UNEXPECTED="score"))
        hooks = opened.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), listener(alerts)))
        threading.Thread(target=hooks.serve_forever, daemon=True).start()
        opened.callback(hooks.shutdown)
        watched, alertmanager, prometheus = (f"127.0.0.1:{port}" for port in free_ports(3))
        watch = [str(project / ".venv/bin/flights"), "monitor", "watch", "--url", address]
        opened.enter_context(
            running([*watch, "--port", watched.rpartition(":")[2]], "failed", None, project)
        )
        faster(made, {
            RELEASE: f"static_configs: [targets: ['{address.removeprefix('http://')}']]",
            "host.docker.internal:9101": watched,
            "alertmanager:9093": alertmanager,
            "localhost:9090": prometheus,
        }, f"{WINDOW}s")  # fmt: skip
        webhooks(made, f"http://127.0.0.1:{hooks.server_port}")
        settings = made / "alertmanager.yml"
        text = re.sub(r"group_wait: \d+s", "group_wait: 1s", settings.read_text(encoding="utf-8"))
        settings.write_text(re.sub("group_interval: 5m", "group_interval: 2s", text), "utf-8")
        opened.enter_context(run_monitoring(made, alertmanager, prometheus, folder / "kept"))
        world = World(address, f"http://{prometheus}", alerts, made)
        until(lambda: len(world.query("up == 1")) == 4)  # what came before is not counted
        yield world


def replay_rows(project: Path, world: World, rows: list[Row], known: bool = False) -> None:
    """Send rows as the traffic of a second or two."""
    table = project / "traffic.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [name for name in rows[0] if known or name != "late"])
        writer.writeheader()
        writer.writerows({k: row[k] for k in writer.fieldnames} for row in rows)
    options = ["--url", world.service, "--minutes", "0.02", "--truth-after", "0.5"]
    done = run("uv", "run", "flights", "monitor", "replay", table, *options, cwd=project)
    assert f"{len(rows):,} records answered" in done.stdout, done.stdout


def firing(world: World) -> set[tuple[str, str]]:
    """Alerts by name, and the input they speak of."""
    alerts = world.query('ALERTS{alertstate="firing"}')
    return {(each["metric"]["alertname"], each["metric"].get("input", "")) for each in alerts}


def calm(world: World) -> None:
    """Wait until what was sent before is out of the window, and nothing fires."""
    until(lambda: not firing(world), 3 * WINDOW)
    for alerts in world.alerts.values():
        alerts.clear()


def until(reached: Callable[[], bool], seconds: int = 60) -> None:
    for _ in range(seconds):
        if reached():
            return
        time.sleep(1)
    assert reached()


@pytest.mark.parametrize("turns", [6, pytest.param(20, marks=pytest.mark.deep)])
def test_traffic_without_a_shift_raises_nothing(
    project: Path, world: World, flights: list[Row], turns: int
) -> None:
    for turn in range(turns):
        replay_rows(project, world, flights[turn * ROWS : (turn + 1) * ROWS])
        until(
            lambda: bool(world.query("max(input:values:increase1d) >= 500")), 20
        )  # enough to judge
        assert not firing(world)
    raised = world.query(f'count_over_time(ALERTS{{alertstate="firing"}}[{turns * WINDOW}s])')
    assert not raised
    assert not any(world.alerts.values())


def spoil_column(column: str, change: Callable[[str], str]) -> Callable[[Row], Row]:
    return lambda row: {**row, column: change(row[column])}


SHIFTS = {
    "a category that did not exist": (
        spoil_column("dest", lambda text: "ZZZ" if text < "DTW" else text),
        ("UnseenCategories", "dest"),
        "data_engineer",
    ),
    "another unit": (
        spoil_column("distance", lambda text: str(round(float(text) * 1.609))),
        ("InputDrift", "distance"),
        "data_scientist",
    ),
    "a column gone missing": (
        spoil_column("visib", lambda _: ""),
        ("MissingValues", "visib"),
        "data_engineer",
    ),
}


@pytest.mark.parametrize("shift", SHIFTS, ids=str)
def test_a_shift_is_told_to_the_one_who_can_mend_it(
    project: Path, world: World, flights: list[Row], shift: str
) -> None:
    change, alert, role = SHIFTS[shift]
    calm(world)
    replay_rows(project, world, [change(row) for row in flights[:ROWS]])
    until(lambda: alert in {alert_of(each) for each in world.alerts[role]})
    [notification] = [each for each in world.alerts[role] if alert_of(each) == alert][:1]
    assert notification["labels"]["owner_role"] == role
    others = {alert_of(each) for name, each in everybody(world) if name != role}
    assert alert not in others


def everybody(world: World) -> list[tuple[str, dict[str, dict[str, str]]]]:
    return [(role, alert) for role, alerts in world.alerts.items() for alert in alerts]


def alert_of(alert: dict[str, dict[str, str]]) -> tuple[str, str]:
    return alert["labels"]["alertname"], alert["labels"].get("input", "")


def test_the_weather_of_the_last_month_is_noticed(
    project: Path, world: World, flights: list[Row]
) -> None:
    """In December it is missing more often than in all the months that were learned from."""
    calm(world)
    last = sorted(flights, key=lambda row: row["scheduled"])[-1000:]
    replay_rows(project, world, last)
    until(lambda: "InputDrift" in {alert_of(each)[0] for each in world.alerts["data_scientist"]})
    inputs = {alert_of(each)[1] for each in world.alerts["data_scientist"]}
    assert inputs & {"visib", "wind_speed", "precip"}


def test_turned_labels_reach_the_data_scientist(
    project: Path, world: World, flights: list[Row]
) -> None:
    calm(world)
    turned = spoil_column("late", lambda text: {"true": "false", "false": "true"}[text])
    replay_rows(project, world, [turned(row) for row in flights[:ROWS]], known=True)
    until(lambda: ("PerformanceLow", "") in {alert_of(a) for a in world.alerts["data_scientist"]})
    assert not [a for a in world.alerts["data_engineer"] if alert_of(a)[0] == "InputDrift"]
