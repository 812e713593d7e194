"""Packages as a team would write them, made for a test."""

import sys
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from mlops.core import team

from files import FILES

[SEEDED] = (file.parent for file in (FILES / "src").glob("*/candidates.py"))
_numbers = count()


@contextmanager
def team_package(folder: Path, **files: str):
    """A package of seeded files, those in `files` changed, as the one that pyproject.toml names.

    Yields its folder. A file that is "" is not there.
    """
    name = f"team{next(_numbers)}"
    made = folder / "src" / name
    made.mkdir(parents=True)
    for file in SEEDED.glob("*.py"):
        text = files.get(file.stem, file.read_text(encoding="utf-8"))
        if text or file.stem == "__init__":
            (made / file.name).write_text(text, encoding="utf-8")
    settings = folder / "pyproject.toml"
    settings.write_text(f'[tool.mlops]\npackage = "{name}"\n', encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder / "src"))
        patch.setattr(team, "PYPROJECT", settings)
        try:
            yield made
        finally:
            for module in [each for each in sys.modules if each.partition(".")[0] == name]:
                del sys.modules[module]
