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

    def places(self, concerned: tuple[Entry, ...] = ()) -> tuple[Entry, ...]:
        """The entries that demand it; the `concerned` ones stand for the others of their file."""
        files = {entry.file for entry in concerned}
        entries = (Entry(*text.split()) for text in self.entries)
        return (*(entry for entry in entries if entry.file not in files), *concerned)


@cache
def demanded(room: str) -> dict[str, Requirement]:
    """Requirements of pipeline, review, storage, service or objectives, by the name of the gate."""
    rows = read_yaml(str(Path(__file__).with_name("requirements.yaml")))[room]
    return {name: Requirement.model_validate(row) for name, row in rows.items()}


def headings(room: str) -> dict[str, str]:
    return {name: requirement.asks for name, requirement in demanded(room).items()}


def answering(problem: Problem, role: str) -> str:
    """Who has the role; where nobody is named, the role."""
    return getattr(problem.owners, role) or role.replace("_", " ")
