"""What else a change changes: the contract, the records, settings, code and what is stored."""

from pathlib import Path
from typing import Any

import pathspec
import yaml

from ..data import change_log
from ..data.change_log import LOG, Change
from ..data.contract import Column, Contract
from ..evaluation.reports import Report
from ..gates.yaml_location import Entry
from .base import Base, here

OWNERS = ".github/CODEOWNERS"
SETTINGS = ("problem.yaml", "params.yaml")
UNSET = "not set"
LEAST_BYTES, MOST_OUTS = 1000, 8


def columns(before: Contract | None, now: Contract) -> list[Report]:
    """{column, what, before, now} for each that came, went, or is described otherwise."""
    old = {column.name: column for column in before.columns} if before else {}
    new = {column.name: column for column in now.columns}
    came = [entry(name, "column", "", new[name].type) for name in new if name not in old]
    went = [entry(name, "column", old[name].type, "") for name in old if name not in new]
    other = [change for name in new if name in old for change in differing(old[name], new[name])]
    return [*came, *went, *other]


def differing(old: Column, new: Column) -> list[Report]:
    before, now = old.model_dump(by_alias=True), new.model_dump(by_alias=True)
    return [
        entry(new.name, key, before[key], now[key])
        for key in now
        if key != "description" and now[key] != before[key]
    ]


def entry(column: str, what: str, before: Any, now: Any) -> Report:
    return {"column": column, "what": what, "before": str(before), "now": str(now)}


def records(base: Base) -> list[Change]:
    """Changes of the table that the base does not know."""
    if not LOG.exists():
        return []
    known = set(base.text(LOG).splitlines())
    lines = LOG.read_text(encoding="utf-8").splitlines()
    return [
        change for line, change in zip(lines, change_log.read(), strict=True) if line not in known
    ]


def settings(base: Base) -> list[Report]:
    """{entry, before, now} for each setting that is another now."""
    found = []
    for file in SETTINGS:
        before = flat(base.yaml(file))
        now = flat(yaml.safe_load(Path(file).read_text(encoding="utf-8")))
        for name in {**now, **before}:
            old, new = before.get(name, UNSET), now.get(name, UNSET)
            if old != new:
                found.append({"entry": Entry(file, name), "before": str(old), "now": str(new)})
    return found


def flat(settings: Any, above: str = "") -> dict[str, Any]:
    """{"gates.min_lift": 0.01} of nested settings."""
    if not isinstance(settings, dict):
        return {above: settings}
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= flat(value, f"{above}.{name}" if above else str(name))
    return found


def code(base: Base) -> dict[str, list[str]]:
    """The files that people changed, by who is asked to review them."""
    made = here()
    owners = Path(OWNERS).read_text(encoding="utf-8") if Path(OWNERS).exists() else ""
    rules = [line.split() for line in owners.splitlines() if line.strip() and line[0] != "#"]
    found: dict[str, list[str]] = {}
    for file in base.changed:
        if file != "dvc.lock" and not {file, *map(str, Path(file).parents)} & made.keys():
            found.setdefault(asked(file, rules), []).append(file)
    return found


def asked(file: str, rules: list[list[str]]) -> str:
    """The last rule that names a file counts."""
    for pattern, *owners in reversed(rules):
        if pathspec.GitIgnoreSpec.from_lines([pattern]).match_file(file):
            return " ".join(owners) or "nobody"
    return "nobody"


def storage(base: Base) -> Report:
    """{before, now, outs}: bytes in all, and {path, before, now} of what grew or shrank most."""
    before, now = ({path: size for path, (_, size) in of.items()} for of in (base.outs, here()))
    apart = {path: abs(now.get(path, 0) - before.get(path, 0)) for path in now | before}
    moved = sorted((path for path in apart if apart[path] >= LEAST_BYTES), key=lambda p: -apart[p])
    outs = [
        {"path": path, "before": before.get(path, 0), "now": now.get(path, 0)}
        for path in moved[:MOST_OUTS]
    ]
    return {"before": sum(before.values()), "now": sum(now.values()), "outs": outs}
