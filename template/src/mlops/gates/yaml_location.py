"""Where an entry of a team's file stands, so that whoever is to change it finds it."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CONTRACT = "contract.yaml"
COLUMNS = ("schema", 0, "properties")
Step = str | int


class Entry(NamedTuple):
    """An entry of a YAML file, such as `gates.min_lift`; of contract.yaml a column, or all ("")."""

    file: str
    name: str = ""

    @property
    def path(self) -> tuple[Step, ...]:
        """The keys, and places in lists, that lead to it."""
        if self.file == CONTRACT:
            return (*COLUMNS, self.name) if self.name else COLUMNS
        return tuple(self.name.split("."))

    @property
    def line(self) -> int | None:
        """The number of its line, from 1; None if the entry, or the file, is not there.

        What is no column of the contract (a key of several) is looked for among all of them.
        """
        if not Path(self.file).exists():
            return None
        text = Path(self.file).read_text(encoding="utf-8")
        number = find_line(text, self.path)
        return find_line(text, COLUMNS) if number is None and self.file == CONTRACT else number

    def __str__(self) -> str:
        """Write it as `params.yaml:31 gates.min_lift`, or say why it has no line."""
        name, number = self.name or "columns", self.line
        if number:
            return f"{self.file}:{number} {name}"
        why = (
            "not set there, so the default applies" if Path(self.file).exists() else "not there yet"
        )
        return f"{self.file} {name} ({why})"


def list_column_entries(names: Iterable[str]) -> tuple[Entry, ...]:
    """List the entries of columns in contract.yaml, each once."""
    return tuple(Entry(CONTRACT, name) for name in dict.fromkeys(names))


def find_line(text: str, path: tuple[Step, ...]) -> int | None:
    """Find the line, from 1, to which a path leads: by keys, by places in a list, or by the `name`
    of its items; None if it leads nowhere.
    """
    number, node = None, compose_yaml(text)
    for step in path:
        number, node = find_child(node, step)
        if node is None:
            return None
    return number


@lru_cache(maxsize=8)
def compose_yaml(text: str) -> Any:
    """Parse a text into PyYAML's nodes, which know their lines; None if it is empty."""
    return yaml.compose(text, Loader=yaml.SafeLoader)


def find_child(node: Any, step: Step) -> tuple[int | None, Any]:
    """Return the line on which a node's child begins, and the child; None and None if it has none.

    `step` is a key, a place in a list, or the `name` of an item of a list.
    """
    if isinstance(node, yaml.MappingNode):
        children = [(key, value) for key, value in node.value if key.value == step]
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        children = [(item, item) for item in node.value[step : step + 1]]
    elif isinstance(node, yaml.SequenceNode):
        named = [(item, find_child(item, "name")[1]) for item in node.value]
        children = [(item, item) for item, name in named if name is not None and name.value == step]
    else:
        children = []
    return next(((start.start_mark.line + 1, child) for start, child in children), (None, None))
