"""A release takes the place of another while users ask, and not one of them is refused.

With the commands of deploy/README.md, a real engine, and the proxy of deploy/compose.yaml (where
its image cannot be had, Debian's HAProxy stands in for it). Bad releases are made of the good one.
"""

import http.client
import json
import os
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine import have_proxy
from imaged import IMAGE
from servers import free_ports, ssh_server
from support import ROOT, git, run
from test_image import cases, inspect
from test_readme import blocks

pytestmark = [pytest.mark.slow, pytest.mark.engine]

KEY = "open-sesame"
ANSWERS = "        answers = model.answers(values)\n"
SERVICE = "src/mlops/serving/service.py"
# What the next releases differ in: each is the first one with a change of its own.
CHANGES = {
    "next": "",
    "broken": "echo x >> models/model.onnx",
    "wrong": f"sed -i 's/^{ANSWERS[:-1]}$/&; answers[0][\"score\"] += 0.01/' {SERVICE}",
    "slow": f"sed -i 's/^{ANSWERS[:-1]}$/&; __import__(\"time\").sleep(0.7)/' {SERVICE}",
}
BLOCKED = {
    "broken": "does not start; it says: error: models/model.onnx is not the model that was",
    "wrong": "where its model says",
    "slow": "objectives.latency_ms",
}


class Users:
    """Ask all the time, over connections that last and over new ones; `seen` counts what came."""

    def __init__(self, port: int, record: dict[str, Any]) -> None:
        self.port, self.body, self.seen = port, json.dumps(record), Counter[str]()
        self.done = threading.Event()

    @contextmanager
    def asking(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.ask, args=(keep,)) for keep in (True, False) * 2]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.done.set()
            for thread in threads:
                thread.join()

    def ask(self, keep: bool) -> None:
        connection = None
        while not self.done.wait(0.02):
            if connection is None or not keep:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                connection.request("POST", "/predict", self.body, {"X-API-Key": KEY})
                answer = connection.getresponse()
                answer.read()
                self.seen[str(answer.status)] += 1
            except (OSError, http.client.HTTPException) as error:
                self.seen[repr(error)] += 1
                connection = None


class Host:
    """Where the project deploys to, by the commands of its README."""

    def __init__(self, project: Path, environment: str) -> None:
        self.project, self.environment = project, environment
        self.commands = [
            line
            for block in blocks(project / "deploy/README.md")
            for line in block.splitlines()
            if " deploy " in line
        ]

    def deploy(self, what: str, *, fails: bool = False, name: str = IMAGE, port: int = 0) -> str:
        command = next(line for line in self.commands if f" deploy {what}" in line)
        command = command.replace("localhost/flights", name).replace(":8000", f":{port}")
        if what != "check":
            command += f" --environment {self.environment}"
        done = run("sh", "-c", command, cwd=self.project, check=not fails)
        assert (done.returncode == 1) == fails, done.stdout
        return done.stdout

    def in_service(self) -> str:
        return self.deploy("status").splitlines()[0]

    def log(self) -> list[dict[str, str]]:
        proxy = f"flights-{self.environment}-proxy-1"
        shown = run("docker", "exec", proxy, "cat", "/deployments/log.jsonl", cwd=ROOT).stdout
        return [json.loads(line) for line in shown.splitlines()]


@pytest.fixture(scope="module")
def releases(
    image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], str]]:
    """The name of an image with one of the CHANGES; made once."""
    made: dict[str, str] = {}

    def release(name: str) -> str:
        if name not in made:
            made[name] = f"{IMAGE}:{name}"
            bytecode = "find src -name '*.pyc' -delete"
            recipe = f"FROM {IMAGE}\nUSER 0\nLABEL change={name}\n"
            recipe += f"RUN {CHANGES[name] or 'true'} && {bytecode}\nUSER 10001:10001\n"
            build = (
                f"printf '%s' \"$RECIPE\" | docker build --quiet --network host -t {made[name]} -"
            )
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("RECIPE", recipe)
                run("sh", "-ec", build, cwd=ROOT)
        return made[name]

    yield release
    for name in made.values():
        run("docker", "image", "rm", "--force", name, cwd=ROOT)


@pytest.fixture(scope="module")
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def host(image: str, flights: Path, port: int) -> Iterator[Host]:
    """With nothing in service yet, and no password but the key of the service itself."""
    have_proxy()
    environment = f"exchange-{os.getpid()}"
    settings = flights / f"deploy/{environment}.env"
    settings.write_text(f"API_KEY={KEY}\nSERVICE_ADDRESS=127.0.0.1:{port}\n", encoding="utf-8")
    problem = flights / "problem.yaml"
    promised = problem.read_text(encoding="utf-8")
    # However busy the machine is with these tests, only the slow release is slow.
    assert "latency_ms: 100 " in promised
    problem.write_text(promised.replace("latency_ms: 100 ", "latency_ms: 500 "), encoding="utf-8")
    try:
        yield Host(flights, environment)
    finally:
        settings.unlink()
        problem.write_text(promised, encoding="utf-8")
        project = f"flights-{environment}"
        ours = f"label=com.docker.compose.project={project}"
        for kind, remove in (("container", "rm -f -v"), ("volume", "rm"), ("network", "rm")):
            every = "--all" if kind == "container" else ""
            names = f"docker {kind} ls {every} --quiet --filter {ours}"
            run("sh", "-ec", f"{names} | xargs --no-run-if-empty docker {kind} {remove}", cwd=ROOT)


@pytest.fixture
def users(host: Host, flights: Path, port: int) -> Users:
    return Users(port, cases(flights)[0]["record"])


def test_nothing_is_in_service_and_there_is_no_way_back(host: Host) -> None:
    assert host.deploy("status") == f"{host.environment}: nothing is in service\n"
    assert "has no release to go back to" in host.deploy("rollback", fails=True)


