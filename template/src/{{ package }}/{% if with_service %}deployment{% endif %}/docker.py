"""The way to the Docker engine: its command, and what it could not do in one sentence."""

import subprocess

from ..errors import UserError


def docker(*arguments: str, aloud: bool = False) -> str:
    """Run docker here, and return what it printed; `aloud`: shown while it works, "" returned.

    Raises UserError with its last words.
    """
    told = None if aloud else subprocess.PIPE
    command = ["docker", *arguments]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=told, stderr=told, text=True, check=False
        )
    except FileNotFoundError as error:
        raise UserError("docker is not installed: install it and run this again.") from error
    if done.returncode:
        words = " ".join((done.stderr or "see above").strip().splitlines()[-3:])
        raise UserError(f"'docker {arguments[0]}' failed: {words}")
    return (done.stdout or "").strip()
