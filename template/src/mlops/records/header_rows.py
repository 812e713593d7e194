"""Where a table begins: titles that people put above the header, in text files and in workbooks."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

LOOKED_AT = 50  # rows


def count_title_rows(rows: Sequence[Sequence[Any]]) -> int:
    """Count the rows above the header: those before the first that names enough of the columns.

    A title stands alone in its row, or at the left of a row with at most half of the cells that
    most rows have. Blank rows count where a title stands before them.
    """
    filled = [[not is_blank(cell) for cell in row] for row in rows[:LOOKED_AT]]
    widths = Counter(filter(None, map(sum, filled)))
    width = max(widths, key=lambda width: (widths[width], width), default=0)
    titles = 0
    for number, cells in enumerate(filled, 1):
        alone = sum(cells) == 1 and width > 2
        if sum(cells) and not (alone or (cells[0] and 2 * sum(cells) <= width)):
            return titles
        titles = number if sum(cells) or titles else 0
    return 0


def is_blank(cell: Any) -> bool:
    """Tell whether a cell holds nothing, or blanks."""
    return cell is None or (isinstance(cell, str) and not cell.strip())
