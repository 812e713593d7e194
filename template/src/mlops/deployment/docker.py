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
    done = try_docker(arguments, stdin, env, aloud)
    if done.returncode:
        raise UserError(f"'docker {arguments[0]}' failed: {explain_failure(done.stderr)}")
    return done.stdout or b""


def inspect_image(image: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what Docker knows of an image. Raises UserError if it has none of that name."""
    [description] = json.loads(docker("image", "inspect", image, env=env))
    return dict(description)


def try_docker(
    arguments: Sequence[str],
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    aloud: bool = False,
) -> "subprocess.CompletedProcess[bytes]":
    """Run docker, whatever comes of it. Raises UserError if there is no such command."""
    output, command = None if aloud else subprocess.PIPE, ["docker", *arguments]
    try:
        return subprocess.run(
            command, input=stdin, stdout=output, stderr=output, env=env, check=False
        )
    except FileNotFoundError as error:
        raise UserError("docker is not installed: install it and run this again.") from error


def explain_failure(stderr: bytes | None) -> str:
    """Return the last line of what docker says, and what to do where no engine is reached."""
    lines = (stderr or b"see above").decode(errors="replace").strip().splitlines() or ["unknown"]
    unreached = any(name in lines[-1].lower() for name in ("docker daemon", "docker api"))
    advice = " - start Docker, or name where it runs in DOCKER_HOST." if unreached else ""
    return lines[-1] + advice
