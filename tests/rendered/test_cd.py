"""From main to production, executed: cd.yml and rollback.yml of a rendered project, by `act`, with
a real engine and a real registry. Staging and production are two stacks of Compose on this machine.

Only GitHub itself is not here: nobody approves, and nothing is attested (see tests/actions.py).
"""

import json
import os
import re
import shutil
import tarfile
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from actions import Run, act
from engine import have_image, have_proxy
from servers import free_ports, image_registry
from support import ROOT, Render, commit, git, run

pytestmark = [pytest.mark.slow, pytest.mark.engine]

JOBS = ("model", "image", "staging", "production")
KEY = "a-key-of-the-service"
CALM = "        role = PROBE if _is_probe(request, options.admin_key) else CHAMPION\n"
TIRED = f"{CALM}        await asyncio.sleep(0 if 'x-probe' in request.headers else 0.8)\n"
"""A service that keeps its promise to those who check it, and is slow, but not wrong, for users."""


class Company(NamedTuple):
    """A project, and what its repository's settings on the code host hold."""

    project: Path
    store: Path
    url: str
    settings: dict[str, dict[str, Any]]

    def act(self, event: str, workflow: str, without: str = "", watch: str = "15s") -> Run:
        secrets = {name: text for name, text in self.settings["secrets"].items() if name != without}
        variables = {**self.settings["variables"], "WATCH": watch}
        settings = {**self.settings, "secrets": secrets, "variables": variables}
        ran = act(self.project, event, workflow, store=self.store, **settings)
        if workflow == "cd.yml":
            assert ran.pop("notice").conclusion == "skipped"
        return ran

    def made(self, name: str) -> Any:
        """A file of the newest release."""
        return json.loads((self.store / "artifacts/release/dist" / name).read_text())

    def record(self) -> Any:
        """One whose answer the model knows."""
        show = "import json; from mlops.scoring.predictor import Predictor; "
        show += "print(json.dumps(Predictor().meta['cases'][0]['record']))"
        model = self.store / "artifacts/release/models/model.onnx"
        (self.project / "models").mkdir(exist_ok=True)
        shutil.copy(model, self.project / "models")
        return json.loads(run("uv", "run", "python", "-c", show, cwd=self.project).stdout)

    def in_service(self, environment: str = "production") -> str:
        options = ["flights", "deploy", "status", "--environment", environment]
        return run("uv", "run", *options, cwd=self.project).stdout.splitlines()[0]


