"""Text tables in a dialect that the pipeline does not scan, made plain, line by line.

A dialect is seen in the first lines; what a file says beyond doubt is done and told, anything else
is asked about. inspection.py then looks through all of what was made.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ..core.errors import UserError
from ..data.sources import SEPARATORS, extension, open_unpacked, read_lines
from .foreign_formats import strip_packing
from .header_rows import LOOKED_AT, count_title_rows
from .inspection import check_text, read_head
from .reading_options import PlainFile, Reading
from .text_encoding import decode_head, read_mark

SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


class Dialect(NamedTuple):
    """How a text table is written, where that is not plain; lines are numbered from 0."""

    encoding: str | None = None
    has_old_ends: bool = False  # a carriage return alone, as on an old Macintosh
    separator: str | None = None  # as a first line such as sep=; says it
    skip: int = 0  # lines above the header
    comment: str | None = None
    trailing: str = ""  # the separator that ends each row


def make_text_plain(file: Path, folder: Path, reading: Reading) -> PlainFile:
    """Return a text table as it is, or a copy in UTF-8 without what is no part of the table.

    Raises UserError if its dialect is in doubt, or not what the options say.
    """
    reading.refuse_all_but(("encoding", "skip", "comment"), file, "a text file")
    if not (reading.encoding or read_mark(file)):
        check_text(file, read_head(file))
    head = decode_head(file, reading.encoding)
    dialect = recognise_dialect(file, head, reading)
    if dialect == Dialect():
        return PlainFile(file)
    copy = folder / strip_packing(file.name)
    write_in_utf8(file, copy, dialect)
    options = {"skip": reading.skip, "comment": reading.comment}
    part = " ".join(f"--{name} {value}" for name, value in options.items() if value)
    return PlainFile(copy, part, tuple(describe_dialect(file, head, dialect, reading)))


def recognise_dialect(file: Path, head: str, reading: Reading) -> Dialect:
    """Recognise the dialect in the first lines. Raises UserError if there are two ways to read."""
    lines = split_lines(head)
    separator_line = SEPARATOR_LINE.fullmatch(lines[0])
    separator = separator_line[1] if separator_line else None
    marks = separator or SEPARATORS[extension(file)]
    skip = max(reading.skip or 0, bool(separator))
    if reading.skip is None and not reading.comment:
        skip += count_remarks(file, lines[skip:], marks)
    numbers = [
        number
        for number, line in enumerate(lines)
        if number >= skip and not is_remark(line, reading.comment)
    ]
    rows, mark = cut_rows([lines[number] for number in numbers], marks)
    if reading.skip is None and (titles := count_title_rows(rows)):
        title = next(cell.strip() for row in rows for cell in row if cell.strip())
        raise UserError(
            f"{file.name}: '{title[:60]}' stands above a line with more cells: say --skip "
            f"{numbers[titles]} if that is the header, --skip {skip} if this is the header."
        )
    dialect = Dialect(
        encoding=reading.encoding or read_mark(file),
        has_old_ends=has_old_ends(head),
        separator=separator,
        skip=skip,
        comment=reading.comment,
    )
    trailing = ends_in_blanks(rows) and ends_each_row(file, dialect, mark)
    return dialect._replace(trailing=mark) if trailing else dialect


def split_lines(head: str) -> list[str]:
    """Split the first lines, of which there is one at least."""
    return list(islice(io.StringIO(head, newline=None), LOOKED_AT)) or [""]


def has_old_ends(head: str) -> bool:
    """Tell whether lines end in a carriage return alone; in quotes, anything may stand."""
    without_cells = re.sub('"[^"]*"', "", head)
    return "\r" in without_cells and "\n" not in without_cells


def describe_dialect(file: Path, head: str, dialect: Dialect, reading: Reading) -> Iterator[str]:
    """Say what was done to a file that nobody has asked for."""
    first, *others = split_lines(head)
    if dialect.encoding and not reading.encoding:
        yield f"{file.name} is in {dialect.encoding.upper()}, as its first bytes say"
    if dialect.has_old_ends:
        yield f"{file.name}: lines end in a carriage return, as on an old Macintosh"
    if dialect.separator:
        yield f"{file.name}: the first line, {first.strip()}, is left out"
    if remarks := dialect.skip - max(reading.skip or 0, bool(dialect.separator)):
        remark = others[0] if dialect.separator else first
        yield (
            f"{file.name}: {remarks} line(s) of remarks above the header are left out, such as "
            f"'{remark.strip()[:60]}'"
        )
    if dialect.trailing:
        yield f"{file.name}: each row ends in '{dialect.trailing}'; the empty column is left out"


def cut_rows(lines: list[str], marks: str) -> tuple[list[list[str]], str]:
    """Cut lines into cells, by the mark that cuts most of them into the same number, above one."""
    rows = {mark: list(read_cells(lines, mark)) for mark in marks}

    def rate(mark: str) -> tuple[bool, int, int]:
        widths = Counter(map(len, filter(None, rows[mark])))
        (width, many), *_ = [*widths.most_common(1), (0, 0)]
        return width > 1, many, width

    best = max(marks, key=rate)
    return rows[best], best


def read_cells(lines: list[str], mark: str) -> Iterator[list[str]]:
    """Read the cells of lines, up to what is malformed."""
    try:
        yield from csv.reader(lines, delimiter=mark)
    except csv.Error:
        return


def count_remarks(file: Path, lines: list[str], marks: str) -> int:
    """Count the lines above the header that begin with #. Raises UserError if the last of several
    may be the header.
    """
    plain = next((n for n, line in enumerate(lines) if line.strip() and line[0] != "#"), 0)
    remarks = [line for line in lines[:plain] if line.strip()]
    if not remarks:
        return 0
    rows, mark = cut_rows(lines[plain:], marks)
    width = len(next(csv.reader(remarks[-1:], delimiter=mark)))
    if width < max(map(len, rows)):
        return plain
    if len(remarks) == 1:  # a header that begins so, as in genetics
        return 0
    raise UserError(
        f"{file.name}: '{remarks[-1].strip()[:60]}' may be the header or a remark: say --skip "
        f"{plain - 1} if it is the header, --comment '#' if it is a remark."
    )


def is_remark(line: str, comment: str | None) -> bool:
    """Tell whether a line is no row but a comment."""
    return bool(comment) and line.startswith(comment or "")


def ends_in_blanks(rows: list[list[str]]) -> bool:
    """Tell whether the first rows end in a separator, with nothing after it, nor in the header."""
    header, *others = [*filter(None, rows)] or [[]]
    others = others[:-1] or others  # the last may be cut off
    widths = {len(row) for row in others}
    if len(widths) != 1 or any(row[-1].strip() for row in others):
        return False
    beyond = min(widths) - len(header)
    return min(widths) > 1 and (beyond == 1 or (beyond == 0 and not header[-1].strip()))


def ends_each_row(file: Path, dialect: Dialect, mark: str) -> bool:
    """Tell whether all rows end in the separator, below the header: a cell may come late."""
    rows = keep_table_lines(decode_lines(file, dialect), dialect)
    return all(row.rstrip("\r\n ").endswith(mark) for row in islice(rows, 1, None) if row.strip())


def decode_lines(file: Path, dialect: Dialect) -> Iterator[str]:
    """Read the lines as text. Raises UserError if one is not in the encoding."""
    if not dialect.encoding and not dialect.has_old_ends:
        yield from read_lines(file)
        return
    encoding, newline = dialect.encoding or "utf-8-sig", None if dialect.has_old_ends else ""
    try:
        with io.TextIOWrapper(open_unpacked(file), encoding, newline=newline) as stream:
            yield from stream
    except (LookupError, UnicodeError) as error:
        raise UserError(f"{file.name}: --encoding {encoding} does not fit: {error}.") from error


def keep_table_lines(lines: Iterator[str], dialect: Dialect) -> Iterator[str]:
    """Leave out lines above the header, comments, and the separator at each row's end.

    A line within a cell in quotes is a part of that cell, however it begins.
    """
    in_quotes = False
    for line in islice(lines, dialect.skip, None):
        if not in_quotes and is_remark(line, dialect.comment):
            continue
        in_quotes ^= bool(line.count('"') % 2)
        if dialect.trailing and not in_quotes:
            row = line.rstrip("\r\n")
            yield row.removesuffix(dialect.trailing) + line[len(row) :]
        else:
            yield line


def write_in_utf8(file: Path, copy: Path, dialect: Dialect) -> None:
    """Write what is the table in UTF-8. Raises UserError if the file is not in its encoding."""
    lines = keep_table_lines(decode_lines(file, dialect), dialect)
    with copy.open("w", encoding="utf-8", newline="") as stream:
        if dialect.separator:
            stream.write(quote_header(file, lines, dialect.separator))
        stream.writelines(lines)


def quote_header(file: Path, lines: Iterator[str], separator: str) -> str:
    """Read the header, and write it in quotes, where no other mark seems to cut it."""
    try:
        names = next(csv.reader(lines, delimiter=separator), [])
    except csv.Error as error:
        raise UserError(f"{file.name}: the header cannot be read ({error}); repair it.") from error
    cells = separator.join('"' + name.replace('"', '""') + '"' for name in names)
    return f"{cells}\n"
