"""Where releases go, by the answer `deploy`: a host with Docker Compose, or a cluster."""

from typing import Protocol

from ..core.rooms import has_room, load
from .check import Inside


class Target(Protocol):
    """`host` is Docker's host, or kubectl's context; "" is this machine's own."""

    def up(self, image: str, environment: str, host: str = "", /) -> list[str]: ...

    def rollback(self, environment: str, host: str = "", /) -> list[str]: ...

    def inside(self, environment: str, host: str = "", /) -> Inside: ...

    def status(self, environment: str, host: str = "", /) -> list[str]: ...


def target() -> Target:
    """The module of the one room that is there."""
    kind = "kubernetes" if has_room("deployment/kubernetes") else "compose"
    found: Target = load(f"deployment.{kind}.{kind}_target")
    return found