@pytest.fixture(scope="module")
def company(
    docker: None, set_up: Render, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Company]:
    """Its pipeline has run, its key may sign, and its promise is one that a busy machine keeps."""
    folder, made = tmp_path_factory.mktemp("cd"), set_up({})
    run("uv", "run", "dvc", "repro", cwd=made)
    project, store = folder / "flights", folder / "store"
    shutil.copytree(made, project, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    problem = project / "problem.yaml"
    problem.write_text(re.sub("  latency_ms: 100", "  latency_ms: 500", problem.read_text()))
    run("uv", "run", "dvc", "commit", "--force", cwd=project)  # it changes nothing of the model
    (store / "caches").mkdir(parents=True)
    with tarfile.open(store / "caches/dvc-0.tar", "w") as cache:
        cache.add(project / ".dvc/cache", ".dvc/cache")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key", cwd=folder)
    with (project / "deploy/allowed_signers").open("a", encoding="utf-8") as signers:
        signers.write(f'cd@acme namespaces="release" {(folder / "key.pub").read_text()}')
    commit(project, "A key that signs")
    have_image("python:3.11-slim")
    have_proxy()
    staging, production = free_ports(2)
    with image_registry() as registry, alone(folder):
        settings = {
            "secrets": {
                "SIGNING_KEY": (folder / "key").read_text(),
                "REGISTRY_PASSWORD": "nobody-asks-for-it",
            },
            "variables": {
                "REGISTRY": f"{registry}/Acme/flights",
                "DOCKER_HOST": os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"),
                "UNATTENDED": "true",
                "CD": "on",
            },
            "environments": {
                name: {
                    "SERVICE_ENV": f"API_KEY={KEY}\nSERVICE_ADDRESS=127.0.0.1:{port}",
                    "SERVICE_URL": f"http://127.0.0.1:{port}",
                }
                for name, port in (("staging", staging), ("production", production))
            },
        }
        yield Company(project, store, f"http://127.0.0.1:{production}", settings)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """A `docker` with settings of its own, which builds with the host's network: behind a firewall
    only that reaches the registries of packages. What it started and fetched is gone at the end.
    """
    config, program = folder / "docker", folder / "bin" / "docker"
    plugins = Path(os.environ.get("DOCKER_CONFIG", "~/.docker")).expanduser() / "cli-plugins"
    config.mkdir()
    if plugins.exists():
        (config / "cli-plugins").symlink_to(plugins.resolve())
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\n[ "$1" = build ] && shift && set -- build --network=host "$@"\n'
        f'exec {shutil.which("docker")} "$@"\n'
    )
    program.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_CONFIG", str(config))
        patch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        try:
            yield
        finally:
            for name in ("flights", "flights-staging"):
                ours = f"--filter=label=com.docker.compose.project={name}"
                for kind, remove in (("container", "--force"), ("network", ""), ("volume", "")):
                    all_of_them = ["--all"] if kind == "container" else []
                    listed = run("docker", kind, "ls", "--quiet", *all_of_them, ours, cwd=ROOT)
                    if found := listed.stdout.split():
                        run("docker", kind, "rm", *filter(None, [remove]), *found, cwd=ROOT)
            images = run("docker", "image", "ls", "--quiet", "*/acme/flights", cwd=ROOT).stdout
            if images:
                run("docker", "image", "rm", "--force", *dict.fromkeys(images.split()), cwd=ROOT)


@contextmanager
def ask_all_the_time(company: Company) -> Iterator[Counter[int]]:
    """Somebody who asks production all the time; what was answered, by status (0: nothing)."""
    answers: Counter[int] = Counter()
    over = threading.Event()
    question = urllib.request.Request(  # noqa: S310
        f"{company.url}/predict", json.dumps(company.record()).encode(), {"X-API-Key": KEY}
    )

    def ask() -> None:
        while not over.wait(0.2):
            try:
                with urllib.request.urlopen(question, timeout=20) as answer:  # noqa: S310
                    answers[answer.status] += 1
            except urllib.error.HTTPError as error:
                answers[error.code] += 1
            except OSError:
                answers[0] += 1

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        yield answers
    finally:
        over.set()
        asker.join()


def test_without_the_key_that_signs_nothing_begins(company: Company) -> None:
    ran = company.act("push", "cd.yml", without="SIGNING_KEY")
    assert ran.conclusions == dict.fromkeys(JOBS, "skipped") | {"model": "failure"}
    assert ran["model"].steps["Is anything missing?"] == "failure"
    assert "The environment 'release' of the repository lacks the secret SIGNING_KEY (" in ran.log


@pytest.fixture(scope="module")
def first(company: Company) -> Run:
    """The first deployment of all: no champion, no release, no service before it."""
    return company.act("push", "cd.yml")


def test_main_goes_into_service(company: Company, first: Run) -> None:
    assert first.conclusions == dict.fromkeys(JOBS, "success"), first.log
    release, head = company.made("release.json"), git(company.project, "rev-parse", "HEAD").strip()
    assert release["commit"] == head
    assert release["image"].startswith(
        f"{company.settings['variables']['REGISTRY'].lower()}@sha256:"
    )
    assert first["image"].summary == f"### {release['image']}\n"
    for environment in ("staging", "production"):
        assert release["image"] in company.in_service(environment)
        assert head[:12] in company.in_service(environment)
    assert first["production"].summary.startswith("production: version 1 of the model")
    assert "Roll back" not in first["production"].steps


