"""JSON in the shapes that people bring, as a list of records or a record a line.

The bytes stay as they came where only the name says the wrong shape. What a record holds in an
object becomes columns with dotted names when it is scanned (data/sources.py).
"""

import codecs
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from ..core.errors import UserError
from ..data.sources import open_unpacked
from .foreign_formats import read_ending, strip_packing
from .inspection import read_head
from .reading_options import PlainFile, Reading
from .text_dialects import Dialect, write_in_utf8
from .text_encoding import read_mark

Shape = Literal["list", "lines", "object"]
DEEPEST = 3  # levels of objects in which records are looked for


def make_json_plain(file: Path, folder: Path, reading: Reading) -> PlainFile:
    """Return JSON as it is, or a copy: a list of records (.json) or a record a line (.jsonl).

    Raises UserError if it is one object, and where its records lie is not said.
    """
    reading.refuse_all_but(("encoding", "records"), file, "JSON")
    text = recode(file, folder, reading)
    shape = recognise_shape(text)
    if reading.records:
        return extract_records(file, text, folder, reading.records, shape)
    if shape == "object":
        refuse_object(file, text)
    if (read_ending(file.name) == ".json") == (shape == "list"):
        return PlainFile(text)
    ending, what = (
        (".json", "a list of records") if shape == "list" else (".jsonl", "a record a line")
    )
    packed = ".gz" if text.suffix.lower() == ".gz" else ""
    copy = folder / f"{Path(strip_packing(file.name)).stem}{ending}{packed}"
    shutil.copyfile(text, copy)
    return PlainFile(copy, notices=(f"{file.name} holds {what}, and is read so",))


def recode(file: Path, folder: Path, reading: Reading) -> Path:
    """Return the file, or a copy in UTF-8 without a byte order mark if it is not so."""
    marked = read_head(file).startswith(codecs.BOM_UTF8)
    encoding = reading.encoding or ("utf-8-sig" if marked else read_mark(file))
    if not encoding:
        return file
    recoded = folder / "recoded"
    recoded.mkdir(exist_ok=True)
    copy = recoded / strip_packing(file.name)
    write_in_utf8(file, copy, Dialect(encoding))
    return copy


def recognise_shape(file: Path) -> Shape:
    """Recognise a list of records, a record a line, or one object. What is malformed, and not the
    beginning of an object, counts as lines, of which inspection.py tells what is wrong.
    """
    with open_unpacked(file) as stream:
        lines = (line.strip() for line in stream if line.strip())
        first, second = next(lines, b""), next(lines, None)
    if first.startswith(b"["):
        return "list"
    if not first.startswith(b"{"):
        return "lines"
    if second is None:  # one record, if its name says so, and it holds no others
        return (
            "object" if read_ending(file.name) == ".json" or find_records(load(file)) else "lines"
        )
    with suppress(ValueError):
        json.loads(first)
        return "lines"
    return "lines" if first.endswith(b"}") else "object"


def load(file: Path) -> Any:
    """Read a whole document; None if it is none."""
    with open_unpacked(file) as stream, suppress(ValueError):
        return json.load(stream)
    return None


def find_records(document: Any, within: str = "", depth: int = DEEPEST) -> list[str]:
    """Find where lists of objects lie in an object: names of members, joined by dots."""
    if not isinstance(document, dict) or not depth:
        return []
    paths = []
    for name, member in document.items():
        path = f"{within}.{name}" if within else name
        if isinstance(member, list) and member and isinstance(member[0], dict):
            paths.append(path)
        paths += find_records(member, path, depth - 1)
    return paths


def refuse_object(file: Path, text: Path) -> None:
    """Raise UserError saying where the records of one object seem to lie."""
    document = load(text)
    if document is None:
        raise UserError(
            f"{file.name} cannot be read as JSON: it is not whole; correct it or export it again."
        )
    if paths := find_records(document):
        options = " or ".join(f"--records {path}" for path in paths[:5])
        raise UserError(
            f"{file.name} is one object that holds its records in a member: say {options}."
        )
    raise UserError(
        f"{file.name} is one object, not a list of records: export it as [{{...}}, {{...}}] or "
        "with a record a line (of pandas: orient='records')."
    )


def extract_records(file: Path, text: Path, folder: Path, path: str, shape: Shape) -> PlainFile:
    """Write the records that lie at `path` in the document, or in that of each line, a record a
    line. Raises UserError if no records are there.
    """
    if shape == "list":
        raise UserError(f"{file.name} is a list of records itself: leave out --records {path}.")
    copy = folder / Path(strip_packing(file.name)).with_suffix(".jsonl").name
    with copy.open("w", encoding="utf-8") as stream:
        for document in read_documents(file, text, shape):
            records = look_up(document, path)
            if not (isinstance(records, list) and all(isinstance(r, dict) for r in records)):
                known = ", ".join(find_records(document)) or "none"
                raise UserError(
                    f"{file.name}: '{path}' is no list of records; such lists are: {known}."
                )
            stream.writelines(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
    return PlainFile(copy, f"--records {path}")


def read_documents(file: Path, text: Path, shape: Shape) -> Iterator[Any]:
    """Read the one document, or that of each line. Raises UserError for what is no JSON."""
    with open_unpacked(text) as stream:
        try:
            if shape == "object":
                yield json.load(stream)
            else:
                yield from (json.loads(line) for line in stream if line.strip())
        except ValueError as error:
            raise UserError(
                f"{file.name} cannot be read as JSON: it is not whole; correct it or export it "
                "again."
            ) from error


def look_up(document: Any, path: str) -> Any:
    """Look up a member by its path; a name may hold dots itself. None if there is none."""
    if not isinstance(document, dict):
        return None
    if path in document:
        return document[path]
    for name, member in document.items():
        if path.startswith(f"{name}.") and (value := look_up(member, path[len(name) + 1 :])):
            return value
    return None
