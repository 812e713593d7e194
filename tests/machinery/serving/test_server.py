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
from mlops.serving.connection import MOST_HEAD
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


def connect(address):
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def said(connection):
    """The status that a connection was answered with; "" if it was ended."""
    try:
        return connection.recv(100).decode()[9:12]
    except ConnectionError:
        return ""


def test_a_head_without_end_is_refused_after_a_stated_size():
    with running() as process:
        for start in (b"GET /healthz HTTP/1.1\r\nX-A: ", b"GET /"):
            with connect(process.address) as connection:
                connection.sendall(start + b"a" * (MOST_HEAD + 1))
                assert said(connection) == "431"
            with connect(process.address) as connection:  # in one piece with its end
                connection.sendall(start + b"a" * MOST_HEAD + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                assert said(connection) == "431"
        with connect(process.address) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nX-A: " + b"a" * 10_000 + b"\r\n\r\n")
            assert said(connection) == "200"


def test_who_sends_too_slowly_or_hangs_up_is_no_failure_of_the_service():
    half = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{"
    with running(MAX_SECONDS="1") as process:
        for _ in range(5):
            with connect(process.address) as connection:
                connection.sendall(half)
                time.sleep(0.05)
        slow, silent, head = (connect(process.address) for _ in range(3))
        slow.sendall(half)
        head.sendall(half[:30])
        assert said(slow) == "408"
        assert said(silent) == said(head) == ""  # ended before a request was there
        with urllib.request.urlopen(f"{process.address}/metrics", timeout=30) as answer:  # noqa: S310
            page = answer.read().decode()
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert 'requests_total{path="/predict",status="499"} 5.0' in page
    assert 'requests_total{path="/predict",status="408"} 1.0' in page
    assert 'path="/predict",status="5' not in page
    assert 'request_seconds_count{path="/predict"}' not in page
    assert "raceback" not in output


def test_a_refused_body_is_answered_before_the_connection_is_closed():
    """What is left of it is read, else the system would reset the connection, answer and all."""
    with running(API_KEY="s3cret") as process, connect(process.address) as connection:
        start = b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        connection.sendall(start + b"Content-Length: 900000\r\n\r\n")
        time.sleep(0.2)
        connection.sendall(b" " * 900_000)
        assert said(connection) == "401"
        while connection.recv(100):
            pass


def test_connections_that_only_wait_make_room():
    sent = served.records(rows=1)[0]
    with running(MAX_CONNECTIONS="20") as process:
        waiting = [connect(process.address) for _ in range(60)]
        for _ in range(5):
            assert ask(process.address, "/predict", sent)["model_version"] == "3"
        assert said(waiting[0]) == ""


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
