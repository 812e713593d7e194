"""A service that is fit, and each way in which one is not."""

import http.server
import json
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from mlops.core.errors import UserError
from mlops.core.paths import MODEL
from mlops.deployment import probe, readiness
from mlops.serving import app
from mlops.serving.app import create

import served

URL = "http://127.0.0.1:8000"
PROBLEM = "name: p\nobjectives:\n  availability: 0.99\n  latency_ms: 1000\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "_listen", lambda changes: None)
    Path("problem.yaml").write_text(PROBLEM)


@pytest.fixture
def changed(monkeypatch):
    """What the service says, by path, in the place of what it would."""
    return {}


@pytest.fixture(params=["binary", "multiclass", "regression"])
def task(request):
    return request.param


@pytest.fixture
def client(task, changed, monkeypatch):
    with TestClient(create(served.service(task))) as client:

        def ask(url, path, record=None, key=""):
            assert url == URL
            answer = client.get(path) if record is None else client.post(path, json=record)
            return changed.get(path, lambda status, content: (status, content))(
                answer.status_code, answer.json()
            )

        monkeypatch.setattr(probe, "ask", ask)
        yield client


def test_a_service_that_is_fit(client):
    lines = readiness.check_service(URL)
    assert "known cases as it should" in lines[0]
    assert lines[1].startswith("99 of 100 requests took at most ")


@pytest.mark.parametrize("task", ["binary"], indirect=True)
@pytest.mark.parametrize(
    ("path", "change", "why"),
    [
        ("/readyz", lambda *_: (503, {}), "is not ready: /readyz says 503"),
        ("/info", lambda *_: (0, "refused"), "is not ready: /info says refused"),
        ("/predict", lambda *_: (500, "oh"), "says 500 .oh. where its model says"),
        ("/predict", lambda s, a: (s, a | {"score": 0.123}), "says 0.123 where its model says"),
        ("/info", lambda s, a: (s, a | {"sha256": "f" * 64}), "version 3 .ffffffffffff., not"),
    ],
)
def test_it_says_what_is_wrong(client, changed, path, change, why):
    changed[path] = change
    with pytest.raises(UserError, match=why):
        readiness.check_service(URL)


@pytest.mark.parametrize("task", ["binary"], indirect=True)
@pytest.mark.parametrize(
    ("took", "why"),
    [
        (1.5, "problem.yaml:4 objectives.latency_ms: .*: 200 of 200 requests took over 1000 ms"),
        (None, "problem.yaml:3 objectives.availability: .*: 200 of 200 requests failed"),
    ],
)
def test_a_promise_that_is_broken_names_its_line(client, monkeypatch, took, why):
    monkeypatch.setattr(probe, "time_request", lambda url, record, key="": took)
    with pytest.raises(UserError, match=why):
        readiness.check_service(URL)


def test_without_a_model_or_an_address_there_is_nothing_to_check():
    with pytest.raises(UserError, match="write http://HOST:PORT"):
        readiness.check_service("127.0.0.1:8000")
    with pytest.raises(UserError, match="uv run dvc repro"):
        readiness.check_service(URL)


def test_a_release_is_asked_in_its_container_by_the_model_in_it(monkeypatch):
    """The file that asks runs with Python alone; here it is seen to be sent, and what it prints."""
    content = served.packed()
    asked = []

    def inside(*words, stdin=b""):
        if words == ("cat", MODEL.as_posix()):
            return content
        asked.append((words, json.loads(stdin)))
        return b'{"readyz": [503, {}], "info": [503, {}], "answers": [], "seconds": []}'

    with pytest.raises(UserError, match="v2 is not ready"):
        readiness.check_release("v2", inside)
    [(words, sent)] = asked
    assert words[:2] == ("python", "-c")
    assert words[2] == Path(probe.__file__).read_text(encoding="utf-8")
    assert sent["url"] == readiness.PLACE
    assert len(sent["records"]) > 1
    assert readiness.read_model_version(inside) == "unknown"


@pytest.fixture
def address():
    """A server that says {} to whoever gets, and no JSON to whoever posts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200 if self.headers["X-API-Key"] == "k" else 401)
            self.end_headers()
            self.wfile.write(b'{"score": 1}' if self.headers["X-Probe"] else b"oh")

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_probe_asks_over_http(address):
    report = probe.probe_service(address, [{"a": 1}], 3, "k")
    assert report["readyz"] == (200, {})
    assert report["answers"] == [(200, {"score": 1})]
    assert len(report["seconds"]) == 3
    assert all(report["seconds"])
    assert probe.time_request(address, {"a": 1}, "wrong") is None
    assert probe.ask("http://127.0.0.1:9", "/info")[0] == 0


def test_asking_ends_where_it_takes_too_long(monkeypatch):
    monkeypatch.setattr(probe, "time_request", lambda url, record, key="": 1.0)
    monkeypatch.setattr(probe, "LONGEST", -1.0)
    assert len(probe.time_requests(URL, [{}], 200)) == probe.LEAST
