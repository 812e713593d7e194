"""What else a change changes: the contract, the records, settings, code and what is stored."""

from pathlib import Path
from typing import Any, NamedTuple

import pathspec
import yaml

from ..data import change_log
from ..data.change_log import LOG, Change
from ..data.contract import Column, Contract
from ..gates.yaml_location import Entry
from .base import Base, read_outs_here

OWNERS = ".github/CODEOWNERS"
SETTINGS = ("problem.yaml", "params.yaml")
UNSET = "not set"
LEAST_BYTES, MOST_OUTS = 1000, 8


class ColumnChange(NamedTuple):
    """One thing that the contract says otherwise of a column; "column" where it came or went."""

    column: str
    what: str
    before: str
    now: str


class SettingChange(NamedTuple):
    """An entry of a settings file, and its value before and now."""

    entry: Entry
    before: str
    now: str


class SizeChange(NamedTuple):
    """What a path takes, in bytes; 0 where there is none."""

    path: str
    before: int
    now: int


class StorageChange(NamedTuple):
    """What is stored in all, in bytes, and the `outs` that grew or shrank most."""

    before: int
    now: int
    outs: list[SizeChange]


def compare_columns(before: Contract | None, now: Contract) -> list[ColumnChange]:
    """List the columns that came, went, or are described otherwise."""
    old = {column.name: column for column in before.columns} if before else {}
    new = {column.name: column for column in now.columns}
    came = [ColumnChange(name, "column", "", new[name].type) for name in new if name not in old]
    went = [ColumnChange(name, "column", old[name].type, "") for name in old if name not in new]
    both = [name for name in new if name in old]
    return [*came, *went, *(change for name in both for change in _differ(old[name], new[name]))]


def _differ(old: Column, new: Column) -> list[ColumnChange]:
    before, now = old.model_dump(by_alias=True), new.model_dump(by_alias=True)
    return [
        ColumnChange(new.name, key, str(before[key]), str(now[key]))
        for key in now
        if key != "description" and now[key] != before[key]
    ]


def list_new_records(base: Base) -> list[Change]:
    """List the changes of the table that the base does not know."""
    if not LOG.exists():
        return []
    known = set(base.text(LOG).splitlines())
    lines = LOG.read_text(encoding="utf-8").splitlines()
    return [
        change
        for line, change in zip(lines, change_log.read_log(), strict=True)
        if line not in known
    ]


def compare_settings(base: Base) -> list[SettingChange]:
    """List the settings that have another value now."""
    changes = []
    for file in SETTINGS:
        before = flatten_settings(base.yaml(file))
        now = flatten_settings(yaml.safe_load(Path(file).read_text(encoding="utf-8")))
        for name in {**now, **before}:
            old, new = before.get(name, UNSET), now.get(name, UNSET)
            if old != new:
                changes.append(SettingChange(Entry(file, name), str(old), str(new)))
    return changes


def flatten_settings(settings: Any, above: str = "") -> dict[str, Any]:
    """Flatten nested settings to {"gates.min_lift": 0.01}."""
    if not isinstance(settings, dict):
        return {above: settings}
    values: dict[str, Any] = {}
    for name, value in settings.items():
        values |= flatten_settings(value, f"{above}.{name}" if above else str(name))
    return values


def group_changed_files(base: Base) -> dict[str, list[str]]:
    """Group the files that people changed by who is asked to review them."""
    made = read_outs_here()
    owners = Path(OWNERS).read_text(encoding="utf-8") if Path(OWNERS).exists() else ""
    rules = [line.split() for line in owners.splitlines() if line.strip() and line[0] != "#"]
    files: dict[str, list[str]] = {}
    for file in base.changed:
        if file != "dvc.lock" and not {file, *map(str, Path(file).parents)} & made.keys():
            files.setdefault(find_reviewers(file, rules), []).append(file)
    return files


def find_reviewers(file: str, rules: list[list[str]]) -> str:
    """Return whom CODEOWNERS asks to review a file: the last rule that names it counts."""
    for pattern, *owners in reversed(rules):
        if pathspec.GitIgnoreSpec.from_lines([pattern]).match_file(file):
            return " ".join(owners) or "nobody"
    return "nobody"


def compare_storage(base: Base) -> StorageChange:
    """Compare what the base and the working tree store."""
    before, now = (
        {path: size for path, (_, size) in outs.items()} for outs in (base.outs, read_outs_here())
    )
    sizes = [SizeChange(path, before.get(path, 0), now.get(path, 0)) for path in now | before]
    moved = [size for size in sizes if abs(size.now - size.before) >= LEAST_BYTES]
    moved.sort(key=lambda size: -abs(size.now - size.before))
    return StorageChange(sum(before.values()), sum(now.values()), moved[:MOST_OUTS])
