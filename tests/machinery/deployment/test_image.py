"""What may become an image, and what it is called. A real engine builds it elsewhere."""

import subprocess

import pytest
from mlops.core.errors import UserError
from mlops.core.git_command import git
from mlops.core.paths import GATE_REPORT, MODEL, sha256, write_json
from mlops.deployment import image
from mlops.deployment.release import RELEASE, Release
from mlops.registry.registry import REGISTRATION

ENGINE = """#!/bin/sh
echo "$@" >> asked.txt
case "$1" in
  image) echo '[{"Id": "sha256:22",
    "RepoDigests": ["other.example/x@sha256:00", "acme.example:5000/flights@sha256:11"]}]' ;;
  push) exit "${PUSH:-0}" ;;
  info) echo "failed to connect to the docker API at unix:///docker.sock" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A commit with a registered model whose gates have passed, and an engine that takes notes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///none.db")
    (tmp_path / ".gitignore").write_text("/models/\n/reports/\n/bin/\n/dist/\n/asked.txt\n")
    git("init", "--quiet")
    git("add", ".")
    who = ["-c", "user.name=Jo", "-c", "user.email=jo@acme.example"]
    git(*who, "commit", "--quiet", "--message", "Start")
    MODEL.parent.mkdir()
    MODEL.write_bytes(b"model")
    gates = [{"name": "value", "passed": True}]
    write_json(GATE_REPORT, {"passed": True, "gates": gates})
    registration = {"version": 3, "sha256": sha256(MODEL), "data_version": 32 * "d" + ".dir"}
    write_json(REGISTRATION, registration)
    engine = tmp_path / "bin" / "docker"
    engine.parent.mkdir()
    engine.write_text(ENGINE)
    engine.chmod(0o700)
    monkeypatch.setenv("PATH", str(engine.parent), prepend=":")
    return tmp_path


def asked(project):
    return (project / "asked.txt").read_text().splitlines()


def test_an_image_is_of_the_commit_and_named_by_its_id(project):
    image.build_release(None, push=False, options=["--network", "host"])
    commit, date = git("log", "-1", "--format=%H %ct").split()
    build = asked(project)[0]
    assert f"--build-arg=REVISION={commit}" in build
    assert f"--build-arg=SOURCE_DATE_EPOCH={date}" in build
    assert build.endswith("--network host .")
    made = Release.read()
    assert (made.image, made.commit, made.model_version) == ("sha256:22", commit, 3)
    assert made.model_sha256 == sha256(MODEL)


def test_a_pushed_one_is_named_by_the_digest_that_its_registry_gave(project):
    lines = image.build_release("ACME.example:5000/Flights", push=True, options=[])
    commit = git("rev-parse", "--short=12", "HEAD")
    assert f"push --quiet acme.example:5000/flights:{commit}" in asked(project)
    assert Release.read().image == lines[-1] == "acme.example:5000/flights@sha256:11"


def test_what_is_not_pushed_is_no_release(project, monkeypatch):
    monkeypatch.setenv("PUSH", "1")
    with pytest.raises(UserError, match="'docker push' failed"):
        image.build_release("acme.example:5000/flights", push=True, options=[])
    assert not RELEASE.exists()


def test_it_must_be_said_where_to_push(project):
    with pytest.raises(UserError, match="add '--tag REPOSITORY'"):
        image.build_release(None, push=True, options=[])


def refused(match):
    with pytest.raises(UserError, match=match):
        image.build_release(None, push=False, options=[])
    assert not RELEASE.exists()


def test_a_change_that_is_not_committed_is_refused(project):
    (project / "params.yaml").write_text("train: {}\n")
    refused("params.yaml differs from the commit")


def test_a_change_of_the_rules_is_refused_as_any_other(project):
    (project / "deploy" / "monitoring").mkdir(parents=True)
    (project / "deploy" / "monitoring" / "rules.yml").write_text("groups: []\n")
    refused("deploy/ differs from the commit")


def test_what_the_pipeline_makes_is_no_change(project):
    (project / "dvc.lock").write_text("stages: {}\n")
    image.build_release(None, push=False, options=[])


def test_a_model_that_is_not_registered_is_refused(project):
    MODEL.write_bytes(b"another")
    refused(f"{MODEL} is not registered")


def test_a_model_that_a_gate_blocks_is_refused(project):
    gates = [{"name": "value", "passed": False}, {"name": "rows", "passed": True}]
    write_json(GATE_REPORT, {"passed": False, "gates": gates})
    refused(r"Version 3 .* a gate blocks it \(value\)")


def test_a_model_that_was_taken_back_is_refused(project, monkeypatch):
    monkeypatch.setattr(
        image, "find_champion_override", lambda: {"model_uri": "models:/m@champion"}
    )
    refused("Version 3 is not the champion: it was rolled back")


def test_an_engine_that_does_not_answer_is_one_sentence(project):
    with pytest.raises(UserError, match=r"at unix:///docker.sock - start Docker, or name where"):
        image.docker("info")


def test_a_command_that_is_not_there_is_one_sentence(project, monkeypatch):
    monkeypatch.setattr(subprocess, "run", missing)
    with pytest.raises(UserError, match="docker is not installed"):
        image.docker("info")


def missing(*_, **__):
    raise FileNotFoundError
