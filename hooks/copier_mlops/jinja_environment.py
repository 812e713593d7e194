"""Jinja as Copier sets it up, for a template that lies in no folder."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import FunctionLoader, Template

from .copier_internals import SandboxedEnvironment, SettingsModel, Worker


def make_environment(
    envops: Mapping[str, Any], load: Callable[[str], str | None]
) -> SandboxedEnvironment:
    """Make an environment with the filters, functions and safety of Copier.

    `envops` are Jinja's settings, as the template gives them; `load` returns the text of a file of
    the template, None if there is no such file. Texts are compiled once, however often they are
    rendered.
    """
    worker = Worker(src_path="", settings=SettingsModel())
    worker.template = SimpleNamespace(  # type: ignore[assignment]
        local_abspath=Path(),
        envops={"keep_trailing_newline": True, **envops},
        jinja_extensions=(),
    )
    environment = worker.jinja_env
    environment.loader = FunctionLoader(load)
    environment.from_string = compile_once(environment)  # type: ignore[assignment, method-assign]
    return environment


def compile_once(environment: SandboxedEnvironment) -> Callable[[str], Template]:
    """Wrap the environment's `from_string`, so that equal texts share one compiled template."""
    compile_text = environment.from_string

    @cache
    def compile_new_text(text: str) -> Template:
        if not isinstance(text, str):
            raise TypeError("this is no text")  # so Copier tells a text from a value
        return flatten_globals(compile_text(text))

    return compile_new_text


def flatten_globals(template: Template) -> Template:
    """Make the globals one dictionary: each rendering copies them, far slower from a chain."""
    template.globals = dict(template.globals)
    return template
