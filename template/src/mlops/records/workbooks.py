"""Sheets of workbooks (Excel, LibreOffice) as tables with a type for each column."""

import datetime as dt
import re
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile, is_zipfile

import polars as pl
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from ..core.errors import UserError
from ..core.full_disk import is_full_disk
from ..data.number_text import LARGEST
from ..data.sources import name_columns, open_unpacked
from .header_rows import count_title_rows, is_blank
from .reading_options import PlainFile, Reading

Rows = list[list[Any]]
OFFICE = "http://schemas.openxmlformats.org"
SHEETS = f"{{{OFFICE}/spreadsheetml/2006/main}}"
RELATION = f"{{{OFFICE}/officeDocument/2006/relationships}}"
WITHOUT_RESULT = re.compile(  # a text that is empty is a result
    rb'<c r="(\w+)"(?![^>]*t="str")[^>]*>\s*<f(?:[^>]*/>|[^>]*>[^<]*</f>)\s*'
    rb"(?:<v\s*/>|<v></v>)?\s*</c>"
)

LOCKED = "is locked by a password: save a copy without one"
DAMAGED = (
    "cannot be read as a workbook: it is damaged, or of another kind than its name says; open it "
    "in a spreadsheet program, and save it again as .xlsx."
)
COMPOUND = b"\xd0\xcf\x11\xe0"  # how files of an old Office begin, and locked ones
UNREADABLE = (  # what the readers of workbooks, of archives and of markup raise
    *(CalamineError, pl.exceptions.PanicException, ElementTree.ParseError, BadZipFile, zlib.error),
    *(OSError, EOFError, ValueError, KeyError, NotImplementedError),
)


def make_sheet_plain(file: Path, folder: Path, reading: Reading) -> PlainFile:
    """Copy a sheet to the folder as Parquet: numbers (whole or not), booleans, dates and texts.

    A column of several kinds becomes text; a cell with an error such as #N/A is missing. Raises
    UserError if it is in doubt which sheet is meant or where its header is, and for cells that are
    merged or whose formula has no result.
    """
    reading.refuse_all_but(("sheet", "skip", "comment"), file, "a workbook")
    try:
        with open_unpacked(file) as stream, CalamineWorkbook.from_filelike(stream) as workbook:
            name, is_alone = choose_sheet(file, workbook, reading.sheet)
            place = f"{file.name}, sheet '{name}'"
            sheet = workbook.get_sheet_by_name(name)
            rows = drop_blank_columns(sheet.to_python(skip_empty_area=False))
            start = find_header(place, rows, reading)
            refuse_merged_cells(place, sheet, start)
            refuse_open_formulas(place, file, name)
    except PasswordError as error:
        raise UserError(f"{file.name} {LOCKED}.") from error
    except UNREADABLE as error:
        if is_full_disk(error):
            raise
        fault = f"{LOCKED}." if is_encrypted(file) else DAMAGED
        raise UserError(f"{file.name} {fault}") from error
    table = make_table(place, [row for row in rows[start:] if not is_remark(row, reading.comment)])
    copy = folder / f"{Path(file.name.removesuffix('.gz')).stem}.parquet"
    table.write_parquet(copy)
    options = {"sheet": None if is_alone else name, "skip": start, "comment": reading.comment}
    part = " ".join(f"--{option} {value}" for option, value in options.items() if value)
    return PlainFile(copy, part, (f"{place} has {table.height:,} rows",))


def is_encrypted(file: Path) -> bool:
    """Tell whether a file holds a workbook in the form that Office locks it in."""
    with open_unpacked(file) as stream:
        content = stream.read()
    return content.startswith(COMPOUND) and "EncryptedPackage".encode("utf-16-le") in content


