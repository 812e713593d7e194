"""What the code host hands to a delivery, as secrets and variables of an environment of its own.

Each reaches the commands as an environment variable. Those that are files are written for as long
as a command lasts, where nobody else can read them.
"""

import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from ..core.errors import UserError
from ..core.paths import COMPOSE
from ..core.repository_place import find_place

RELEASE = "release"  # the environment that builds; any other one is a place to deploy to


class Need(NamedTuple):
    """A secret or variable (`kind`) of an environment on the code host, and what it holds."""

    name: str
    kind: str
    meaning: str


SIGNING = Need("SIGNING_KEY", "secret", "the private key that signs a release")
SERVICE = (
    Need("SERVICE_URL", "variable", "where the service answers, https://..."),
    Need("SERVICE_ENV", "secret", "its settings, a line NAME=VALUE each, as in deploy/.env"),
)
ENGINE = Need(
    "DOCKER_HOST", "variable", "its engine, ssh://USER@HOST or unix:///var/run/docker.sock"
)
SSH = (
    Need("SSH_KEY", "secret", "the private key of the user in DOCKER_HOST"),
    Need("SSH_KNOWN_HOSTS", "variable", "the line of its host, by ssh-keyscan"),
)
CLUSTER = Need("KUBE_CONFIG", "secret", "the kubeconfig of a user who may deploy there")
NEEDED = (SIGNING, *SERVICE, ENGINE, *SSH, CLUSTER)


def list_needs(environment: str) -> list[Need]:
    """List all that a delivery to this environment, or the release itself, cannot do without."""
    if environment == RELEASE:
        return [SIGNING]
    if not COMPOSE.exists():
        return [*SERVICE, CLUSTER]
    remote = os.environ.get(ENGINE.name, "").startswith("ssh://")
    return [*SERVICE, ENGINE, *(SSH if remote else ())]


def check_needs(environment: str) -> list[str]:
    """Look whether each secret and variable is set; returns the line to print.

    Raises UserError, in one sentence, naming each that is missing.
    """
    missing = [
        f"the {need.kind} {need.name} ({need.meaning})"
        for need in list_needs(environment)
        if not os.environ.get(need.name)
    ]
    if missing:
        name = find_place().name_environment(environment)
        raise UserError(
            f"The environment '{name}' of the repository lacks {', '.join(missing)}: add "
            "what is missing in its settings; deploy/README.md says how to make each."
        )
    return [f"{environment}: no secret and no variable is missing"]


@contextmanager
def command_variables() -> Iterator[dict[str, str]]:
    """Yield the environment for the commands of a delivery; its files are there until the end.

    With it docker reaches its host by SSH_KEY and kubectl its cluster by KUBE_CONFIG, and the lines
    of SERVICE_ENV are variables. Raises UserError if SERVICE_ENV holds anything else.
    """
    variables = os.environ | read_settings(os.environ.get("SERVICE_ENV", ""))
    with TemporaryDirectory() as name:
        folder = Path(name)
        if key := variables.get("SSH_KEY"):
            hosts = variables.get("SSH_KNOWN_HOSTS", "")
            program = write_ssh(folder, key, hosts)
            variables["PATH"] = os.pathsep.join([str(program.parent), variables["PATH"]])
        if config := variables.get("KUBE_CONFIG"):
            variables["KUBECONFIG"] = str(write_secret(folder / "kubeconfig", config))
        yield variables


def read_settings(text: str) -> dict[str, str]:
    """Read lines NAME=VALUE, leaving out empty ones and comments. Raises UserError for others."""
    values = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign:
            raise UserError(f"SERVICE_ENV: line {number} is not NAME=VALUE; correct the secret.")
        values[name.strip()] = value.strip()
    return values


def write_ssh(folder: Path, key: str, known_hosts: str) -> Path:
    """Write a program `ssh` that uses this key and knows these hosts, and no other.

    Returns its path. Raises UserError if ssh is not installed.
    """
    real = shutil.which("ssh")
    if real is None:
        raise UserError("ssh is not installed: install OpenSSH and run this again.")
    identity = write_secret(folder / "key", key)
    hosts = write_secret(folder / "known_hosts", known_hosts)
    options = ["-F", "none", "-i", identity, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]
    options += ["-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={hosts}"]
    command = shlex.join([real, *map(str, options)])
    program = folder / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    program.chmod(0o700)
    return program


def write_secret(path: Path, text: str) -> Path:
    """Write a file that only its owner can read, ending in one line end; returns its path."""
    path.touch(mode=0o600)
    path.write_text(f"{text.strip()}\n", encoding="utf-8")
    return path
