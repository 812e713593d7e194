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
        if self.file == CONTRACT:
            return (*COLUMNS, self.name) if self.name else COLUMNS
        return tuple(self.name.split("."))

    @property
    def line(self) -> int | None:
        """1 is the first line; None: the entry, or the file, is not there. What is no column of the
        contract (a key of several) is looked for among all of them.
        """
        if not Path(self.file).exists():
            return None
        text = Path(self.file).read_text(encoding="utf-8")
        found = line(text, self.path)
        return line(text, COLUMNS) if found is None and self.file == CONTRACT else found

    def __str__(self) -> str:
        """`params.yaml:31 gates.min_lift`."""
        name, found = self.name or "columns", self.line
        if found:
            return f"{self.file}:{found} {name}"
        why = (
            "not set there, so the default applies" if Path(self.file).exists() else "not there yet"
        )
        return f"{self.file} {name} ({why})"


def columns(names: Iterable[str]) -> tuple[Entry, ...]:
    return tuple(Entry(CONTRACT, name) for name in dict.fromkeys(names))


def line(text: str, path: tuple[Step, ...]) -> int | None:
    """The line of what is found by keys, by places in a list, or by the `name` of its items."""
    found, node = None, composed(text)
    for step in path:
        found, node = child(node, step)
        if node is None:
            return None
    return found


@lru_cache(maxsize=8)
def composed(text: str) -> Any:
    return yaml.compose(text, Loader=yaml.SafeLoader)


def child(node: Any, step: Step) -> tuple[int | None, Any]:
    """The line it begins on, and the node itself; None and None if there is none."""
    if isinstance(node, yaml.MappingNode):
        found = [(key, value) for key, value in node.value if key.value == step]
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        found = [(item, item) for item in node.value[step : step + 1]]
    elif isinstance(node, yaml.SequenceNode):
        named = [(item, child(item, "name")[1]) for item in node.value]
        found = [(item, item) for item, name in named if name is not None and name.value == step]
    else:
        found = []
    return next(((at.start_mark.line + 1, value) for at, value in found), (None, None))
