"""Jinja as Copier sets it up, for a template that lies in no folder."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from copier._jinja_ext import SandboxedEnvironment
from copier._main import Worker
from copier._settings import SettingsModel
from jinja2 import FunctionLoader, Template


def copiers_environment(
    envops: Mapping[str, Any], load: Callable[[str], str | None]
) -> SandboxedEnvironment:
    """With the filters, functions and safety of Copier; `load` gives a file's text, None if none.

    Texts are compiled once, however often they are rendered.
    """
    worker = Worker(src_path="", settings=SettingsModel())
    worker.template = SimpleNamespace(  # type: ignore[assignment]
        local_abspath=Path(),
        envops={"keep_trailing_newline": True, **envops},
        jinja_extensions=(),
    )
    environment = worker.jinja_env
    environment.loader = FunctionLoader(load)
    environment.from_string = compiled_once(environment)  # type: ignore[assignment, method-assign]
    return environment


def compiled_once(environment: SandboxedEnvironment) -> Callable[[str], Template]:
    compile_text = environment.from_string

    @cache
    def once(text: str) -> Template:
        if not isinstance(text, str):
            raise TypeError("this is no text")  # so Copier tells a text from a value
        return swift(compile_text(text))

    return once


def swift(template: Template) -> Template:
    """Its globals are copied for each rendering: far faster from a dictionary than from a chain."""
    template.globals = dict(template.globals)
    return template
