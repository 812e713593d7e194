"""A release waits for the owner in problem.yaml, or the run says that nobody was asked."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import yaml
from mlops.core.errors import UserError
from mlops.deployment.approval import check_approval

TEAM = {"type": "Team", "reviewer": {"slug": "business", "name": "Business"}}
PERSON = {"type": "User", "reviewer": {"login": "Jo"}}


@pytest.fixture
def github(tmp_path, monkeypatch):
    """Stands in for GitHub; returns what sets the reviewers of production. The owner is a team."""
    monkeypatch.chdir(tmp_path)
    own("@acme/business")
    environment = {"protection_rules": [{"type": "branch_policy"}]}
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["Authorization"]))
            known = self.path == "/repos/acme/flights/environments/production"
            self.send_response(200 if known else 404)
            self.end_headers()
            self.wfile.write(json.dumps(environment if known else {}).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/flights")
    monkeypatch.setenv("GITHUB_TOKEN", "hush")

    def reviewers(*who):
        environment["protection_rules"].append(
            {"type": "required_reviewers", "reviewers": list(who)}
        )
        return asked

    yield reviewers
    server.shutdown()
    server.server_close()


def own(owner):
    with open("problem.yaml", "w", encoding="utf-8") as file:
        yaml.safe_dump({"name": "Flights", "owners": {"business_owner": owner}}, file)


def test_the_owner_is_asked_as_a_team(github):
    asked = github(PERSON, TEAM)
    assert check_approval("production") == [
        "production: @acme/business is asked before a release goes into service"
    ]
    assert asked == [("/repos/acme/flights/environments/production", "Bearer hush")]


def test_or_as_a_person_however_the_name_is_written(github):
    own("@jo")
    github(PERSON)
    assert "@jo is asked" in check_approval("production")[0]


def test_an_environment_that_asks_nobody_is_refused(github):
    with pytest.raises(UserError, match="'production' asks nobody before a release") as refused:
        check_approval("production")
    assert "not @acme/business (problem.yaml:3 owners.business_owner" in str(refused.value)
    assert "make them a required reviewer in its settings" in str(refused.value)


def test_one_that_asks_somebody_else_is_refused(github):
    github(PERSON)
    with pytest.raises(UserError, match="asks @Jo before"):
        check_approval("production")


def test_an_environment_that_is_not_there_is_one_sentence(github):
    with pytest.raises(UserError, match="does not say who approves for 'another': HTTP Error 404"):
        check_approval("another")


def test_outside_a_workflow_there_is_nothing_to_ask(github, monkeypatch):
    monkeypatch.delenv("GITHUB_TOKEN")
    with pytest.raises(UserError, match="this runs in a workflow"):
        check_approval("production")


def test_the_owner_may_start_the_delivery_instead(github, monkeypatch):
    """Not every plan of GitHub has reviewers."""
    own("@jo")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "workflow_dispatch")
    monkeypatch.setenv("GITHUB_TRIGGERING_ACTOR", "Jo")
    assert check_approval("production") == ["production: @jo started this delivery"]


@pytest.mark.parametrize(
    ("event", "actor"),
    [("workflow_dispatch", "mallory"), ("push", "jo"), ("workflow_dispatch", "")],
)
def test_nobody_else_may_and_a_push_does_not_count(github, monkeypatch, event, actor):
    own("@jo")
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    monkeypatch.setenv("GITHUB_TRIGGERING_ACTOR", actor)
    with pytest.raises(UserError, match="asks nobody before a release"):
        check_approval("production")
