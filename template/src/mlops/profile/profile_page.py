"""The page of a profile: one file without scripts that loads nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..pages.environment import html
from .associations import Association

if TYPE_CHECKING:
    from .table_profile import TableProfile

MOST_IN_MATRIX = 14


@dataclass(frozen=True)
class Matrix:
    """Associations of columns, as a square: `cells` by row; None on the diagonal and where the pair
    is not among the strongest of the profile.
    """

    names: list[str]
    cells: list[list[Association | None]]


def render_page(profile: "TableProfile") -> str:
    """Return the page's HTML; the same profile gives the same bytes."""
    template = html(Path(__file__).parent).get_template("profile.html")
    by_name = {column.name: column for column in profile.columns}
    return template.render(profile=profile, by_name=by_name, matrix=make_matrix(profile))


def make_matrix(profile: "TableProfile") -> Matrix:
    """Make the square of the columns that move most with others, in the order of the table."""
    most: dict[str, float] = {}
    for pair in profile.associations:
        for name in (pair.one, pair.other):
            most[name] = max(most.get(name, 0.0), abs(pair.value))
    chosen = sorted(most, key=lambda name: -most[name])[:MOST_IN_MATRIX]
    names = [column.name for column in profile.columns if column.name in chosen]
    pairs = {frozenset((pair.one, pair.other)): pair for pair in profile.associations}
    cells = [[pairs.get(frozenset((row, column))) for column in names] for row in names]
    return Matrix(names, cells)
