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
from ..docker import docker, inspected, ran

SLOTS, PROXY, BACKEND = ("blue", "green"), "proxy", "releases"
PRODUCTION = "production"
PATIENCE = 90.0  # seconds until something is as it should be
LOG = "/deployments/log.jsonl"
LOCK, HELD = "/deployments/lock", 15  # minutes


class Slot(NamedTuple):
    """A container that holds a release."""

    name: str
    container: str
    image: str
    running: bool
    restarts: int
    since: str
    address: str
    labels: dict[str, str]


class Stack:
    """All is done by the command `docker`."""

    def __init__(self, environment: str, host: str = "") -> None:
        """Raises UserError if the name cannot be one."""
        if not re.fullmatch(r"[a-z][a-z0-9-]*", environment):
            raise UserError(f"'{environment}' is no environment: write a name like 'staging'.")
        self.environment = environment
        whole = read_yaml(str(COMPOSE))
        production = environment == PRODUCTION
        self.project = whole["name"] if production else f"{whole['name']}-{environment}"
        self.settings = COMPOSE.with_name(".env" if production else f"{environment}.env")
        self._file = yaml.safe_dump(needed(whole), sort_keys=False).encode()
        self._variables = os.environ | {"COMPOSE_IGNORE_ORPHANS": "true"}
        if host:
            self._variables |= {"DOCKER_HOST": host}

    def docker(self, *command: str, stdin: bytes = b"", **variables: str) -> bytes:
        """What it prints. Raises UserError with the last line of what it says if it fails."""
        return docker(*command, stdin=stdin, env=self._variables | variables)

    def compose(self, *command: str, **variables: str) -> None:
        settings = self.settings.as_posix() if self.settings.exists() else os.devnull
        where = ["--project-name", self.project, "--project-directory", COMPOSE.parent.as_posix()]
        about = [*where, "--env-file", settings, "--profile", "release", "--file", "-"]
        self.docker("compose", *about, *command, stdin=self._file, **variables)

    def image(self, name: str) -> dict[str, Any]:
        """What Docker knows of an image, fetched unless it is of this host alone, or a digest that
        is there already. Raises UserError if it is not to be had.
        """
        if not name.startswith("localhost/") and not (
            "@" in name and self.docker("image", "ls", "--quiet", name)
        ):
            self.docker("pull", "--quiet", name)
        return inspected(name, self._variables)

    def slots(self) -> dict[str, Slot]:
        """Those that hold a release, by name."""
        ours = f"--filter=label=com.docker.compose.project={self.project}"
        ids = self.docker("container", "ls", "--all", "--quiet", ours).decode().split()
        known = json.loads(self.docker("container", "inspect", *ids)) if ids else []
        names = [one["Config"]["Labels"]["com.docker.compose.service"] for one in known]
        held = zip(names, known, strict=True)
        return {name: slot(name, one) for name, one in held if name in SLOTS}

    def last_words(self, slot: Slot) -> str:
        done = ran(["logs", "--tail", "1", slot.container], env=self._variables)
        return (done.stderr or done.stdout).decode(errors="replace").strip()

    def proxy(self, command: str) -> str:
        """What it answers to a command of its own (HAProxy's Runtime API)."""
        say = ["sh", "-c", 'echo "$1" | nc 127.0.0.1 9999', "proxy", command]
        return self.docker("exec", f"{self.project}-{PROXY}-1", *say).decode()

    def traffic(self, slot: str, state: str) -> None:
        """Whether the proxy sends requests to a slot: ready, drain (no new) or maint (none)."""
        if said := self.proxy(f"set server {BACKEND}/{slot} state {state}").strip():
            raise UserError(f"the proxy refuses: {said}")

    def seen_by_proxy(self, slot: str) -> tuple[str, int]:
        """Status of a slot (UP, MAINT ...), and how many requests it has in work."""
        table = self.proxy("show stat").removeprefix("# ").splitlines()
        [row] = [r for r in csv.DictReader(table) if (r["pxname"], r["svname"]) == (BACKEND, slot)]
        return row["status"], int(row["scur"])

    def address_by_proxy(self, slot: str) -> str:
        """Where it would send requests for a slot."""
        _, heading, *lines = self.proxy(f"show servers state {BACKEND}").strip().splitlines()
        names = heading.removeprefix("# ").split()
        rows = [dict(zip(names, line.split(), strict=True)) for line in lines]
        return next(row["srv_addr"] for row in rows if row["srv_name"] == slot)

    def write_down(self, line: str) -> None:
        """In the host's own log of deployments, which outlives containers."""
        append = ["sh", "-c", f"cat >> {LOG}"]
        whose = ["--interactive", "--user", "root", f"{self.project}-{PROXY}-1"]
        self.docker("exec", *whose, *append, stdin=f"{line}\n".encode())

    @contextmanager
    def alone(self, who: str) -> Iterator[None]:
        """As long as this lasts nobody else deploys here. Raises UserError if somebody does.

        Who was killed meanwhile keeps others out for a while only.
        """
        within = ["exec", "--user", "root", f"{self.project}-{PROXY}-1", "sh", "-c"]
        take = f'find {LOCK} -mmin +{HELD} -delete 2>/dev/null; set -C; echo "$0" > {LOCK}'
        if ran([*within, take, who], env=self._variables).returncode:
            other = self.docker(*within, f"cat {LOCK}").decode().strip()
            raise UserError(
                f"{other} is deploying to {self.environment}: wait until that has ended, or "
                f"{HELD} minutes, should it have been killed."
            )
        try:
            yield
        finally:
            self.docker(*within, f"rm -f {LOCK}")

    def written_down(self) -> list[str]:
        show = ["sh", "-c", f"test ! -e {LOG} || cat {LOG}"]
        return self.docker("exec", f"{self.project}-{PROXY}-1", *show).decode().splitlines()

    def inside(self, slot: Slot) -> Callable[..., bytes]:
        """Runs commands in the container of a release."""

        def command(*words: str, stdin: bytes = b"") -> bytes:
            return self.docker("exec", "--interactive", slot.container, *words, stdin=stdin)

        return command


def needed(whole: dict[str, Any]) -> dict[str, Any]:
    """Of the stack, the part that answers: who deploys need not know the rest's passwords."""
    services, names = whole["services"], [*SLOTS, PROXY]
    for name in names:  # which grows
        names += [other for other in services[name].get("depends_on", ()) if other not in names]
    kept = {name: services[name] for name in names}
    return {"services": kept, "volumes": whole["volumes"]}


def slot(name: str, container: dict[str, Any]) -> Slot:
    """By what `docker inspect` tells."""
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


def until(true: Callable[[], bool], otherwise: str, patience: float = PATIENCE) -> None:
    """Raises UserError with the sentence if that does not become true."""
    end = time.monotonic() + patience
    while not true():
        if time.monotonic() > end:
            raise UserError(otherwise)
        time.sleep(0.2)
