"""Sheets as openpyxl writes them: values of the right type, or one question."""

import datetime as dt
import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from delivering import bring, read, refusal

openpyxl = pytest.importorskip("openpyxl")  # of this repository, not of a project

HEAD = ["id", "when", "day", "ok", "price", "note", "zip"]
ROWS = [
    [1, dt.datetime(2024, 1, 2, 3, 4, 5), dt.date(2024, 1, 2), True, 1.5, "a", "01005"],
    [2, None, dt.date(2024, 1, 3), False, "#N/A", " ", "00123"],
    [3, dt.datetime(2024, 1, 3), None, True, 2, "#DIV/0!", "9"],
]
TABLE = pl.DataFrame(
    {
        "id": [1, 2, 3],
        "when": [ROWS[0][1], None, ROWS[2][1]],
        "day": [ROWS[0][2], ROWS[1][2], None],
        "ok": [True, False, True],
        "price": [1.5, None, 2.0],
        "note": ["a", None, None],
        "zip": ["01005", "00123", "9"],
    }
)
PAIR = [["x", "y"], [1, 2]]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(
    *rows: list[Any], change: Callable[[Any], None] | None = None, **others: list[list[Any]]
) -> Path:
    """A workbook with the sheet Data, and others."""
    book = openpyxl.Workbook()
    book.active.title = "Data"
    for name, content in {"Data": rows, **others}.items():
        sheet = book[name] if name in book.sheetnames else book.create_sheet(name)
        for row in content:
            sheet.append(row)
    if change:
        change(book)
    book.save("t.xlsx")
    return Path("t.xlsx")


def hide(book: Any) -> None:
    book["Others"].sheet_state = "hidden"


def reorder(book: Any) -> None:
    book.move_sheet("Data", offset=1)


@pytest.mark.parametrize(
    ("rows", "options", "others"),
    [
        ([HEAD, *ROWS], {}, {}),
        ([HEAD, *ROWS, [], [None, " "]], {}, {"Empty": []}),
        ([[], [], HEAD, *ROWS], {}, {}),
        ([HEAD, *ROWS], {"sheet": "Data"}, {"Others": PAIR}),
        ([HEAD, *ROWS], {}, {"Others": PAIR, "change": hide}),
        ([HEAD, *ROWS], {"sheet": "Data"}, {"Others": PAIR, "change": reorder}),
        ([[None, *HEAD], *([None, *row] for row in ROWS)], {}, {}),
        ([["Sales 2024"], [], HEAD, *ROWS], {"skip": 2}, {}),
        ([["# Sales"], HEAD, ROWS[0], ["# x"], *ROWS[1:]], {"comment": "#"}, {}),
    ],
)
def test_a_sheet_comes_with_its_types(
    rows: list[list[Any]], options: dict[str, Any], others: dict[str, Any]
) -> None:
    table = read(write(*rows, **others), **options)
    assert table.equals(TABLE)
    assert table.dtypes == TABLE.dtypes


def test_it_lands_as_parquet_and_is_told() -> None:
    source = write(HEAD, *ROWS)
    Path("t.xlsx.gz").write_bytes(gzip.compress(source.read_bytes()))
    assert read("t.xlsx.gz").equals(TABLE)
    (delivery,) = bring(source)
    assert delivery.path.name == "t.parquet"
    assert delivery.notices == ("t.xlsx, sheet 'Data' has 3 rows",)


def test_two_sheets_of_a_file_are_two_deliveries() -> None:
    source = write(*PAIR, Others=PAIR)
    assert len({bring(source, sheet=name)[0].sha256 for name in ("Data", "Others")}) == 2


def test_a_column_of_several_kinds_is_text_with_nothing_lost() -> None:
    cells = ["n/a", 3, 2.5, True, dt.date(2024, 1, 2), dt.datetime(2024, 1, 2, 3), dt.time(4, 5)]
    texts = ["n/a", "3", "2.5", "true", "2024-01-02", "2024-01-02 03:00:00", "04:05:00"]
    assert read(write(["id", "mix"], *enumerate(cells)))["mix"].to_list() == texts


def test_names_of_columns_are_texts_and_numbered_where_blank() -> None:
    table = read(write(["id", 2023, None, "z"], [1, 2, 3, 4], [5, 6, 7, 8]))
    assert table.columns == ["id", "2023", "column_3", "z"]


def test_cells_of_the_header_may_be_merged() -> None:
    table = read(
        write(["id", None, "z"], [1, 2, 3], change=lambda b: b.active.merge_cells("A1:B1"))
    )
    assert table.columns == ["id", "column_2", "z"]


@pytest.mark.parametrize(
    ("rows", "options", "others", "says"),
    [
        (PAIR, {}, {"Others": PAIR}, "say which one is the table, as in --sheet 'Data'; it has 'D"),
        (PAIR, {"sheet": "data"}, {}, "has no sheet 'data' with cells; it has 'Data'"),
        ([], {}, {}, "its sheets are empty"),
        ([["x", "y"]], {}, {}, "has no row below a header"),
        ([["Sales"], [], ["x", "y"], [1, 2]], {}, {}, "'Sales' stands above row 3, .* --skip 2 if"),
        ([["x", "x"], [1, 2]], {}, {}, "several columns are called 'x'"),
        ([["x", "n"], [1, 2**53 + 1]], {}, {}, "column 'n' holds whole numbers as large as 90071"),
        ([["x", "y"], [1, "=A2+1"]], {}, {}, "the formula in B2 has no result"),
        (
            [["x", "y"], [1, 2], [None, 3]],
            {},
            {"change": lambda book: book.active.merge_cells("A2:A3")},
            "the cells A2:A3 are merged into one",
        ),
        (PAIR, {"encoding": "cp1252"}, {}, "--encoding does not go with a workbook"),
    ],
)
def test_what_is_in_doubt_is_one_sentence(
    rows: list[list[Any]], options: dict[str, Any], others: dict[str, Any], says: str
) -> None:
    assert re.search(says, refusal(write(*rows, **others), **options))


def test_what_is_no_workbook_is_said() -> None:
    Path("t.xls").write_text("id,a\n1,2\n")
    assert "cannot be read as a workbook: it is damaged" in refusal("t.xls")


def test_a_locked_workbook_is_said() -> None:
    """As Office 2010 and later lock it: the workbook is a stream of a file of an older form."""
    names = "EncryptionInfo", "EncryptedPackage"
    Path("t.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + "".join(names).encode("utf-16-le") * 20)
    assert refusal("t.xlsx") == "t.xlsx is locked by a password: save a copy without one."
