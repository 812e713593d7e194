"""What the platform demands of data, model and service: requirements.yaml.

A verdict has its owner and the lines that demand it from there, so that no gate is without.
"""

from functools import cache
from pathlib import Path

from ..core.problem import Problem
from ..core.strict_model import StrictModel, read_yaml
from .yaml_location import Entry


class Requirement(StrictModel):
    """`asks` is a heading for people; `owner` a role of problem.yaml; `test` a test in tests/, or
    all cases of one.
    """

    asks: str
    owner: str
    entries: list[str]
    test: str

    def list_places(self, concerned: tuple[Entry, ...] = ()) -> tuple[Entry, ...]:
        """List the entries that demand it; the `concerned` ones stand for others of their file."""
        files = {entry.file for entry in concerned}
        entries = (Entry(*text.split()) for text in self.entries)
        return (*(entry for entry in entries if entry.file not in files), *concerned)


@cache
def read_requirements(room: str) -> dict[str, Requirement]:
    """Read the requirements of a room by the name of the gate.

    The rooms are pipeline, review, storage, service and objectives. Raises KeyError for another.
    """
    rows = read_yaml(str(Path(__file__).with_name("requirements.yaml")))[room]
    return {name: Requirement.model_validate(row) for name, row in rows.items()}


def read_headings(room: str) -> dict[str, str]:
    """Read the heading of each requirement of a room, by the name of the gate."""
    return {name: requirement.asks for name, requirement in read_requirements(room).items()}


def name_owner(problem: Problem, role: str) -> str:
    """Name who has a role of problem.yaml; where nobody is named, the role in words."""
    return getattr(problem.owners, role) or role.replace("_", " ")
