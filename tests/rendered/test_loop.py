"""The loop that closes: traffic drifts, a new model is trained, judged, tried, and taken or not.

Each test goes on where the one before it left the project and its service.
"""

import csv
import itertools
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from servers import free_ports, running
from support import Render, run
from test_serving import READY, ask, records

pytestmark = pytest.mark.slow
KEY = "only-for-this-test"
QUICK = {
    "trials: 16": "trials: 4",
    "shadow: 10m, shadow_records: 100, trial: 10m": "shadow: 4s, shadow_records: 20, trial: 4s",
    "retrain_at_most_every: 1d": "retrain_at_most_every: 1s",
    "min_rows: 500 ": "min_rows: 300 ",
    "count_once_within: 30d": "count_once_within: 1s",
    "max_loss: 0.0 ": "max_loss: 0.05 ",
    "max_value_loss: 0.0 ": "max_value_loss: 200.0 ",
}


def edit(file: Path, changes: dict[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def project(set_up: Render) -> Path:
    """Trained without a quarter of the sample, which is kept for traffic: of one airport only."""
    project = set_up({"project_name": "Loop", "package": "loop"})
    edit(project / "params.yaml", QUICK)
    edit(project / "problem.yaml", {"latency_ms: 100 ": "latency_ms: 1000 "})
    with (project / "data/raw/0001-flights.csv").open(encoding="utf-8") as stream:
        head, *rows = csv.reader(stream)
    quarter = [row for row in rows if row[0].isdecimal() and int(row[0]) % 4 == 0]
    place = head.index("origin")
    kept = [row for row in quarter if row[place] == "JFK"]
    for name, part in (("traffic", kept[:900]), ("later", kept[900:1800])):
        with (project / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([head, *part])
    run("uv", "run", "loop", "data", "delete", "--where", "flight_id % 4 = 0", cwd=project)
    run("uv", "run", "dvc", "repro", cwd=project)
    return project


@pytest.fixture(scope="module")
def address(project: Path) -> Iterator[str]:
    """Of the service, which answers with the first model."""
    [port] = free_ports(1)
    command = [str(project / ".venv/bin/loop"), "serve", "--port", str(port)]
    with running(command, READY, {"ADMIN_KEY": KEY}, project):
        yield f"http://127.0.0.1:{port}"


def drift(project: Path, address: str, table: str = "traffic.csv") -> None:
    """Send what is not like that which the model learned from."""
    options = ["--url", address, "--minutes", "0.1", "--truth-after", "1"]
    replay = run("uv", "run", "loop", "monitor", "replay", table, *options, cwd=project)
    assert re.search(r"^[5-9]\d\d records answered", replay.stdout, re.MULTILINE), replay.stdout


@contextmanager
def ask_meanwhile(project: Path, address: str) -> Iterator[list[int]]:
    """Ask for decisions all the time; the statuses that came."""
    statuses: list[int] = []
    ended = threading.Event()
    sent = itertools.cycle(records(project, 50))

    def work() -> None:
        while not ended.wait(0.05):
            try:
                ask(f"{address}/predict", next(sent))
                statuses.append(200)
            except HTTPError as error:
                statuses.append(error.code)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield statuses
    finally:
        ended.set()
        thread.join()


def watch_once(project: Path, address: str, code: int = 0) -> list[dict[str, Any]]:
    """Look once; the steps that this added to the story."""
    story = project / "reports/story.jsonl"
    before = story.read_text(encoding="utf-8").splitlines() if story.exists() else []
    time.sleep(1.1)  # the floor between trainings is a second here
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ADMIN_KEY", KEY)
        command = ("uv", "run", "loop", "monitor", "watch", "--once", "--url", address)
        done = run(*command, cwd=project, check=False)
    assert done.returncode == code, done.stdout
    lines = story.read_text(encoding="utf-8").splitlines()
    assert lines[: len(before)] == before
    return [json.loads(line) for line in lines[len(before) :]]


def accept(project: Path) -> None:
    run("uv", "run", "loop", "monitor", "accept", "--because", "all fly from JFK", cwd=project)


def kinds(steps: list[dict[str, Any]]) -> list[str]:
    return [step["kind"] for step in steps]


def version(address: str) -> str:
    return ask(f"{address}/info")["model_version"]


def test_drift_leads_to_a_better_model_without_a_failed_request(
    project: Path, address: str
) -> None:
    assert "\nuv run mlops monitor watch\n" in (project / "docs/guide/service.md").read_text(
        encoding="utf-8"
    )
    assert version(address) == "1"
    drift(project, address)
    steps = watch_once(project, address)
    assert kinds(steps) == ["looked", "asked"]
    assert "monitor accept --because" in steps[-1]["told"]
    accept(project)
    with ask_meanwhile(project, address) as statuses:
        steps = watch_once(project, address)
    told = "\n".join(step["told"] for step in steps)
    assert kinds(steps) == ["looked", "began", "grew", "trained", "followed", "promoted", "kept"]
    assert re.search(r"among the inputs .*origin.* drifted", told)
    assert re.search(r"\d{3} added", told)
    assert re.search(r"version 2 scored \d+ records in the shadow", told)
    assert version(address) == "2"
    assert len(statuses) > 100
    assert set(statuses) == {200}
    shown = run("uv", "run", "loop", "monitor", "story", cwd=project).stdout
    assert all(step["told"] in shown for step in steps)


def test_a_model_that_a_gate_blocks_is_refused_with_the_reason(project: Path, address: str) -> None:
    drift(project, address)
    accept(project)
    edit(project / "params.yaml", {"min_lift: 0.01": "min_lift: 0.9"})
    steps = watch_once(project, address)
    edit(project / "params.yaml", {"min_lift: 0.9": "min_lift: 0.01"})
    assert kinds(steps) == ["looked", "compared", "began", "grew", "refused"]
    assert re.search(r"version 2 were worth .* EUR .*; .* version 1 were worth", steps[1]["told"])
    assert steps[3]["told"] == "no record with ground truth is new to the table"
    assert steps[-1]["facts"]["gates"] == ["baseline"]
    assert version(address) == "2"


def test_a_model_that_breaks_a_promise_is_rolled_back(project: Path, address: str) -> None:
    """The promise is made one that none can keep; the model is of another kind, of newer data."""
    drift(project, address, "later.csv")
    edit(
        project / "problem.yaml",
        {"latency_ms: 1000 ": "latency_ms: 1 ", "share: 0.99": "share: 0.9999"},
    )
    edit(project / "params.yaml", {"linear, hist_gradient_boosting, lightgbm]": "linear]"})
    accept(project)
    with ask_meanwhile(project, address) as statuses:
        steps = watch_once(project, address)
    assert kinds(steps)[-3:] == ["followed", "promoted", "rolled back"]
    assert "requests took over 1 ms during the trial. Version 2 answers." in steps[-1]["told"]
    assert version(address) == "2"
    assert set(statuses) == {200}
    listed = run("uv", "run", "loop", "model", "list", cwd=project).stdout
    assert re.search(r"^ +2 .* champion", listed, re.MULTILINE)


def test_training_has_a_floor_and_a_failure_an_exit_code(project: Path, address: str) -> None:
    edit(project / "params.yaml", {"retrain_at_most_every: 1s": "retrain_at_most_every: 1d"})
    assert kinds(watch_once(project, address)) == ["looked", "waited"]
    edit(project / "params.yaml", {"retrain_at_most_every: 1d": "retrain_at_most_every: 1s"})
    steps = watch_once(project, "http://127.0.0.1:9", code=1)
    assert kinds(steps)[-1] == "failed"
    assert "start the service, or correct --url" in steps[-1]["told"]
