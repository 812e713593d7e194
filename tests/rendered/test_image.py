"""The image is built and run by a real engine, with the commands of the project's README.

Of the stack in deploy/compose.yaml only our own service is started: the images of others cannot be
had everywhere. Where no registry is reached, the base image is a stand-in (see engine.py) that is
about as large as the real one.
"""

import json
import re
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import imaged
from servers import free_ports
from support import ROOT, Answers, Render, git, run
from test_compose import STACKS, name_of
from test_readme import shell

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.usefixtures("docker")]

CASES = (
    "import json; from mlops.scoring.predictor import Predictor; "
    "print(json.dumps(Predictor().meta['cases']))"
)


@pytest.fixture(scope="module")
def commands(flights: Path) -> tuple[str, str, str, str]:
    """Of the README: build, run, make passwords, start the stack."""
    return imaged.commands(flights)


@pytest.fixture
def address(image: str, flights: Path, commands: tuple[str, ...]) -> Iterator[str]:
    """Of the service, running in the container `flights-test` and healthy."""
    [port] = free_ports(1)
    there = "docker run --detach --name flights-test --cpus 1 --security-opt no-new-privileges"
    start = commands[1].replace("docker run --rm", there).replace(":8000:", f":{port}:")
    start = start.replace("volume journal:", "volume flights-test:")
    for ours in ("--name flights-test ", f":{port}:8000 ", "volume flights-test:"):
        assert ours in start, "the README's command has changed"
    try:
        shell(start, flights)
        assert health("flights-test") == "healthy", run("docker", "logs", "flights-test", cwd=ROOT)
        yield f"http://127.0.0.1:{port}"
    finally:
        run("docker", "rm", "--force", "--volumes", "flights-test", cwd=ROOT)
        run("docker", "volume", "rm", "flights-test", cwd=ROOT)


def health(container: str) -> str:
    """What the engine says of a container, once it knows."""
    for _ in range(120):
        status = inspect(container)["State"]["Health"]["Status"]
        if status != "starting":
            return status
        time.sleep(0.5)
    return "starting"


def inspect(name: str) -> dict[str, Any]:
    return json.loads(run("docker", "inspect", name, cwd=ROOT).stdout)[0]


def cases(project: Path) -> list[dict[str, Any]]:
    """Records, and what the packaged model itself says of them."""
    return json.loads(run("uv", "run", "python", "-c", CASES, cwd=project).stdout)


def predict(address: str, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    request = urllib.request.Request(f"{address}/predict", json.dumps(records).encode())  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def test_the_image_holds_what_it_needs_and_no_more(image: str) -> None:
    rules = ROOT / "tests/rendered/image-structure.yaml"
    run("container-structure-test", "test", "--image", image, "--config", rules, cwd=ROOT)


def test_the_image_is_small_and_says_what_it_is(image: str, flights: Path) -> None:
    image_details = inspect(image)
    assert image_details["Size"] < 350_000_000
    labels = image_details["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == "flights"
    assert labels["org.opencontainers.image.revision"] == git(flights, "rev-parse", "HEAD").strip()


def test_the_same_commit_makes_the_same_image(
    image: str, flights: Path, commands: tuple[str, ...]
) -> None:
    """Every layer and setting; the date is the commit's."""
    again = commands[0].replace("docker build", "docker build --no-cache")
    assert shell(again, flights).split()[-1] == image
    date = time.strftime(
        "%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(git(flights, "log", "-1", "--format=%ct")))
    )
    assert inspect(image)["Created"] == date


def test_the_service_answers_and_keeps_what_it_answered(
    address: str, flights: Path, tmp_path: Path
) -> None:
    """Nothing but its journal can be written to; asked to end, it ends at once and in order."""
    known = cases(flights)
    answers = predict(address, [case["record"] for case in known])
    assert [a["score"] for a in answers] == pytest.approx([c["score"] for c in known], abs=1e-6)

    container = inspect("flights-test")
    assert container["HostConfig"]["ReadonlyRootfs"]
    assert container["Config"]["User"] == "10001:10001"
    write = run("docker", "exec", "flights-test", "touch", "/app/x", cwd=ROOT, check=False)
    assert "Read-only file system" in write.stdout

    began = time.monotonic()
    run("docker", "stop", "flights-test", cwd=ROOT)
    assert time.monotonic() - began < container["Config"]["StopTimeout"]
    assert inspect("flights-test")["State"]["ExitCode"] == 0
    run("docker", "cp", "flights-test:/journal/.", tmp_path, cwd=ROOT)
    with sqlite3.connect(tmp_path / "journal.db") as journal:
        kept = dict(journal.execute("SELECT id, score FROM predictions"))
    assert kept == {answer["id"]: answer["score"] for answer in answers}


def test_a_model_that_was_tampered_with_is_not_served(
    image: str, flights: Path, tmp_path: Path
) -> None:
    other = tmp_path / "model.onnx"
    other.write_bytes((flights / "models/model.onnx").read_bytes() + b"\0")
    other.chmod(0o644)
    mount = f"{other}:/app/models/model.onnx:ro"
    done = run("docker", "run", "--rm", "--volume", mount, image, cwd=ROOT, check=False)
    assert done.returncode == 1
    [sentence] = done.stdout.splitlines()
    assert sentence.startswith("error: models/model.onnx is not the model that was registered")


@pytest.mark.parametrize("answers", STACKS, ids=name_of)
def test_compose_understands_the_stack(
    render: Render, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("POSTGRES", "MLFLOW", "JOURNAL", "GRAFANA"):
        monkeypatch.setenv(f"{name}_PASSWORD", "secret")
    stack = render(answers) / "deploy/compose.yaml"
    run("docker", "compose", "--file", stack, "config", "--quiet", cwd=ROOT)


def test_the_stack_wants_passwords(
    flights: Path, commands: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The README's commands; all is read, nothing started (see test_exchange.py)."""
    _, _, passwords, up = commands
    settings, compose = flights / "deploy/.env", up.split(" up")[0]
    without = run("sh", "-c", f"{compose} config --quiet", cwd=flights, check=False)
    assert re.search(r"Set a password for .* in deploy/\.env", without.stdout)
    try:
        shell(passwords, flights)
        assert "deploy/.env" not in git(flights, "status", "--porcelain")
        shell(f"{compose} config --quiet", flights)
    finally:
        settings.unlink()
