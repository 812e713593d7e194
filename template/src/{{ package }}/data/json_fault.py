"""Where and why a JSON or Parquet file cannot be read, once a parser has given up on it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import UserError
from .sources import extension, is_json_array, lines, opened


def json_fault(path: Path, shown: str, error: Exception) -> UserError:
    """The sentence for what the parser stumbled over; for JSON the place is looked for."""
    kinds: dict[str, str] = {}
    for place, record in _records(path, shown) if "json" in extension(path) else ():
        if not isinstance(record, dict):
            return UserError(f"{shown}: {place} is not an object of column names and values.")
        for name, value in record.items():
            kind = {dict: "nested", list: "nested", bool: "true or false"}.get(type(value), "plain")
            if kind == "nested":
                return UserError(
                    f"{shown}: column '{name}' is nested at {place}; flatten it to plain columns."
                )
            if value is not None and kinds.setdefault(name, kind) != kind:
                return UserError(
                    f"{shown}: column '{name}' mixes true/false with other values, first at "
                    f"{place}; use one kind."
                )
    reason = str(error).strip().splitlines()[0].rstrip(".")
    return UserError(
        f"{shown}: it cannot be read as {extension(path)[1:]} ({reason}); export it again."
    )


def _records(path: Path, shown: str) -> Iterator[tuple[str, Any]]:
    if is_json_array(path):
        with opened(path) as stream:
            content = _parse(stream.read(), shown, "the array")
        yield from ((f"record {number}", record) for number, record in enumerate(content, 1))
        return
    for number, line in enumerate(lines(path, shown), 1):
        if line.strip():
            yield f"line {number}", _parse(line, shown, f"line {number}")


def _parse(content: str | bytes, shown: str, place: str) -> Any:
    def refuse(constant: str) -> None:
        raise UserError(f"{shown}: {place} holds {constant}, which JSON does not have; use null.")

    try:
        return json.loads(content, parse_constant=refuse)
    except ValueError as error:
        raise UserError(f"{shown}: {place} is not JSON ({error}); export it again.") from error
