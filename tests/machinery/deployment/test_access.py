"""What a delivery needs is named when it is missing, and nothing of it is left behind."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.deployment import access, readiness
from mlops.deployment.access import NEEDED, check_needs, command_variables
from mlops.deployment.deploy_commands import app
from typer.testing import CliRunner

import releases


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A project that deploys with Compose, on a machine that was given nothing."""
    monkeypatch.chdir(tmp_path)
    access.COMPOSE.parent.mkdir()
    access.COMPOSE.touch()
    for need in NEEDED:
        monkeypatch.delenv(need.name, raising=False)
    return monkeypatch


def refuse(environment):
    with pytest.raises(UserError) as refused:
        check_needs(environment)
    return str(refused.value)


def test_every_missing_one_is_named_in_one_sentence(bare):
    message = refuse("staging")
    assert "The environment 'staging' of the repository lacks the variable SERVICE_URL (" in message
    assert "the secret SERVICE_ENV (" in message
    assert "the variable DOCKER_HOST (" in message
    assert "SSH" not in message
    assert "SIGNING_KEY" not in message


def test_a_host_by_ssh_needs_a_key_and_its_fingerprint(bare):
    for name in ("SERVICE_URL", "SERVICE_ENV", "SSH_KEY"):
        bare.setenv(name, "given")
    bare.setenv("DOCKER_HOST", "ssh://jo@host.acme.example")
    assert "lacks the variable SSH_KNOWN_HOSTS (" in refuse("production")
    bare.setenv("SSH_KNOWN_HOSTS", "host.acme.example ssh-ed25519 AAAA")
    assert check_needs("production") == ["production: no secret and no variable is missing"]


def test_a_cluster_needs_a_kubeconfig(bare):
    access.COMPOSE.unlink()
    assert "the secret KUBE_CONFIG (" in refuse("production")
    assert "DOCKER_HOST" not in refuse("production")


def test_a_release_needs_a_key_that_signs(bare):
    assert "lacks the secret SIGNING_KEY (" in refuse("release")
    bare.setenv("SIGNING_KEY", "given")
    assert check_needs("release") == ["release: no secret and no variable is missing"]


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed (openssh-client)")
def test_files_are_there_for_as_long_as_needed_and_for_nobody_else(bare):
    bare.setenv("SSH_KEY", "the key")
    bare.setenv("KUBE_CONFIG", "clusters: []")
    before = dict(os.environ)
    with command_variables() as variables:
        config = Path(variables["KUBECONFIG"])
        assert config.read_text() == "clusters: []\n"
        files = [path for path in config.parent.rglob("*") if path.is_file()]
        assert {path.name for path in files} == {"key", "known_hosts", "kubeconfig", "ssh"}
        assert not [path for path in files if path.stat().st_mode & 0o077]
        assert dict(os.environ) == before
    assert not config.parent.exists()


def test_ssh_uses_the_key_and_knows_the_host_and_no_other(bare, tmp_path):
    bare.setenv("SSH_KEY", releases.key(tmp_path)[0])
    bare.setenv("SSH_KNOWN_HOSTS", "host.acme.example ssh-ed25519 AAAA")
    with command_variables() as variables:
        printed = subprocess.run(
            ["ssh", "-G", "jo@host"], capture_output=True, env=variables, text=True, check=True
        ).stdout
    settings = dict(line.split(" ", 1) for line in printed.splitlines() if " " in line)
    assert settings["identitiesonly"] == "yes"
    assert settings["stricthostkeychecking"] == "true"
    assert settings["userknownhostsfile"].endswith("known_hosts")
    assert settings["identityfile"].endswith("key")


def test_settings_of_the_service_are_lines_as_in_its_env_file(bare):
    bare.setenv("SERVICE_ENV", "# keys\n\nAPI_KEY=a=b\n  LOG_LEVEL = info \n")
    with command_variables() as variables:
        assert (variables["API_KEY"], variables["LOG_LEVEL"]) == ("a=b", "info")
    bare.setenv("SERVICE_ENV", "API_KEY=hush\nhush-hush\n")
    with (
        pytest.raises(UserError, match="SERVICE_ENV: line 2 is no") as refused,
        command_variables(),
    ):
        pass
    assert "hush" not in str(refused.value)


def test_the_key_in_the_settings_of_the_service_reaches_a_check(bare):
    given = []
    bare.setattr(readiness, "check_service", lambda url, key: given.append((url, key)) or [])
    bare.setenv("SERVICE_ENV", "API_KEY=hush")
    assert CliRunner().invoke(app, ["check", "http://service"]).exit_code == 0
    assert given == [("http://service", "hush")]
    assert "API_KEY" not in os.environ
