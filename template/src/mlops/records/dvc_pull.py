"""What DVC keeps of this commit, brought here: the table whole, the rest can be made again."""

import subprocess
import sys

from ..core.errors import UserError
from ..data import change_log


def pull() -> list[str]:
    """Bring table, models and reports from the DVC remote, or tell why that could not be.

    Raises UserError if the table is not whole after that.
    """
    command = [sys.executable, "-m", "dvc", "pull"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    why = errors[0].removeprefix("ERROR: ").partition(" - ")[0] if errors else "no reason given"
    if done.returncode == 0:
        return ["all that DVC keeps of this commit is here"]
    if absent := list_missing():
        raise UserError(
            f"the table is not whole: {absent[0]} is neither in git nor to be had from the DVC "
            f"remote ({why}). Where it was added, run 'uv run dvc push'; here, name a remote that "
            "this machine reaches, and give it the credentials."
        )
    return [f"the table is whole, and the pipeline can make the rest again: {why}"]


def list_missing() -> list[str]:
    """List the files of the table that are not on this machine."""
    stand = change_log.select_in_effect(change_log.read_log())
    return [str(path) for change in stand for path in change.files if not path.exists()]
