"""The way to a Docker engine: its command, and what it could not do in one sentence."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import UserError


def docker(
    *arguments: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    aloud: bool = False,
) -> bytes:
    """Run docker, and return what it printed; `aloud`: shown while it works, b"" returned.

    Raises UserError with the last line of what it says if it fails.
    """
    done = ran(arguments, stdin, env, aloud)
    if done.returncode:
        raise UserError(f"'docker {arguments[0]}' failed: {reason(done.stderr)}")
    return done.stdout or b""


def inspected(image: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What Docker knows of an image that it has. Raises UserError if it has none of that name."""
    [found] = json.loads(docker("image", "inspect", image, env=env))
    return dict(found)


def ran(
    arguments: Sequence[str],
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    aloud: bool = False,
) -> "subprocess.CompletedProcess[bytes]":
    """The same, whatever came of it. Raises UserError if there is no such command."""
    told, command = None if aloud else subprocess.PIPE, ["docker", *arguments]
    try:
        return subprocess.run(command, input=stdin, stdout=told, stderr=told, env=env, check=False)
    except FileNotFoundError as error:
        raise UserError("docker is not installed: install it and run this again.") from error


def reason(said: bytes | None) -> str:
    """With what to do where it is no engine that is missing."""
    words = (said or b"see above").decode(errors="replace").strip().splitlines()[-1:] or ["unknown"]
    unreached = any(name in words[0].lower() for name in ("docker daemon", "docker api"))
    advice = " - start Docker, or name where it runs in DOCKER_HOST." if unreached else ""
    return words[0] + advice
