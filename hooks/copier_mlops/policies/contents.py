"""What must not be in any file."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache

from ..errors import fold_lines
from ..repository_view import RepositoryView
from ..safe_yaml import YAML_ERRORS, parse_yaml
from .secret_rules import find_secrets, is_settings_file

READ = ("problem.yaml", "params.yaml", "contract.yaml", "dvc.yaml", "pyproject.toml")
PICKLES = re.compile(r".*\.(pkl|pickle|joblib|dill|pt|pth)(\.(gz|bz2|xz|zip))?", re.IGNORECASE)
PROTOCOLS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
UNPICKLERS = {
    "pickle": {"load", "loads", "Unpickler"},
    "cPickle": {"load", "loads", "Unpickler"},
    "_pickle": {"load", "loads", "Unpickler"},
    "cloudpickle": {"load", "loads"},
    "dill": {"load", "loads", "Unpickler"},
    "joblib": {"load"},
    "shelve": {"open"},
    "torch": {"load"},
    "pandas": {"read_pickle"},
}
HINT = re.compile(rb"pickle|dill|joblib|shelve|torch")


class Unreadable:
    """Files that are read are valid YAML or TOML."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView) -> str:
        reasons = (
            (path, describe_unreadable(path, repository.changed[path]))
            for path in READ
            if path in repository.changed
        )
        return "\n".join(
            f"{path}: cannot be read, {reason}: correct it." for path, reason in reasons if reason
        )


def describe_unreadable(path: str, content: bytes) -> str | None:
    """Say why a file cannot be read as a table; None: it can."""
    try:
        if path.endswith(".toml"):
            tomllib.loads(content.decode())
        elif not isinstance(parse_yaml(content), dict):
            return "it holds no table"
    except YAML_ERRORS as error:
        return fold_lines(error)
    return None


class Secrets:
    """No key, token or password is in a file."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView) -> str:
        return "\n".join(
            f"{path}:{line}: this looks like {kind}: revoke it, and read it from the environment."
            for path, content in repository.changed.items()
            for line, kind in find_secrets(content, is_settings_file(path))
        )


class PickleFiles:
    """No pickle is stored: loading one runs code."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView) -> str:
        named = [path for path in repository.tree.files if PICKLES.fullmatch(path)]
        inside = [
            path
            for path, content in repository.changed.items()
            if content.startswith(PROTOCOLS) and content.endswith(b".")
        ]
        return "\n".join(
            f"{path}: is a pickle, and whoever loads it runs its code: store ONNX, Parquet or JSON."
            for path in dict.fromkeys(named + inside)
        )


class PickleCode:
    """No code loads a pickle."""

    family = "mlops"

    @staticmethod
    def check(repository: RepositoryView) -> str:
        return "\n".join(
            f"{path}:{line}: {call} runs whatever code is in the file: read ONNX, Parquet or JSON."
            for path, content in repository.changed.items()
            if path.endswith(".py") and HINT.search(content)
            for line, call in find_unpickling(content)
        )


@lru_cache(maxsize=4096)
def find_unpickling(content: bytes) -> tuple[tuple[int, str], ...]:
    """Find line and name of each call that unpickles; none in what is no Python."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return ()
    return tuple(sorted(set(find_calls(tree))))


def find_calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Find imported unpicklers, their use as an attribute, and what allows numpy to unpickle."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {imported.asname or imported.name: imported.name for imported in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module in UNPICKLERS:
            for imported in node.names:
                if imported.name in UNPICKLERS[node.module]:
                    yield node.lineno, f"{node.module}.{imported.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id, "")
            if node.attr in UNPICKLERS.get(module, ()):
                yield node.lineno, f"{module}.{node.attr}"
        elif isinstance(node, ast.keyword) and ast.unparse(node) == "allow_pickle=True":
            yield node.value.lineno, "allow_pickle=True"
