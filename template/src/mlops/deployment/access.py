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

RELEASE = "release"  # the environment that builds; any other one is a place to deploy to


class Need(NamedTuple):
    """`kind`: secret or variable."""

    name: str
    kind: str
    what: str


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


def needs(environment: str) -> list[Need]:
    """All that a delivery to this environment, or the release itself, cannot do without."""
    if environment == RELEASE:
        return [SIGNING]
    if not COMPOSE.exists():
        return [*SERVICE, CLUSTER]
    remote = os.environ.get(ENGINE.name, "").startswith("ssh://")
    return [*SERVICE, ENGINE, *(SSH if remote else ())]


def ready(environment: str) -> list[str]:
    """A line to print. Raises UserError, in one sentence, naming each that is missing."""
    missing = [
        f"the {need.kind} {need.name} ({need.what})"
        for need in needs(environment)
        if not os.environ.get(need.name)
    ]
    if missing:
        raise UserError(
            f"The environment '{environment}' of the repository lacks {', '.join(missing)}: add "
            "what is missing in its settings; deploy/README.md tells how to make each."
        )
    return [f"{environment}: no secret and no variable is missing"]


@contextmanager
def access() -> Iterator[None]:
    """As long as this lasts, docker reaches its host by SSH_KEY and kubectl its cluster by
    KUBE_CONFIG, and the lines of SERVICE_ENV are in the environment.
    """
    before = dict(os.environ)
    with TemporaryDirectory() as name:
        folder = Path(name)
        try:
            os.environ.update(settings(os.environ.get("SERVICE_ENV", "")))
            if key := os.environ.get("SSH_KEY"):
                os.environ["PATH"] = os.pathsep.join([str(ssh(folder, key)), os.environ["PATH"]])
            if config := os.environ.get("KUBE_CONFIG"):
                os.environ["KUBECONFIG"] = str(secret(folder / "kubeconfig", config))
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def settings(text: str) -> dict[str, str]:
    """The lines NAME=VALUE; empty ones and comments are left out. Raises UserError."""
    lines = [line.strip() for line in text.splitlines()]
    given = [line for line in lines if line and not line.startswith("#")]
    if wrong := [place for place, line in enumerate(lines, 1) if line in given and "=" not in line]:
        raise UserError(f"SERVICE_ENV: line {wrong[0]} is no NAME=VALUE; correct the secret.")
    pairs = [line.partition("=") for line in given]
    return {name.strip(): value.strip() for name, _, value in pairs}


def ssh(folder: Path, key: str) -> Path:
    """A folder with an `ssh` that uses this key and knows these hosts, and no other."""
    real = shutil.which("ssh")
    if real is None:
        raise UserError("ssh is not installed: install OpenSSH and run this again.")
    identity = secret(folder / "key", key)
    hosts = secret(folder / "known_hosts", os.environ.get("SSH_KNOWN_HOSTS", ""))
    options = ["-F", "none", "-i", identity, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]
    options += ["-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={hosts}"]
    command = shlex.join([real, *map(str, options)])
    program = folder / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    program.chmod(0o700)
    return program.parent


def secret(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(f"{text.strip()}\n", encoding="utf-8")
    return path
