"""How a source is to be read, where its file does not say so itself."""

from pathlib import Path
from typing import NamedTuple

from ..core.errors import UserError


class Reading(NamedTuple):
    """What the person who brings a file says of it; None where nothing is said.

    `encoding` is that of a text file, `sheet` a sheet's name in a workbook, `skip` the number of
    lines (of a sheet: rows) above the header, `comment` what lines begin with that are no rows,
    `records` where the records of a JSON document lie: names of members, joined by dots.
    """

    encoding: str | None = None
    sheet: str | None = None
    skip: int | None = None
    comment: str | None = None
    records: str | None = None

    def refuse_all_but(self, usable: tuple[str, ...], file: Path, kind: str) -> None:
        """Raise UserError for an option that says nothing of a file of this kind."""
        for name, value in self._asdict().items():
            if value is not None and name not in usable:
                options = ", ".join(f"--{each}" for each in usable) or "no such option"
                raise UserError(
                    f"{file.name}: --{name} does not go with {kind}, which takes {options}; "
                    "leave it out."
                )


AS_IT_IS = Reading()


class PlainFile(NamedTuple):
    """A file that the pipeline can scan, made of a delivered one.

    `part` names what was taken of a file that holds more ("": all of it), `notices` say what was
    done to it.
    """

    path: Path
    part: str = ""
    notices: tuple[str, ...] = ()