def test_the_list_of_what_it_holds_is_true(company: Company, first: Run) -> None:
    """By the schema, for the image, the model and the data; each part is really in it."""
    release, bill = company.made("release.json"), company.made("sbom.cdx.json")
    whole = (company.store / "artifacts/release/dist/sbom.cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(whole) is None
    parts = {part["bom-ref"]: part for part in bill["components"]}
    model, data = parts["model"], parts["data"]
    assert model["type"] == "machine-learning-model"
    assert model["hashes"] == [{"alg": "SHA-256", "content": release["model_sha256"]}]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {"roc_auc", "value"} <= {metric["type"] for metric in metrics}
    assert (data["type"], data["version"]) == ("data", release["data_version"])
    assert {"ref": "model", "dependsOn": ["data"]} in bill["dependencies"]
    listing = ["docker", "run", "--rm", "--entrypoint", "sh", release["image"], "-c"]
    held = run(*listing, "ls -d /venv/lib/python*/site-packages/*.dist-info", cwd=ROOT).stdout
    listed = {ref.partition("@")[0] for ref in parts if ref.startswith("pkg:pypi/")}
    names = {Path(line).name.split("-")[0].lower().replace("_", "-") for line in held.split()}
    assert {f"pkg:pypi/{name}" for name in names} <= listed
    assert "pkg:pypi/fastapi" in listed
    assert not [ref for ref in listed if "mlflow" in ref or "scikit" in ref]


def test_what_was_changed_on_the_way_is_not_deployed(company: Company, first: Run) -> None:
    """The command that each environment runs first; unit tests change every part."""
    shutil.copytree(company.store / "artifacts/release/dist", company.project / "dist")
    verify = ["uv", "run", "flights", "deploy", "verify"]
    told = run(*verify, cwd=company.project).stdout.splitlines()
    assert told == ["signed by cd@acme", company.made("release.json")["image"]]
    release = company.project / "dist/release.json"
    release.write_text(release.read_text().replace("sha256:", "sha256:0", 1))
    refused = run(*verify, cwd=company.project, check=False)
    assert refused.returncode == 1
    assert "is not as cd@acme signed it, somebody changed it: do not deploy it" in refused.stdout


def test_one_button_brings_the_release_before_back(
    company: Company, first: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After somebody deployed another one by hand."""
    good, other = company.made("release.json")["image"], "localhost/acme/flights:another"
    recipe = company.store / "Dockerfile"
    recipe.write_text(f"FROM {good}\nLABEL another=release\n")
    run("docker", "build", "--quiet", f"--file={recipe}", f"--tag={other}", ".", cwd=company.store)
    for line in company.settings["environments"]["production"]["SERVICE_ENV"].splitlines():
        monkeypatch.setenv(*line.split("="))
    run("uv", "run", "flights", "deploy", "up", other, cwd=company.project)
    assert other in company.in_service()
    with ask_all_the_time(company) as answers:
        ran = company.act("workflow_dispatch", "rollback.yml")
    assert ran.conclusions == {"production": "success"}, ran.log
    assert good in company.in_service()
    assert good in ran.summary
    assert {*answers} == {200}, answers


def test_a_bad_release_is_rolled_back_by_itself(company: Company, first: Run) -> None:
    """It is found out after it went into service; users are answered all the time."""
    good = company.made("release.json")["image"]
    [app] = (company.project / "src").glob("mlops/serving/app.py")
    calm = app.read_text(encoding="utf-8")
    assert calm.count(CALM) == 1
    app.write_text(calm.replace(CALM, TIRED), encoding="utf-8")
    commit(company.project, "A service that grows tired")
    with ask_all_the_time(company) as answers:
        ran = company.act("push", "cd.yml", watch="5m")
    assert ran.conclusions == dict.fromkeys(JOBS, "success") | {"production": "failure"}, ran.log
    steps = ran["production"].steps
    assert steps["Are the objectives kept?"] == "failure"
    assert steps["Roll back"] == "success"
    assert re.search(r"problem\.yaml:\d+ objectives\.latency_ms", ran["production"].log)
    bad = company.made("release.json")["image"]
    assert bad in company.in_service("staging")
    assert good in company.in_service()
    assert good in ran["production"].summary
    assert {*answers} == {200}, answers
    assert answers[200] > 10
