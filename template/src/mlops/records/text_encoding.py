"""The encoding of a text file, as its first bytes tell it."""

import codecs
from pathlib import Path

from ..core.errors import UserError
from .inspection import read_head

MARKS = {  # the longer first, as UTF-32 begins as UTF-16 does
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_mark(file: Path) -> str | None:
    """Return the encoding that a byte order mark tells, other than UTF-8."""
    head = read_head(file)
    return next((name for mark, name in MARKS.items() if head.startswith(mark)), None)


def decode_head(file: Path, encoding: str | None) -> str:
    """Decode whole lines of the first bytes. Raises UserError for an encoding that is unknown."""
    try:
        encoding = encoding or read_mark(file) or "utf-8-sig"
        text = read_head(file).decode(encoding, errors="replace")
    except LookupError as error:
        raise UserError(f"{file.name}: --encoding {encoding} does not fit: {error}.") from error
    end = max(text.rfind("\n"), text.rfind("\r")) + 1
    return text[:end] or text
