"""Titles above a header, and tables that only look as if they had one."""

from typing import Any

import pytest
from mlops.records.header_rows import count_title_rows


@pytest.mark.parametrize(
    ("rows", "titles"),
    [
        ([["Sales"], ["a", "b", "c"], ["1", "2", "3"]], 1),
        ([["Sales", "", ""], [None, " ", ""], ["a", "b", "c"], [1, 2, 3]], 2),
        ([[], ["Sales"], [], ["a", "b"], [1, 2], [3, 4]], 3),
        ([["", "Sales", "", ""], ["a", "b", "c", "d"], [1, 2, 3, 4]], 1),
        ([["by", "shop"], ["a", "b", "c", "d"], [1, 2, 3, 4]], 1),
        ([["Sales"], ["2024"], ["a", "b", "c"], [1, 2, 3], [1, None, 3]], 2),
        ([["a", "b", "c"], [1, 2, 3]], 0),
        ([[], [], ["a", "b"], [1, 2]], 0),
        ([["", "0"], ["0", "5"], ["1", "6"]], 0),
        ([["name", "note"], ["x", "y"], ["x", "a", "b", "c", "d"]], 0),
        ([["a", "b", "c"], [1, None, None], [2, None, None]], 0),
        ([["a"], [1], [2]], 0),
        ([], 0),
    ],
)
def test_the_rows_above_the_header_are_counted(rows: list[list[Any]], titles: int) -> None:
    assert count_title_rows(rows) == titles
