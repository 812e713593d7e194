"""Jinja as Copier sets it up, for a template that lies in no folder."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from copier import Worker
from copier._settings import SettingsModel
from jinja2 import FunctionLoader
from jinja2.sandbox import SandboxedEnvironment


def copiers_environment(
    envops: Mapping[str, Any], load: Callable[[str], str | None]
) -> SandboxedEnvironment:
    """With the filters, functions and safety of Copier; `load` gives a file's text, None if none.

    Texts are compiled once, however often they are rendered.
    """
    worker = Worker(src_path="", settings=SettingsModel())
    worker.template = SimpleNamespace(  # type: ignore[assignment, misc]
        local_abspath=Path(),
        envops={"keep_trailing_newline": True, **envops},
        jinja_extensions=(),
    )
    environment = worker.jinja_env
    environment.loader = FunctionLoader(load)
    environment.from_string = cache(environment.from_string)  # type: ignore[method-assign]
    return environment
