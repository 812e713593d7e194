"""Jinja for what people read: figures are formatted, and texts escaped, in one way everywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from ..core.formatting import (
    count,
    duration,
    listed,
    metric,
    number,
    percent,
    score,
    sentence,
    signed,
)
from .charts import Scale, format_short

FILTERS = (count, duration, listed, metric, number, percent, score, sentence, signed)


def make_environment(*folders: Path, finalize: Callable[[Any], str] | None = None) -> Environment:
    """Make Jinja for the templates of folders, with `FILTERS`; what is no HTML is finalized."""
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=select_autoescape(),
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update({each.__name__: each for each in FILTERS})
    return made


def html(*folders: Path) -> Environment:
    """Make Jinja for the pages in these folders, which share what is here."""
    jinja = make_environment(Path(__file__).parent, *folders)
    jinja.filters.update(scale=Scale.over, short=format_short)
    return jinja
