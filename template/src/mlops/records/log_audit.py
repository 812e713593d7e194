"""What happened to the table, and whether it still is what the log says."""

from itertools import pairwise

from ..core.errors import UserError
from ..data import change_log
from ..data.change_log import ANEW, LOG
from ..data.contract import Contract
from . import table

SHORT = 12  # digits of a content hash that are shown


def list_changes() -> list[str]:
    """Write a line for each change, oldest first."""
    changes = change_log.read_log()
    if not changes:
        return ["nothing has happened to the table yet; bring one in with 'data add'"]
    stand = {change.version for change in change_log.select_in_effect(changes)}
    lines = []
    for change in changes:
        taken_back = "" if change.version in stand or change.restored else " (no longer in effect)"
        lines.append(
            f"{change.version:>4}  {change.when[:16].replace('T', ' ')}  {change.operation:<8} "
            f"{change.source}: {change.counts()}{taken_back}  by {change.who}  "
            f"[{change.after[:SHORT]}]"
        )
    return lines


def verify_log() -> list[str]:
    """Make the table again from the log and its files, and compare the content.

    Raises UserError if it is not what the log says.
    """
    changes = change_log.read_log()
    if not changes:
        raise UserError(f"{LOG} holds no change yet: bring a table in with 'data add'.")
    for old, new in pairwise(changes):
        goes_on = new.operation not in ANEW and new.contract == old.contract
        if goes_on and new.before != old.after:
            raise UserError(
                f"{LOG}: version {new.version} does not begin where version {old.version} ended; "
                "undo what was done to the log with git."
            )
    contract, last = Contract.load(), changes[-1]
    with table.open_content(change_log.locate_parts(changes), contract) as clean:
        content = table.hash_content(clean, contract)
    if contract.digest() != last.contract:
        return [
            f"contract.yaml was changed since version {last.version}, and so the content may be "
            f"another; under this contract it is {content[:SHORT]}"
        ]
    if content != last.after:
        raise UserError(
            f"the table made from {LOG} has the content {content[:SHORT]}, not "
            f"{last.after[:SHORT]} as version {last.version} left it: a file in data/raw was "
            "changed; get it again with 'uv run dvc checkout'."
        )
    return [f"version {last.version}: made again from nothing, the content is the same"]
