"""The service as a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from urllib.error import URLError

import pytest
from mlops.serving.options import Options

import served

PACKAGE = served.Service.__module__.split(".")[0]
unix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    served.register(served.packed())


@contextmanager
def running(**environment):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("MLFLOW")}
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops.serving.server"],
        env=inherited | {"HOST": "127.0.0.1", "PORT": port} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    process.address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            if process.poll() is not None or _is_ready(process.address):
                break
            time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_port_that_is_taken_is_one_sentence():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with running(PORT=str(port)) as process:
            output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.startswith(
        f"error: port {port} is taken: stop what uses it, or choose another by"
    )
    assert output.count("\n") == 1


def _is_ready(address):
    try:
        return ask(address, "/readyz") == {"status": "ready"}
    except URLError:
        return False


def ask(address, path, content=None):
    body = None if content is None else json.dumps(content).encode()
    with urllib.request.urlopen(f"{address}{path}", body, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read())


@unix
def test_it_is_stopped_without_losing_what_it_answered():
    sent, answered = served.records(rows=1)[0], []

    with running(LOG_LEVEL="debug") as process:

        def go_on():
            try:
                while True:
                    answered.append(ask(process.address, "/predict", sent)["id"])
            except OSError:
                pass  # it has stopped

        clients = [threading.Thread(target=go_on) for _ in range(4)]
        for client in clients:
            client.start()
        while len(answered) < 100:
            assert any(client.is_alive() for client in clients), "it does not answer"
            time.sleep(0.01)
        process.terminate()
        output, _ = process.communicate(timeout=30)
        for client in clients:
            client.join()
        assert process.returncode in (0, -signal.SIGTERM)  # uvicorn ends as it was asked to
    assert set(answered) <= set(served.journal()[0]["id"])
    for line in output.splitlines():
        assert {"at", "level", "message"} <= json.loads(line).keys()


@unix
def test_signals_swap_the_model_and_roll_it_back():
    other = served.packed(seed=1)
    served.register(served.packed())  # to pack the other has left it in its place
    with running() as process:
        served.register(other, version=4)
        for number, name in ((signal.SIGHUP, "4"), (signal.SIGUSR1, "3")):
            process.send_signal(number)
            _until(lambda name=name: ask(process.address, "/info")["model_version"] == name)
        served.register(other, version=5, champion=False)
        process.send_signal(signal.SIGHUP)
        line = next(line for line in process.stdout if "not changed" in line)
        assert "version 5 is not the champion" in json.loads(line)["reason"]
        assert ask(process.address, "/info")["model_version"] == "3"


def _until(reached):
    for _ in range(200):
        if reached():
            return
        time.sleep(0.05)
    raise AssertionError


@unix
@pytest.mark.parametrize("durable", ["false", "true"])
def test_killed_it_has_lost_no_more_than_the_window(durable):
    """What is lost came last. WINDOW is 0.1 s; on a slow machine a write may take much longer."""
    sent, answered, begun = served.records(rows=1)[0], [], time.monotonic()
    with running(JOURNAL_DURABLE=durable) as process:
        while len(answered) < 300 or time.monotonic() - begun < 6:
            answered.append((ask(process.address, "/predict", sent)["id"], time.monotonic()))
        killed = time.monotonic()
        process.kill()
        process.wait()
    kept = set(served.journal()[0]["id"])
    held = [made in kept for made, _ in answered]
    assert held == sorted(held, reverse=True)
    lost = [killed - when for made, when in answered if made not in kept]
    assert max(lost, default=0) < (3 if durable == "false" else 1e-9)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "abc", "PORT: input should be a valid integer"),
        ("MAX_RECORDS", "many", "MAX_RECORDS: input should be a valid integer"),
        ("UNEXPECTED", "ignore", "UNEXPECTED: input should be 'refuse' or 'score'"),
        ("JOURNAL_URL", "mysql://x", "JOURNAL_URL must be"),
        ("MODEL_URI", "nothing.onnx", "nothing.onnx is not there"),
        ("MODEL_SHA256", "0" * 64, "not the model that was registered"),
    ],
)
def test_a_wrong_setting_is_one_sentence(name, value, words):
    with running(**{name: value}) as process:
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 1
    assert output.startswith("error: ")
    assert words in output
    assert len(output.splitlines()) == 1


def test_every_setting_explains_itself():
    assert all(field.description for field in Options.model_fields.values())
