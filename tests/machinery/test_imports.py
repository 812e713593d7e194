"""Each import of the machinery, those within functions too, names something that is there."""

import ast
from importlib import import_module
from importlib.util import resolve_name
from pathlib import Path

import mlops
import pytest

ROOT = Path(mlops.__file__).parent
MODULES = sorted(path.relative_to(ROOT.parent) for path in ROOT.rglob("*.py"))


def imports(path):
    """(module, name) of each `from ... import name` of ours."""
    package = ".".join(path.parent.parts)
    for node in ast.walk(ast.parse((ROOT.parent / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.level or node.module.startswith("mlops")):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield from ((module, each.name) for each in node.names)


def is_there(module, name):
    if hasattr(import_module(module), name):
        return True
    try:
        import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_what_is_imported_is_there(path):
    assert [each for each in imports(path) if not is_there(*each)] == []
