"""What is used of Copier beyond its public functions lies in one module, and of one release."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

from support import ROOT

READ = "9.19.1"
"""Another one? Compare what `copier_internals.py` imports with it, run the tests of standards, then
name it here and in pyproject.toml."""

PRIVATE = re.compile(r"(?:from|import) +copier\._")


def test_the_release_of_copier_is_the_one_whose_internals_were_read() -> None:
    assert version("copier") == READ
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"copier~={READ}" in pyproject["project"]["dependencies"]


def test_only_one_module_imports_internals_of_copier() -> None:
    modules = [*(ROOT / "hooks").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert [path.name for path in modules if imports_internals(path)] == ["copier_internals.py"]


def imports_internals(module: Path) -> bool:
    return PRIVATE.search(module.read_text(encoding="utf-8")) is not None
