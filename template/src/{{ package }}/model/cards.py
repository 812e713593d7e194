"""The model card and the data card, written from the run's own reports.

After Mitchell et al., Model Cards for Model Reporting (2019), and Gebru et al., Datasheets for
Datasets (2021). Neither holds a value of the data: they are kept in version control.
"""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..data.contract import Column
from ..files import replacing
from ..words import count, duration, listed, metric, number, percent, score, sentence, signed
from .reports import Reports

DOCS = Path("docs")
MODEL_CARD = DOCS / "model-card.md"
DATA_CARD = DOCS / "data-card.md"

# What Markdown would read as more than text; "_" only where it could start or end emphasis.
SPECIAL = re.compile(r"[\\`*\[\]<>|~&#$!]|(?<!\w)_|_(?!\w)")


def write(reports: Reports) -> list[Path]:
    """Write the cards. A run that made no model leaves the card of the last one as it was."""
    cards = {DATA_CARD: data_card(reports)}
    if reports.evaluation:
        cards[MODEL_CARD] = model_card(reports)
    for path, text in cards.items():
        with replacing(path) as scratch:
            scratch.write_text(text, encoding="utf-8")
    return list(cards)


def model_card(reports: Reports) -> str:
    return filled("model-card.md", reports)


def data_card(reports: Reports) -> str:
    return filled("data-card.md", reports)


def filled(template: str, reports: Reports) -> str:
    """The card as Markdown; every value is escaped, so that no name or text can break it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # noqa: S701  (Markdown, which `finalize` escapes)
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters = (count, duration, listed, metric, number, percent, score, sentence, signed)
    environment.filters.update({each.__name__: each for each in filters}, rule=rule)
    return environment.get_template(template).render(**vars(reports), failed=reports.failed)


def escaped(value: Any) -> str:
    """One line of plain text in Markdown, also within a table."""
    return SPECIAL.sub(r"\\\g<0>", re.sub(r"\s+", " ", str(value), flags=re.ASCII))


def rule(column: Column) -> str:
    """What the contract demands of a column, in words."""
    rules = ["never missing"] if column.required else []
    if column.minimum is not None:
        rules.append(f"at least {number(column.minimum)}")
    if column.maximum is not None:
        rules.append(f"at most {number(column.maximum)}")
    if column.categories:
        rules.append(f"one of {count(len(column.categories), 'category', 'categories')}")
    return ", ".join(rules)
