"""The stack of one environment on its host: a proxy, and behind it a release in one of two slots.

The host's Docker keeps all there is to know: a slot holds the release in use, the other, stopped,
the one before it. Nothing has to lie on the host, which may be reached by SSH (DOCKER_HOST).
"""

import csv
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import yaml

from ...core.errors import UserError
from ...core.paths import COMPOSE
from ...core.strict_model import read_yaml
from ..docker import docker, inspect_image, try_docker
from ..readiness import Runner
from ..target import Place

SLOTS, PROXY, BACKEND = ("blue", "green"), "proxy", "releases"
PRODUCTION = "production"
PATIENCE = 90.0  # seconds until something is as it should be
LOG = "/deployments/log.jsonl"
LOCK, LOCK_MINUTES = "/deployments/lock", 15


class Slot(NamedTuple):
    """A container that holds a release, running or stopped.

    `container` and `image` are ids; `since` is when it started, as Docker writes it.
    """

    name: str
    container: str
    image: str
    running: bool
    restarts: int
    since: str
    address: str
    labels: dict[str, str]


class Stack:
    """The containers of one environment; all is done by the command `docker`.

    `environment` is its name, `project` Docker Compose's, `settings` the file of its variables.
    """

    def __init__(self, place: Place) -> None:
        """Raises UserError if the environment's name cannot be one."""
        if not re.fullmatch(r"[a-z][a-z0-9-]*", place.environment):
            raise UserError(
                f"'{place.environment}' is not an environment: write a name like 'staging'."
            )
        self.environment = place.environment
        whole = read_yaml(str(COMPOSE))
        production = self.environment == PRODUCTION
        self.project = whole["name"] if production else f"{whole['name']}-{self.environment}"
        self.settings = COMPOSE.with_name(".env" if production else f"{self.environment}.env")
        self._file = yaml.safe_dump(select_services(whole), sort_keys=False).encode()
        self._variables = dict(os.environ if place.variables is None else place.variables)
        self._variables["COMPOSE_IGNORE_ORPHANS"] = "true"
        if place.host:
            self._variables["DOCKER_HOST"] = place.host
        self._proxy = f"{self.project}-{PROXY}-1"

    def docker(self, *command: str, stdin: bytes = b"", **variables: str) -> bytes:
        """Run docker, and return what it prints. Raises UserError with its words if it fails."""
        return docker(*command, stdin=stdin, env=self._variables | variables)

    def compose(self, *command: str, **variables: str) -> None:
        """Run a command of Docker Compose on this stack. Raises UserError if it fails."""
        settings = self.settings.as_posix() if self.settings.exists() else os.devnull
        options = ["--project-name", self.project]
        options += ["--project-directory", COMPOSE.parent.as_posix()]
        options += ["--env-file", settings, "--profile", "release", "--file", "-"]
        self.docker("compose", *options, *command, stdin=self._file, **variables)

    def fetch_image(self, name: str) -> dict[str, Any]:
        """Return what Docker knows of an image, which is pulled unless it is of this host alone, or
        a digest that is there already. Raises UserError if it is not to be had.
        """
        if not name.startswith("localhost/") and not (
            "@" in name and self.docker("image", "ls", "--quiet", name)
        ):
            self.docker("pull", "--quiet", name)
        return inspect_image(name, self._variables)

    def list_slots(self) -> dict[str, Slot]:
        """List the slots that hold a release, by name."""
        ours = f"--filter=label=com.docker.compose.project={self.project}"
        ids = self.docker("container", "ls", "--all", "--quiet", ours).decode().split()
        containers = json.loads(self.docker("container", "inspect", *ids)) if ids else []
        names = [each["Config"]["Labels"]["com.docker.compose.service"] for each in containers]
        named = zip(names, containers, strict=True)
        return {name: read_slot(name, each) for name, each in named if name in SLOTS}

    def read_last_log_line(self, slot: Slot) -> str:
        """Read the last line that a release has logged; "" if it said nothing."""
        done = try_docker(["logs", "--tail", "1", slot.container], env=self._variables)
        return (done.stderr or done.stdout).decode(errors="replace").strip()

    def ask_proxy(self, command: str) -> str:
        """Return what the proxy answers to a command of its own (HAProxy's Runtime API)."""
        ask = ["sh", "-c", 'echo "$1" | nc 127.0.0.1 9999', "proxy", command]
        return self.docker("exec", self._proxy, *ask).decode()

    def set_traffic(self, slot: str, state: str) -> None:
        """Have the proxy send requests to a slot (ready), no new ones (drain) or none (maint).

        Raises UserError if it refuses.
        """
        if refusal := self.ask_proxy(f"set server {BACKEND}/{slot} state {state}").strip():
            raise UserError(f"the proxy refuses: {refusal}")

    def read_proxy_status(self, slot: str) -> tuple[str, int]:
        """Ask the proxy for the status of a slot (UP, MAINT ...), and its requests in work."""
        table = self.ask_proxy("show stat").removeprefix("# ").splitlines()
        [row] = [r for r in csv.DictReader(table) if (r["pxname"], r["svname"]) == (BACKEND, slot)]
        return row["status"], int(row["scur"])

    def read_proxy_address(self, slot: str) -> str:
        """Ask the proxy for the address to which it would send requests for a slot."""
        _, heading, *lines = self.ask_proxy(f"show servers state {BACKEND}").strip().splitlines()
        names = heading.removeprefix("# ").split()
        rows = [dict(zip(names, line.split(), strict=True)) for line in lines]
        return next(row["srv_addr"] for row in rows if row["srv_name"] == slot)

    def append_log(self, line: str) -> None:
        """Add a line to the host's own log of deployments, which outlives containers."""
        append = ["sh", "-c", f"cat >> {LOG}"]
        as_root = ["--interactive", "--user", "root", self._proxy]
        self.docker("exec", *as_root, *append, stdin=f"{line}\n".encode())

    def read_log(self) -> list[str]:
        """Read the lines of the log of deployments, oldest first."""
        show = ["sh", "-c", f"test ! -e {LOG} || cat {LOG}"]
        return self.docker("exec", self._proxy, *show).decode().splitlines()

    @contextmanager
    def lock(self, who: str) -> Iterator[None]:
        """As long as this lasts nobody else deploys here. Raises UserError if somebody does.

        Who was killed meanwhile keeps others out for a while only.
        """
        within = ["exec", "--user", "root", self._proxy, "sh", "-c"]
        take = f'find {LOCK} -mmin +{LOCK_MINUTES} -delete 2>/dev/null; set -C; echo "$0" > {LOCK}'
        if try_docker([*within, take, who], env=self._variables).returncode:
            other = self.docker(*within, f"cat {LOCK}").decode().strip()
            raise UserError(
                f"{other} is deploying to {self.environment}: wait until that has ended, or "
                f"{LOCK_MINUTES} minutes, should it have been killed."
            )
        try:
            yield
        finally:
            self.docker(*within, f"rm -f {LOCK}")

    def open_slot(self, slot: Slot) -> Runner:
        """Return what runs commands in the container of a release."""

        def run(*words: str, stdin: bytes = b"") -> bytes:
            return self.docker("exec", "--interactive", slot.container, *words, stdin=stdin)

        return run


def select_services(whole: dict[str, Any]) -> dict[str, Any]:
    """Select the services that answer, and what they need, from the settings of the whole stack:
    who deploys need not know the passwords of the rest.
    """
    services, names = whole["services"], [*SLOTS, PROXY]
    for name in names:  # which grows
        names += [other for other in services[name].get("depends_on", ()) if other not in names]
    return {
        "services": {name: services[name] for name in names},
        "volumes": whole["volumes"],
    }


def read_slot(name: str, container: dict[str, Any]) -> Slot:
    """Read a slot from what `docker inspect` tells of its container."""
    state, settings = container["State"], container["Config"]
    [network] = container["NetworkSettings"]["Networks"].values()
    return Slot(
        name,
        container["Id"],
        container["Image"],
        state["Running"],
        container["RestartCount"],
        state["StartedAt"],
        network["IPAddress"],
        settings["Labels"],
    )


def wait_until(is_true: Callable[[], bool], otherwise: str, patience: float = PATIENCE) -> None:
    """Wait for a condition. Raises UserError with the sentence if it does not become true."""
    end = time.monotonic() + patience
    while not is_true():
        if time.monotonic() > end:
            raise UserError(otherwise)
        time.sleep(0.2)
