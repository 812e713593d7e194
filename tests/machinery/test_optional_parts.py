"""What an answer may leave out is taken away, and the rest still works."""

import ast
import os
import shutil
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import mlops
import pytest

SOURCE = Path(mlops.__file__).parent
# By the answer that leaves them out together.
LEFT_OUT = {
    "scale single": ["cluster"],
    "deploy none": ["serving", "deployment", "monitoring"],
    "deploy not compose": ["deployment/compose"],
    "deploy not kubernetes": ["deployment/kubernetes"],
}
COMMANDS = ["--help", "data --help", "model --help", "project --help", "business --help"]


def modules(source: Path) -> list[str]:
    paths = (path.relative_to(source).with_suffix("") for path in source.rglob("*.py"))
    names = (".".join(["mlops", *path.parts]).removesuffix(".__init__") for path in paths)
    return sorted(name for name in names if not name.endswith("__main__"))


def is_gone(module: str, folders: list[str]) -> bool:
    path = module.removeprefix("mlops.").replace(".", "/")
    return any(f"{path}/".startswith(f"{folder}/") for folder in folders)


@pytest.mark.parametrize("module", modules(SOURCE))
def test_what_stays_imports_nothing_that_goes(module):
    path = SOURCE.joinpath(*module.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    parent = module if path.is_dir() else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = resolve_name("." * node.level + (node.module or ""), parent)
            for name in (base, *(f"{base}.{alias.name}" for alias in node.names)):
                for answer, folders in LEFT_OUT.items():
                    assert is_gone(module, folders) or not is_gone(name, folders), (name, answer)


@pytest.mark.parametrize("answer", LEFT_OUT)
def test_without_the_folders_of_an_answer_all_else_works(answer, tmp_path):
    """Also where bytecode of them was left behind."""
    for folder in LEFT_OUT[answer]:
        if not (SOURCE / folder / "__init__.py").exists():
            pytest.skip(f"{folder} is not part of this project")
    copy = tmp_path / "mlops"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in LEFT_OUT[answer]:
        shutil.rmtree(copy / folder, ignore_errors=True)
        (copy / folder / "__pycache__").mkdir(parents=True)
        (copy / folder / "__pycache__" / "__init__.cpython-311.pyc").write_bytes(b"left")
    places = [str(tmp_path), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    load = "import sys, importlib; [importlib.import_module(name) for name in sys.argv[1:]]"
    left = modules(copy)
    assert len(left) > 50
    for words in (["-c", load, *left], *(["-m", "mlops", *each.split()] for each in COMMANDS)):
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
