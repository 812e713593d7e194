"""The page of a profile: one file without scripts that loads nothing."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..pages.environment import html

if TYPE_CHECKING:
    from .table_profile import TableProfile


def render_page(profile: "TableProfile") -> str:
    """Return the page's HTML; the same profile gives the same bytes."""
    return html(Path(__file__).parent).get_template("profile.html").render(profile=profile)
