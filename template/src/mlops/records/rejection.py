"""Rows of a delivery that break the contract, or share their key: told, and refused if too many."""

from typing import NamedTuple

from ..core.errors import UserError
from ..core.params import Params

MANY_SHARED = 0.05  # share of the first table's rows that may give way to another with their key


class Arrival(NamedTuple):
    """How many `rows` a file called `name` has, how many of them are `rejected`, and why; how many
    of the others give way to one with their key (`repeated`).
    """

    name: str
    rows: int
    rejected: int
    reasons: str
    repeated: int

    def describe(self) -> list[str]:
        """Write a line for the rejected rows, and one for the repeated, if there are any."""
        lines = []
        if self.rejected:
            lines.append(f"{self.rejected:,} rows break the contract: {self.reasons}")
        if self.repeated:
            lines.append(f"{self.repeated:,} rows give way to another row with their key")
        return lines

    def refuse_unless_readable(self) -> None:
        """Raise UserError if no row at all keeps the contract."""
        if self.rejected == self.rows:
            raise UserError(
                f"{self.name}: no row of it can be used, as all {self.rows:,} break the contract "
                f"({self.reasons}); correct the source or contract.yaml. Nothing changed."
            )

    def refuse_unless_few(self) -> None:
        """Raise UserError if more rows break the contract than params.yaml allows."""
        if self.rejected > Params.read().data.max_reject_rate * self.rows:
            raise UserError(
                f"{self.name}: {self.rejected:,} of {self.rows:,} rows break the contract, "
                f"more than data.max_reject_rate allows ({self.reasons}); correct the source."
            )


def refuse_shared_keys(arrivals: list[Arrival], lost: int, keys: list[str], yes: bool) -> None:
    """Raise UserError if the key of a first table takes out many of its rows, unless said `yes`."""
    rows = sum(arrival.rows for arrival in arrivals)
    if lost > MANY_SHARED * rows and not yes:
        raise UserError(
            f"{lost:,} of {rows:,} rows share their key ({', '.join(keys)}) with another row, and "
            "only the last row of each key would stay: name all columns that make up the key (a "
            "--key for each) or leave --key out; say --yes if the last row is the right one."
        )
