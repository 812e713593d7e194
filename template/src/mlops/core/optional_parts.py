"""The folders of this package that an answer may leave out, and how the others find them.

A folder that an update has emptied may still hold bytecode, so it is looked for by a file.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]


def has_part(folder: str) -> bool:
    """Tell whether the folder is part of this project; it has slashes: "deployment/compose"."""
    return (PACKAGE / folder / "__init__.py").is_file()


def load_module(name: str) -> Any:
    """Import a module by its name in this package, such as "serving.server".

    Raises ImportError if it, or what it imports, is not there.
    """
    return import_module(f"{__package__.partition('.')[0]}.{name}")
