"""Where releases go, by the answer `deploy`: a host with Docker Compose, or a cluster."""

import os
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from ..core.errors import UserError
from ..core.optional_parts import has_part, load_module
from ..records.writer import find_user
from .readiness import Runner


class Place(NamedTuple):
    """An environment, such as staging, and how the commands that deploy reach it.

    `host` is Docker's host, or kubectl's context; "" is this machine's own. `variables` is the
    environment of these commands; None is this process's own.
    """

    environment: str
    host: str = ""
    variables: Mapping[str, str] | None = None


class Target(Protocol):
    """A way to bring releases into service. Each of these raises UserError, in one sentence."""

    def deploy(self, image: str, place: Place, /) -> list[str]:
        """Bring an image into service; returns lines to print."""

    def roll_back(self, place: Place, /) -> list[str]:
        """Bring back the release before the one in service; returns lines to print."""

    def open_release(self, place: Place, /) -> Runner:
        """Return what runs commands in the release that is in service."""

    def describe(self, place: Place, /) -> list[str]:
        """Tell what is in service, and what was done, a line each."""


def load_target() -> Target:
    """Load the module of the one room that is there."""
    kind = "kubernetes" if has_part("deployment/kubernetes") else "compose"
    target: Target = load_module(f"deployment.{kind}.{kind}_target")
    return target


def name_person() -> str:
    """Name who deploys: on GitHub the one whose workflow it is."""
    return os.environ.get("GITHUB_ACTOR") or find_user()


def make_no_way_back(environment: str) -> UserError:
    """Make the error of an environment that has no release before the one in service."""
    return UserError(
        f"{environment} has no release to go back to: 'deploy up' brings the one that you name."
    )
