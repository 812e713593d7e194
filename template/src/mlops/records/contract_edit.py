"""A contract changed where it lies: entries of columns, and the version, not what is around them.

A person's comments, order and layout stay. What is left of a changed column are its rules, and the
keys that only describe it.
"""

from pathlib import Path
from typing import Any

import yaml

from ..core.errors import UserError
from ..core.paths import replacing
from ..data.contract import CONTRACT, Column, Contract
from ..data.odcs import NOTES, format_column
from ..gates.yaml_location import COLUMNS, find_child


def edit_contract(old: Contract, new: Contract, path: Path = CONTRACT) -> None:
    """Write what differs: `new` has the columns of `old`, changed or not, and maybe more."""
    with replacing(path) as scratch:
        scratch.write_text(_edit_text(path.read_text(encoding="utf-8"), old, new), "utf-8")
        if not _reads_as(scratch, new):  # it is laid out in a way of its own
            new.save(scratch)


def _reads_as(path: Path, contract: Contract) -> bool:
    try:
        return Contract.load(path) == contract
    except UserError:
        return False


def _edit_text(text: str, old: Contract, new: Contract) -> str:
    """Put the changed columns in the place of the old ones, and new ones after the last."""
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    properties = root
    for step in COLUMNS:
        _, properties = find_child(properties, step)
    _, version = find_child(root, "version")
    lines = text.splitlines(keepends=True)
    entries, notes = properties.value, yaml.safe_load(text)["schema"][0]["properties"]
    indent = lines[entries[0].start_mark.line].index("-")
    added = new.columns[len(old.columns) :]
    # From the last to the first, so that the lines of those before stay where they are.
    last = _find_end(lines, entries[-1])
    lines[last:last] = [_format_entry(column, {}, indent) for column in added]
    for place in reversed(range(len(old.columns))):
        node, column = entries[place], new.columns[place]
        if column != old.columns[place]:
            entry = _format_entry(column, notes[place], indent)
            lines[node.start_mark.line : _find_end(lines, node)] = [entry]
    at = version.start_mark
    lines[at.line] = f"{lines[at.line][: at.column]}{new.version}\n"
    return "".join(lines)


def _find_end(lines: list[str], node: yaml.Node) -> int:
    """Find the line after an entry, before the blanks and comments that follow it."""
    end = node.end_mark.line + (node.end_mark.column > 0 and node.end_mark.line + 1 == len(lines))
    while not (text := lines[end - 1].strip()) or text.startswith("#"):
        end -= 1
    return end


def _format_entry(column: Column, notes: dict[str, Any], indent: int) -> str:
    """Format a column as an item of the list, so far indented."""
    entries = column.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    described = {key: value for key, value in notes.items() if key in NOTES}
    item = [format_column(entries) | described]
    dumped = yaml.safe_dump(item, sort_keys=False, allow_unicode=True, width=100)
    return "".join(f"{' ' * indent}{line}\n" for line in dumped.splitlines())
