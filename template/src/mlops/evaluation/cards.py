"""The model card, the data card and the table of requirements, written from the run's own reports.

After Mitchell et al., Model Cards for Model Reporting (2019), and Gebru et al., Datasheets for
Datasets (2021). None holds a value of the data: they are kept in version control.
"""

import re
from pathlib import Path
from typing import Any

from ..core.formatting import count, number
from ..core.paths import write_text
from ..data.contract import Column
from ..gates.requirement_table import list_requirements
from ..pages.environment import make_environment
from .reports import Reports

MODEL_CARD = Path("docs/model-card.md")
DATA_CARD = Path("docs/data-card.md")
REQUIREMENTS = Path("docs/requirements.md")

# What Markdown would read as more than text; "_" only where it could start or end emphasis.
SPECIAL = re.compile(r"[\\`*\[\]<>|~&#$!]|(?<!\w)_|_(?!\w)")


def write_cards(reports: Reports) -> list[Path]:
    """Write the cards; a run that made no model leaves the card of the last one as it was.

    Returns the files written.
    """
    paths = [REQUIREMENTS, DATA_CARD]
    if reports.evaluation:
        paths.append(MODEL_CARD)
    for path in paths:
        write_text(path, render_card(path.name, reports))
    return paths


def render_card(template: str, reports: Reports) -> str:
    """Render a card as Markdown; every value is escaped, so that no name or text can break it."""
    markdown = make_environment(Path(__file__).parent, finalize=escape_markdown)
    markdown.filters["rule"] = describe_rules
    return markdown.get_template(template).render(
        **vars(reports),
        failed=reports.failed,
        requirements=list(list_requirements(reports.problem, reports.params)),
    )


def escape_markdown(value: Any) -> str:
    """Write any value as one line of plain text in Markdown, also within a table."""
    return SPECIAL.sub(r"\\\g<0>", re.sub(r"\s+", " ", str(value), flags=re.ASCII))


def describe_rules(column: Column) -> str:
    """Say in words what the contract demands of a column."""
    rules = {
        "never missing": column.required,
        f"at least {number(column.minimum)}": column.minimum is not None,
        f"at most {number(column.maximum)}": column.maximum is not None,
        f"one of {count(len(column.categories or ()), 'allowed text')}": column.categories,
        f"{count(len(column.known_categories), 'known text')}, or another": column.known_categories,
    }
    return ", ".join(words for words, demanded in rules.items() if demanded)
