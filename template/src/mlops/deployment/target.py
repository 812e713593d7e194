"""Where releases go, by the answer `deploy`: a host with Docker Compose, or a cluster."""

from typing import Protocol

from ..core.optional_parts import has_part, load_module
from .check import Inside


class Target(Protocol):
    """`host` is Docker's host, or kubectl's context; "" is this machine's own."""

    def up(self, image: str, environment: str, host: str = "", /) -> list[str]: ...

    def rollback(self, environment: str, host: str = "", /) -> list[str]: ...

    def inside(self, environment: str, host: str = "", /) -> Inside: ...

    def status(self, environment: str, host: str = "", /) -> list[str]: ...


def target() -> Target:
    """The module of the one room that is there."""
    kind = "kubernetes" if has_part("deployment/kubernetes") else "compose"
    found: Target = load_module(f"deployment.{kind}.{kind}_target")
    return found