def choose_sheet(file: Path, workbook: CalamineWorkbook, wanted: str | None) -> tuple[str, bool]:
    """Return the name of the sheet that is meant, and whether no other one holds anything.

    Raises UserError if there is none of that name, or several where none is named.
    """
    sheets = [each for each in workbook.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
    filled = [each for each in sheets if workbook.get_sheet_by_name(each.name).height]
    names = [each.name for each in filled]
    if wanted is not None and wanted not in names:
        raise UserError(f"{file.name} has no sheet '{wanted}' with cells; it has {list_of(names)}.")
    shown = [each.name for each in filled if each.visible == SheetVisibleEnum.Visible]
    candidates = [wanted] if wanted is not None else shown or names
    if not candidates:
        raise UserError(f"{file.name}: its sheets are empty; deliver one with a header and rows.")
    if len(candidates) > 1:
        raise UserError(
            f"{file.name} has several sheets: say which one is the table, as in --sheet "
            f"'{candidates[0]}'; it has {list_of(candidates)}."
        )
    return candidates[0], len(names) == 1


def list_of(names: list[str]) -> str:
    """List names in quotes, the first twenty."""
    return ", ".join(f"'{name}'" for name in names[:20]) or "none"


def drop_blank_columns(rows: Rows) -> Rows:
    """Leave out the columns in which no cell holds anything."""
    kept = [n for n, cells in enumerate(zip(*rows, strict=True)) if not all(map(is_blank, cells))]
    return [[row[number] for number in kept] for row in rows]


def is_remark(row: list[Any], comment: str | None) -> bool:
    """Tell whether the first cell of a row that holds something says that it is no row."""
    first = next((cell for cell in row if not is_blank(cell)), None)
    return bool(comment) and isinstance(first, str) and first.startswith(comment or "")


def find_header(place: str, rows: Rows, reading: Reading) -> int:
    """Find the header's number, from 0. Raises UserError if a title may stand above it."""
    if reading.skip is not None:
        return reading.skip
    numbers = [number for number, row in enumerate(rows) if not is_remark(row, reading.comment)]
    titles = count_title_rows([rows[number] for number in numbers])
    if not titles:
        return 0
    title = next(cell for number in numbers for cell in rows[number] if not is_blank(cell))
    header = numbers[titles]
    raise UserError(
        f"{place}: '{title}' stands above row {header + 1}, which has more cells: say --skip "
        f"{header} if that row is the header, --skip 0 if this is."
    )


def refuse_merged_cells(place: str, sheet: CalamineSheet, header: int) -> None:
    """Raise UserError if cells below the header are merged: is the value that of each row?"""
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if bottom > header or top < header == bottom:
            cells = f"{name_cell(top, left)}:{name_cell(bottom, right)}"
            raise UserError(
                f"{place}: the cells {cells} are merged into one; unmerge them, and fill in what "
                "each row holds."
            )


def name_cell(row: int, column: int) -> str:
    """Name a cell as Excel does: (1, 27) is AB2."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row + 1}"


def refuse_open_formulas(place: str, file: Path, name: str) -> None:
    """Raise UserError for a formula of a sheet without a result, as a program that does not
    calculate writes it: the cell would seem to be blank.
    """
    if not is_zipfile(file):
        return
    with ZipFile(file) as workbook:
        member = find_member(workbook, name)
        content = workbook.read(member) if member in workbook.namelist() else b""
    if match := WITHOUT_RESULT.search(content):
        raise UserError(
            f"{place}: the formula in {match[1].decode()} has no result; open the file in a "
            "spreadsheet program, and save it."
        )


def find_member(workbook: ZipFile, name: str) -> str:
    """Find the part of an Excel file that holds a sheet; "" in other kinds of workbooks."""
    if "xl/workbook.xml" not in workbook.namelist():
        return ""
    # Of entities that grow without end, Python's own parser has been safe since expat 2.4.
    book = ElementTree.fromstring(workbook.read("xl/workbook.xml"))  # noqa: S314
    sheets = book.iter(f"{SHEETS}sheet")
    wanted = next((each.get(f"{RELATION}id") for each in sheets if each.get("name") == name), None)
    parts = ElementTree.fromstring(workbook.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    target = next((part.get("Target", "") for part in parts if part.get("Id") == wanted), "")
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def make_table(place: str, rows: Rows) -> pl.DataFrame:
    """Make a table of rows, the first of which that holds something is the header.

    Raises UserError if there is no row, for names that stand twice, and for rounded numbers.
    """
    filled = [number for number, row in enumerate(rows) if not all(map(is_blank, row))]
    if len(filled) < 2:
        raise UserError(f"{place}: it has no row below a header; deliver some rows.")
    header, *body = drop_blank_columns(rows[filled[0] : filled[-1] + 1])
    names = name_columns([write_cell(cell) for cell in header])
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"{place}: several columns are called '{twice[0]}'; rename them.")
    columns = zip(names, zip(*body, strict=True), strict=True)
    return pl.DataFrame([make_column(place, name, list(cells)) for name, cells in columns])


def make_column(place: str, name: str, cells: list[Any]) -> pl.Series:
    """Make a column of the one type that all cells have, or else of text."""
    values = [None if is_blank(cell) else cell for cell in cells]
    kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {int, float} and kinds:
        return make_numbers(place, name, values)
    if kinds == {bool}:
        return pl.Series(name, values, pl.Boolean)
    if kinds == {dt.date}:
        return pl.Series(name, values, pl.Date)
    if kinds and kinds <= {dt.date, dt.datetime}:
        moments = [value and dt.datetime.fromisoformat(value.isoformat()) for value in values]
        return pl.Series(name, moments, pl.Datetime("us"))
    texts = [None if value is None else write_cell(value) for value in values]
    return pl.Series(name, texts, pl.String)


def make_numbers(place: str, name: str, values: list[float | None]) -> pl.Series:
    """Make a column of whole numbers, if all are. Raises UserError if one is not kept exactly."""
    present = [value for value in values if value is not None]
    if not all(float(value).is_integer() for value in present):
        return pl.Series(name, values, pl.Float64, strict=False)
    if beyond := next((value for value in present if abs(value) >= LARGEST), None):
        raise UserError(
            f"{place}: column '{name}' holds whole numbers as large as {beyond:.17g}, which a "
            "workbook rounds; write them as text, or bring them as CSV."
        )
    return pl.Series(name, [None if value is None else int(value) for value in values], pl.Int64)


def write_cell(cell: Any) -> str:
    """Write a cell as text: whole numbers without a point, dates by ISO 8601."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < LARGEST:
        return str(int(cell))
    return cell.isoformat(" ") if isinstance(cell, dt.datetime) else str(cell)