def test_a_first_release_that_is_bad_leaves_nothing(
    host: Host, releases: Callable[[str], str]
) -> None:
    assert BLOCKED["broken"] in host.deploy("up", name=releases("broken"), fails=True)
    assert host.deploy("status") == f"{host.environment}: nothing is in service\n"


def test_the_first_release(host: Host, flights: Path, port: int) -> None:
    output = host.deploy("up")
    assert "known cases as it should" in output
    commit = git(flights, "rev-parse", "HEAD").strip()
    assert f"commit {commit[:12]}" in host.in_service()
    assert "is in service already" in host.deploy("up")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("API_KEY", KEY)
        assert "known cases as it should" in host.deploy("check", port=port)
    assert "401" in host.deploy("check", port=port, fails=True)


def test_one_deploys_at_a_time(host: Host) -> None:
    """Who was killed keeps others out for a while only."""
    proxy = f"flights-{host.environment}-proxy-1"

    def within(command: str) -> str:
        return run("docker", "exec", "-u", "0", proxy, "sh", "-ec", command, cwd=ROOT).stdout

    within("echo jo > /deployments/lock")
    assert f"jo is deploying to {host.environment}: wait" in host.deploy("up", fails=True)
    assert f"jo is deploying to {host.environment}: wait" in host.deploy("rollback", fails=True)
    within("touch -t 202601010000 /deployments/lock")
    assert "is in service already" in host.deploy("up")
    assert within("ls /deployments").split() == ["log.jsonl"]


def test_no_request_fails_whatever_is_deployed(
    host: Host,
    releases: Callable[[str], str],
    users: Users,
) -> None:
    """The next release, three bad ones that are taken away again, and the way back."""
    with users.asking():
        host.deploy("up", name=releases("next"))
        for bad, why in BLOCKED.items():
            output = host.deploy("up", name=releases(bad), fails=True)
            assert output.startswith("error: ")
            assert why in output
            assert f"{IMAGE}:next (" in host.in_service()
        assert f"{IMAGE} is in service again" in host.deploy("rollback")
        assert f"{IMAGE} (" in host.in_service()
        assert "has no release to go back to" in host.deploy("rollback", fails=True)
        host.deploy("up", name=releases("next"))
        assert f"{IMAGE}:next (" in host.in_service()
    assert {*users.seen} == {"200"}, users.seen
    assert users.seen["200"] > 500
    steps = [(step["what"], step["image"]) for step in host.log()]
    assert steps == [
        ("deployed", IMAGE),
        ("deployed", f"{IMAGE}:next"),
        ("rolled back", IMAGE),
        ("deployed", f"{IMAGE}:next"),
    ]
    assert {step["who"] for step in host.log()} == {"tester@acme.example"}


def test_the_journal_is_copied_from_the_release_in_service(
    host: Host, flights: Path, tmp_path: Path
) -> None:
    """All that any release has written there."""
    shutil.copytree(flights / "deploy", tmp_path / "deploy")
    pull = ["monitor", "pull", "--environment", host.environment]
    run(flights / ".venv/bin/flights", *pull, cwd=tmp_path)
    with closing(sqlite3.connect(tmp_path / "journal" / "journal.db")) as journal:
        [[kept]] = journal.execute("SELECT count(*) FROM predictions")
    assert kept > 500


def test_only_one_release_runs_and_the_proxy_finds_it_again(host: Host, users: Users) -> None:
    """After a restart of the host, too."""
    running = [inspect(f"flights-{host.environment}-{slot}-1") for slot in ("blue", "green")]
    assert sorted(each["State"]["Running"] for each in running) == [False, True]
    proxy = f"flights-{host.environment}-proxy-1"
    run("docker", "restart", proxy, cwd=ROOT)
    host.deploy("up", name=f"{IMAGE}:next")  # in service already, so it only waits for the proxy
    with users.asking():
        assert f"{IMAGE}:next (" in host.in_service()
    assert users.seen["200"]


def test_a_watch_ends_as_soon_as_a_promise_is_broken(
    host: Host,
    flights: Path,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_KEY", KEY)
    where = ["--environment", host.environment, "--for", "3s"]
    watch = ["uv", "run", "flights", "deploy", "watch", f"http://127.0.0.1:{port}", *where]
    assert "the objectives held for 3s" in run(*watch, cwd=flights).stdout
    monkeypatch.setenv("API_KEY", "wrong")
    broken = run(*watch, cwd=flights, check=False)
    assert broken.returncode == 1
    assert "objectives.availability: http://127.0.0.1" in broken.stdout
    assert "is not a length of time" in run(*watch[:-1], "soon", cwd=flights, check=False).stdout


def test_a_host_is_reached_by_ssh(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the key and the known host that the environment of the repository hands out."""
    there = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST") if name in os.environ}
    with ssh_server(**there) as server:
        at = urlsplit(server.url)
        assert server.keyfile
        scanned = run("ssh-keyscan", "-p", str(at.port), "127.0.0.1", cwd=ROOT).stdout
        monkeypatch.setenv("DOCKER_HOST", f"ssh://{at.netloc}")
        monkeypatch.setenv("SSH_KEY", server.keyfile.read_text(encoding="utf-8"))
        monkeypatch.setenv("SSH_KNOWN_HOSTS", scanned)
        assert f"{IMAGE}:next (" in host.in_service()
        assert f"{IMAGE} is in service again" in host.deploy("rollback")
        host.deploy("up", name=f"{IMAGE}:next")
        monkeypatch.setenv("SSH_KNOWN_HOSTS", scanned.replace("127.0.0.1", "host.example"))
        assert "Host key verification failed" in host.deploy("status", fails=True)
