"""The folders of this package that an answer may leave out, and how the others find them.

A folder that an update has emptied may still hold bytecode, so it is looked for by a file.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]


def has_room(name: str) -> bool:
    """Whether the folder is part of this project; `name` has slashes: "deployment/compose"."""
    return (PACKAGE / name / "__init__.py").is_file()


def load(module: str) -> Any:
    """A module of a room that is there, by its name in this package: "serving.server"."""
    return import_module(f"{__package__.partition('.')[0]}.{module}")
