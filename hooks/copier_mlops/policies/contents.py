"""What must not be in any file."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache

from ..errors import fold_lines
from ..repository_view import RepositoryView
from ..safe_yaml import YAML_ERRORS, parse_yaml

READ = ("problem.yaml", "params.yaml", "contract.yaml", "dvc.yaml", "pyproject.toml")
SECRETS = re.compile(
    rb"(?P<private_key>-----BEGIN (?:[A-Z]+ )?PRIVATE KEY(?: BLOCK)?-----)"
    rb"|(?P<AWS_key>\b(?:AKIA|ASIA)[0-9A-Z]{16}\b)"
    rb"|(?P<GitHub_token>\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,}))"
    rb"|(?P<GitLab_token>\bglpat-[A-Za-z0-9_-]{20,})"
    rb"|(?P<Slack_token>\bxox[abprs]-[A-Za-z0-9-]{20,})"
    rb"|(?P<Google_key>\bAIza[A-Za-z0-9_-]{35}\b)"
    rb"|(?P<Azure_key>\bAccountKey=[A-Za-z0-9+/]{40,})"
    rb"|(?P<PyPI_token>\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{20,})"
    rb"|(?P<password>\b[a-z][a-z0-9+.-]*://[^\s/:@\"'<>{}$]+:[^\s/:@\"'<>{}$*]{3,}@[A-Za-z0-9\[][^\s/\"'<>]+)"
)
MADE_UP = re.compile(rb"example|password@|:secret@|:pass@|@localhost|@127\.|\.\.\.", re.IGNORECASE)
ALLOWED = re.compile(rb"pragma: allowlist secret")  # as the hook of the project, detect-secrets
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
            for line, kind in find_secrets(content)
        )


@lru_cache(maxsize=4096)
def find_secrets(content: bytes) -> tuple[tuple[int, str], ...]:
    """Find line and kind of each secret, the kind with its article."""
    return tuple(
        (content.count(b"\n", 0, match.start()) + 1, name_kind(str(match.lastgroup)))
        for match in SECRETS.finditer(content)
        if not MADE_UP.search(match[0]) and not ALLOWED.search(get_line(content, match.start()))
    )


def name_kind(group: str) -> str:
    """Name a kind of secret, with its article, by its group in SECRETS."""
    return f"{'an' if group.startswith('A') else 'a'} {group.replace('_', ' ')}"


def get_line(content: bytes, place: int) -> bytes:
    """Cut out the line around a byte."""
    return content[content.rfind(b"\n", 0, place) + 1 :].split(b"\n", 1)[0]


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
