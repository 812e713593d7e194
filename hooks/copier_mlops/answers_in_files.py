"""Answers that stand in files which a team may edit, against what those files say."""

import configparser
from collections.abc import Callable, Iterator
from typing import Any

from .findings import Finding
from .render import Render
from .repository_view import parse_table, parse_toml_table
from .rules import make_finding
from .trees import Tree

# The file, the setting in it, and the answer that it comes from.
SETTINGS = (
    ("LICENSE", "", "licence"),
    ("pyproject.toml", "project.license", "licence"),
    ("pyproject.toml", "project.requires-python", "python_min"),
    ("pyproject.toml", "project.name", "package"),
    ("pyproject.toml", "tool.mlops.package", "package"),
    (".dvc/config", "'remote \"storage\"'.url", "dvc_remote_url"),
    ("params.yaml", "tracking.uri", "mlflow_uri"),
)
DEPENDS_ON = {"dvc_remote_url": "dvc_remote", "mlflow_uri": "mlflow"}


def find_other_settings(
    render: Render, tree: Tree, rendered: Callable[[str], bytes | None]
) -> Iterator[Finding]:
    """Find settings that say something else than the answers; files as they came are not read."""
    for path, setting, question in SETTINGS:
        if path not in tree.files or path not in render.files:
            continue
        if tree.files[path].blob == render.files[path].blob:
            continue
        says, asked_for = read(path, setting, tree.read(path)), None
        if says is not None:
            asked_for = read(path, setting, rendered(path) or b"")
        if asked_for is None or says == asked_for or is_own_folder(question, says, asked_for):
            continue
        hidden = question in render.answers and render.answers[question].hidden
        asked = DEPENDS_ON.get(question, question) if hidden else question
        yield make_finding(
            "answers.contradict",
            f"{path} says {setting or 'the licence'} is {says!r}, and by the answer {asked} it is "
            f"{asked_for!r}: put it back, or change the answer with copier update --data "
            f"{asked}=VALUE.",
            path,
        )


def read(path: str, setting: str, content: bytes) -> str | None:
    """Read a setting; None: the file does not have it, or cannot be read."""
    text = content.decode(errors="replace")
    if not setting:  # a text: its first line says what it is
        return next((line.strip() for line in text.splitlines() if line.strip()), None)
    if path.endswith((".toml", ".yaml")):
        table: Any = parse_toml_table(content) if path.endswith(".toml") else parse_table(content)
        for part in setting.split("."):
            table = table.get(part) if isinstance(table, dict) else None
        return None if table is None else str(table)
    section, _, name = setting.rpartition(".")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    return parser.get(section, name, fallback=None)


def is_own_folder(question: str, says: str | None, asked_for: str) -> bool:
    """Tell whether the data lie in another folder than the proposed one: no answer names it."""
    return question == "dvc_remote_url" and "://" not in f"{says}{asked_for}"
