"""Rows of a delivery that break the contract, or share their key: told, and refused if too many."""

from typing import NamedTuple

from ..core.errors import UserError
from ..core.params import Params
from ..data.arrivals import ArrivalCounts
from .reject_chance import judge_rejected

MANY_SHARED = 0.05  # share of the first table's rows that may give way to another with their key


class Arrival(NamedTuple):
    """How many `rows` a file called `name` has, by what they are worth, and why some are rejected;
    how many of the others give way to one with their key (`repeated`).
    """

    name: str
    rows: int
    counts: ArrivalCounts
    reasons: str
    repeated: int

    def describe(self, judgement: str = "") -> list[str]:
        """Write a line for each of what is to be said of the rows; `judgement` is of the rejected
        ones, if they were judged.
        """
        rejected, lines = self.counts.rejected, []
        if rejected:
            judgement = judgement or f"{rejected:,} of {self.rows:,} rows break the contract"
            lines.append(f"{judgement}: {self.reasons}")
        if self.repeated:
            lines.append(f"{self.repeated:,} rows give way to another row with their key")
        return [*lines, *self.counts.notes()]

    def refuse_unless_readable(self, notes: list[str]) -> None:
        """Raise UserError if no row keeps the contract; `notes` on the columns may tell why."""
        if self.counts.rejected == self.rows:
            fault = (
                f"{self.name}: no row of it can be used, as all {self.rows:,} break the contract "
                f"({self.reasons}); correct the source or contract.yaml. Nothing changed."
            )
            raise UserError("\n".join([fault, *notes]))

    def judge_rejected(self, notes: list[str]) -> str:
        """Say how the rejected rows are judged by params.yaml; "" if there are none.

        Raises UserError, with `notes` on the columns, if they are surely more than it allows.
        """
        rejected, rows = self.counts.rejected, self.rows - self.counts.unlabelled
        if not rejected:
            return ""
        passed, judgement = judge_rejected(rejected, rows, Params.read().data.max_reject_rate)
        if not passed:
            fault = f"{self.name}: {judgement} ({self.reasons}); correct the source."
            raise UserError("\n".join([fault, *notes]))
        return judgement


def refuse_shared_keys(arrivals: list[Arrival], lost: int, keys: list[str], yes: bool) -> None:
    """Raise UserError if the key of a first table takes out many of its rows, unless said `yes`."""
    rows = sum(arrival.rows for arrival in arrivals)
    if lost > MANY_SHARED * rows and not yes:
        raise UserError(
            f"{lost:,} of {rows:,} rows share their key ({', '.join(keys)}) with another row, and "
            "only the last row of each key would stay: name all columns that make up the key (a "
            "--key for each) or leave --key out; say --yes if the last row is the right one."
        )
