"""Copy the journal of a service with Docker Compose here, while it is being written."""

import os
from pathlib import Path

from ..core.errors import UserError
from ..core.paths import COMPOSE, replacing
from ..core.strict_model import read_yaml
from ..deployment.docker import docker
from ..serving.journal_database import SQLITE
from .ground_truth import journal_url

PRODUCTION = "production"
# In the container: a copy as of one moment, in flat memory; it never holds the service up.
COPY = """
import os, shutil, sqlite3, sys
copy = "/journal/.copy.db"
source = sqlite3.connect("file:/journal/journal.db?mode=rw", uri=True)
target = sqlite3.connect(copy)
source.backup(target)
target.close()
with open(copy, "rb") as stream:
    shutil.copyfileobj(stream, sys.stdout.buffer)
os.remove(copy)
"""


def pull_journal(environment: str = PRODUCTION) -> list[str]:
    """Copy the journal by the Docker of this machine or, where DOCKER_HOST says so, of another.

    Returns the lines to print. Raises UserError if no service with a journal runs there, or if a
    journal is here already, which is never overwritten.
    """
    if os.environ.get("JOURNAL_URL"):
        return ["the journal is read where JOURNAL_URL says"]
    target = Path(journal_url().removeprefix(SQLITE))
    if target.exists():
        raise UserError(f"{target} is here already: move it away, then pull again.")
    if not COMPOSE.exists():
        raise UserError("set JOURNAL_URL to the address of the journal's database.")
    name = read_yaml(str(COMPOSE))["name"]
    volume = f"{name if environment == PRODUCTION else f'{name}-{environment}'}_journal"
    where = os.environ.get("DOCKER_HOST") or "this machine"
    running = docker("ps", "--quiet", "--filter", f"volume={volume}").decode().split()
    if not running:
        raise UserError(
            f"no service with a journal runs on {where}: set JOURNAL_URL, or DOCKER_HOST to the "
            "Docker of its host, such as ssh://deploy@host.example."
        )
    with replacing(target) as scratch:
        scratch.write_bytes(docker("exec", running[0], "python", "-c", COPY))
    return [f"the journal of {where} is here, as of now: {target}"]
