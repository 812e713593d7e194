"""Records in JSON that give one member twice: readers differ in which of the two they take."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ..core.errors import UserError
from ..data.sources import extension, open_unpacked

LOOKED_AT = 1000  # records on lines; a program that repeats a member does so in each
MOST_BYTES = 1 << 25  # bytes of a document that is looked through as a whole


def refuse_repeated_members(path: Path) -> None:
    """Raise UserError for a record that gives a member twice, among the first of a file."""
    if extension(path) not in (".json", ".jsonl", ".ndjson"):
        return
    for text in _read_documents(path):
        try:
            json.loads(text, object_pairs_hook=lambda pairs: _refuse_repeated(path, pairs))
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            return  # what is no JSON is told by the reader


def _read_documents(path: Path) -> Iterator[bytes]:
    """Read the first lines, or the whole of a document that is not too large."""
    with open_unpacked(path) as stream:
        if extension(path) == ".json":
            whole = stream.read(MOST_BYTES + 1)
            yield from [whole] if len(whole) <= MOST_BYTES else []
        else:
            yield from filter(bytes.strip, islice(stream, LOOKED_AT))


def _refuse_repeated(path: Path, pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise UserError(
            f"{path.name}: a record has the member '{repeated}' twice; give each a name of its own."
        )
