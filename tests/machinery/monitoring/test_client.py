"""The service asked over HTTP: busy, closed, gone."""

import http.server
import json
import threading

import pytest
from mlops.core.errors import UserError
from mlops.monitoring import client
from mlops.monitoring.client import Client

KNOWN = (200, {"model_version": "3"})


@pytest.fixture
def answering():
    """A server that gives the answers in the list, and the headers it was sent."""
    answers, seen = [], []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer()

        def answer(self):
            seen.append(dict(self.headers))
            status, content = answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def do_GET(self):
            self.answer()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers, seen
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_busy_service_is_asked_again(answering, monkeypatch):
    monkeypatch.setattr(client.time, "sleep", lambda _: None)
    url, answers, _ = answering
    answers += [(503, {"detail": "busy"})] * 3 + [(200, {"done": True})]
    assert Client(url).post("/predict", {}) == (200, {"done": True})
    assert not answers


def test_each_kind_of_request_carries_its_key(answering, monkeypatch):
    monkeypatch.setenv("API_KEY", "one")
    monkeypatch.setenv("ADMIN_KEY", "other")
    url, answers, seen = answering
    answers += [(200, {})] * 2
    Client(url).post("/predict", {})
    Client(url).post("/model/swap", {})
    assert [headers["X-Api-Key"] for headers in seen] == ["one", "other"]


def test_a_closed_door_says_which_key_opens_it(answering):
    url, answers, _ = answering
    answers.append((403, {"detail": "this is switched off: the service has no ADMIN_KEY"}))
    with pytest.raises(UserError, match="set ADMIN_KEY as the service has it"):
        Client(url).post("/model/swap", {})


def test_a_service_is_ready_where_a_change_is_refused_for_its_content_only(answering):
    url, answers, _ = answering
    answers += [KNOWN, (422, {"detail": []})]
    answers += [KNOWN, (401, {"detail": "the header X-API-Key is wrong"})]
    Client(url).check_admin()
    with pytest.raises(UserError, match="set ADMIN_KEY"):
        Client(url).check_admin()


@pytest.mark.parametrize(
    "told", [(200, {"status": "up"}), (404, {"detail": "Not Found"}), (200, 1)]
)
def test_another_server_is_told_from_this_service(answering, told):
    url, answers, _ = answering
    answers += [KNOWN, told, told]
    Client(url).check_identity()
    with pytest.raises(UserError, match=f"^{url} is not this project's service"):
        Client(url).check_identity()
    with pytest.raises(UserError, match="is not this project's service"):
        Client(url).check_admin()


def test_what_does_not_answer_is_one_sentence(answering):
    url, answers, _ = answering
    answers.append((500, {}))
    with pytest.raises(UserError, match="/info answers with 500"):
        Client(url).get("/info")
    with pytest.raises(UserError, match="start the service, or correct --url"):
        Client("http://127.0.0.1:9").get("/info")
    with pytest.raises(UserError, match="is not the address of a service"):
        Client("localhost:8000")
