"""Releases with Docker Compose, on a stand-in of the host that keeps containers and traffic."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from mlops.core.errors import UserError
from mlops.core.paths import COMPOSE
from mlops.deployment.target import Place

compose_target = pytest.importorskip("mlops.deployment.compose.compose_target")
compose_stack = pytest.importorskip("mlops.deployment.compose.compose_stack")
STAGING = Place("staging", "ssh://jo@host", {"PATH": "/bin"})
STATES = {"ready": "UP", "drain": "DRAIN", "maint": "MAINT"}
OLD, NEW = "localhost/flights:old", "localhost/flights:new"


class Host:
    """Its containers and what the proxy does with them, by slot; `log` is that of deployments."""

    def __init__(self):
        self.containers, self.log, self.locked = {}, [], False
        self.traffic = dict.fromkeys(compose_stack.SLOTS, "MAINT")
        self.environments = []

    def docker(self, *command, stdin=b"", env=None):
        self.environments.append(env)
        match command:
            case ("compose", *_, slot) if slot in self.traffic:
                self.containers[slot] = self.container(slot, env, "--no-start" not in command)
            case ("container", "ls", *_):
                return " ".join(self.containers).encode()
            case ("container", "inspect", *slots):
                return json.dumps([self.containers[slot] for slot in slots]).encode()
            case ("container", "rm", slot):
                del self.containers[slot]
            case ("container", "start" | "stop" as action, slot):
                self.containers[slot]["State"]["Running"] = action == "start"
            case ("exec", _, "sh", "-c", _, "proxy", request):
                return self.ask_proxy(request).encode()
            case ("exec", *_, words) if words.startswith("cat >>"):
                self.log.append(stdin.decode().strip())
            case ("exec", *_, words) if words.startswith("test ! -e"):
                return "\n".join(self.log).encode()
            case ("exec", *_, words) if words.startswith("cat "):
                return b"ada"
        return b""

    def try_docker(self, arguments, env=None):
        return SimpleNamespace(returncode=int(self.locked))

    def container(self, slot, env, running):
        labels = {"com.docker.compose.service": slot, compose_target.IMAGE: env["DEPLOYED_IMAGE"]}
        return {
            "Id": slot,
            "Image": env["IMAGE"],
            "RestartCount": 0,
            "State": {"Running": running, "StartedAt": "2014-01-01T00:00:00Z"},
            "NetworkSettings": {"Networks": {"one": {"IPAddress": f"10.0.0.{len(slot)}"}}},
            "Config": {"Labels": labels},
        }

    def ask_proxy(self, request):
        if request == "show stat":
            rows = [f"releases,{slot},{state},0" for slot, state in self.traffic.items()]
            return "\n".join(["# pxname,svname,status,scur", *rows])
        if request.startswith("show servers"):
            rows = [f"{slot} 10.0.0.{len(slot)}" for slot in self.traffic]
            return "\n".join(["1", "# srv_name srv_addr", *rows])
        _, _, server, _, state = request.split()
        self.traffic[server.partition("/")[2]] = STATES[state]
        return ""


@pytest.fixture(autouse=True)
def host(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    COMPOSE.parent.mkdir()
    services = {name: {} for name in ("blue", "green", "proxy", "grafana")}
    Path(COMPOSE).write_text(yaml.safe_dump({"name": "f", "services": services, "volumes": {}}))
    host = Host()
    monkeypatch.setattr(compose_stack, "docker", host.docker)
    monkeypatch.setattr(compose_stack, "try_docker", host.try_docker)
    monkeypatch.setattr(compose_stack, "inspect_image", lambda name, env: {"Id": f"id of {name}"})
    monkeypatch.setattr(compose_target, "check_release", lambda name, run, times: ["it answers"])
    monkeypatch.setattr(compose_target, "is_ready", lambda run: True)
    monkeypatch.setattr(compose_target, "read_model_version", lambda run: "3")
    return host


def test_two_slots_take_turns_and_the_release_before_comes_back_once(host):
    compose_target.deploy(OLD, STAGING)
    lines = compose_target.deploy(NEW, STAGING)
    assert lines == ["it answers", f"{NEW} is in service, in staging"]
    assert host.traffic == {"blue": "MAINT", "green": "UP"}
    in_service, before, *steps = compose_target.describe(STAGING)
    assert in_service.startswith(f"staging: version 3 of the model, {NEW} (id of ")
    assert before.startswith(f"before it: {OLD} (id of ")
    assert [step.partition("  ")[2] for step in steps] == [
        f"deployed    {image}, by ada" for image in (OLD, NEW)
    ]
    assert compose_target.roll_back(STAGING)[-1] == f"{OLD} is in service again, in staging"
    assert host.traffic == {"blue": "UP", "green": "MAINT"}
    assert set(host.containers) == {"blue"}
    with pytest.raises(UserError, match="staging has no release to go back to"):
        compose_target.roll_back(STAGING)


def test_a_release_that_is_unfit_leaves_all_as_it_was(host, monkeypatch):
    compose_target.deploy("localhost/flights:oldest", STAGING)
    compose_target.deploy(OLD, STAGING)

    def refuse(name, run, times):
        raise UserError("it is slow.")

    monkeypatch.setattr(compose_target, "check_release", refuse)
    with pytest.raises(UserError, match="it is slow"):
        compose_target.deploy(NEW, STAGING)
    in_service, before, *_ = compose_target.describe(STAGING)
    assert OLD in in_service
    assert "localhost/flights:oldest" in before
    assert host.traffic == {"blue": "MAINT", "green": "UP"}


def test_what_is_in_service_already_is_not_started_again(host):
    compose_target.deploy(OLD, STAGING)
    assert compose_target.deploy(OLD, STAGING) == [f"{OLD} is in service already, in staging"]
    assert set(host.containers) == {"blue"}


def test_docker_runs_in_the_environment_of_the_delivery(host):
    compose_target.deploy(OLD, STAGING)
    assert {(env["PATH"], env["DOCKER_HOST"]) for env in host.environments} == {
        ("/bin", "ssh://jo@host")
    }


def test_one_deploys_at_a_time(host):
    host.locked = True
    with pytest.raises(UserError, match="ada is deploying to staging: wait until"):
        compose_target.deploy(OLD, STAGING)
    assert not host.containers


def test_before_the_first_release_nothing_is_in_service():
    assert compose_target.describe(STAGING) == ["staging: nothing is in service"]
    with pytest.raises(UserError, match="staging: nothing is in service; 'deploy up' brings"):
        compose_target.open_release(STAGING)
    with pytest.raises(UserError, match="'Moon' is not an environment"):
        compose_target.describe(Place("Moon"))


def test_who_deploys_need_not_know_what_the_rest_is_told():
    services = {"blue": {}, "green": {"depends_on": ["journal"]}, "proxy": {}, "journal": {}}
    whole = {"services": services | {"grafana": {}}, "volumes": {"journal": None}}
    assert compose_stack.select_services(whole) == {
        "services": services,
        "volumes": {"journal": None},
    }
