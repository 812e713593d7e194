"""A first contract drafted from the data, for a person to review.

Types are guessed on an even sample of rows (guess.py); the figures behind ranges, categories and
roles come from the whole table (figures.py).
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import polars as pl

from ..errors import UserError
from ..settings import Task
from . import cells
from .contract import Column, Contract, Role, Type
from .figures import Figures, figures, sampled, values
from .guess import guess, retyped

MAX_CATEGORIES = 50
MAX_TEXTS = 100_000
MAX_CLASSES = {"string": 20, "boolean": 2, "integer": 10}
POSITIVE = ("true", "yes", "y", "1", "1.0", "t", "positive", "pos", "good", "success")


def draft(
    frame: pl.LazyFrame,
    name: str,
    target: str,
    *,
    key: str | None = None,
    time: str | None = None,
    group: str | None = None,
    ignore: Sequence[str] = (),
    task: Task | None = None,
    dates: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[Contract, list[str]]:
    """A contract for the table, and sentences on what was decided.

    `key` may name several columns, with commas; `dates` gives the strptime formats of columns.
    Raises UserError, one sentence with the way out, if the table cannot be learnt from as it is.
    """
    names = frame.collect_schema().names()
    keys = [key] if key in names else [part.strip() for part in (key or "").split(",") if part]
    wanted: list[tuple[Role, str | None]] = [("target", target), *(("key", name) for name in keys)]
    wanted += [("time", time), ("group", group), *(("ignored", name) for name in ignore)]
    roles = _roles(names, [(role, name) for role, name in wanted if name])
    for column in dates or {}:
        _there(column, names, "--dates")

    sample = sampled(frame)
    columns = _guessed(sample, roles, dates or {})
    seen = figures(frame, sample, columns)
    few = [column for column in columns if _countable(column, seen[column.name])]
    found = values(frame, sample.schema, few)
    drafted = [_described(c, seen[c.name], found.get(c.name, {})) for c in columns]
    described = [column for column, _ in drafted]
    goal = next(column for column in described if column.role == "target")
    kind, classes = _task(goal, seen[target], found.get(target), task)
    if not any(column.is_input for column in described):
        raise UserError(
            "no column is left to learn from, all are identifiers, constant or ignored; "
            "bring a table with more columns."
        )
    slug = re.sub(r"[^a-z0-9]+", "-", f"{name}-{target}".lower()).strip("-")
    contract = Contract(id=slug, name=name, task=kind, classes=classes, columns=tuple(described))
    notices = [notice for _, told in drafted for notice in told]
    return contract, [_summary(contract, seen[target]), *notices]


def _roles(names: list[str], wanted: list[tuple[Role, str]]) -> dict[str, Role]:
    roles: dict[str, Role] = dict.fromkeys(names, "feature")
    for role, name in wanted:
        _there(name, names, "--ignore" if role == "ignored" else f"--{role}")
        if roles[name] != "feature":
            raise UserError(f"column '{name}' cannot be both {roles[name]} and {role}; choose one.")
        roles[name] = role
    return roles


def _there(name: str, names: list[str], option: str) -> None:
    if name not in names:
        near = get_close_matches(name, names, 3, 0.5) or names[:20]
        raise UserError(
            f"{option}: the table has no column '{name}'; did you mean {', '.join(near)}?"
        )


def _guessed(
    sample: pl.DataFrame, roles: dict[str, Role], dates: Mapping[str, tuple[str, ...]]
) -> list[Column]:
    def columns(comma: bool) -> list[Column]:
        return [
            retyped(_guess(sample[name], role, dates.get(name, ()), comma), role=role)
            for name, role in roles.items()
        ]

    found = columns(comma=False)
    return columns(comma=True) if any(column.decimal == "," for column in found) else found


def _guess(cell: pl.Series, role: Role, formats: tuple[str, ...], comma: bool) -> Column:
    kinds: dict[type[pl.DataType], Type] = {
        pl.Int64: "integer",
        pl.Float64: "number",
        pl.Boolean: "boolean",
        pl.Date: "date",
        pl.Datetime: "timestamp",
    }
    kind = kinds.get(cell.dtype.base_type())
    if formats or (kind is None and role != "ignored"):
        return guess(cell.cast(pl.String), formats, comma)
    return Column(name=cell.name, type=kind or "string")


def _described(column: Column, seen: Figures, found: dict[Any, int]) -> tuple[Column, list[str]]:
    """The column with what its figures tell, and what a reviewer should know of it."""
    name = column.name
    if column.role == "ignored":
        return column, []
    _refuse(column, seen)
    notices = []
    if seen.unreadable:
        notices.append(
            f"{name}: {seen.unreadable:,} cells cannot be read as {column.type}; "
            "their rows will be put in quarantine."
        )
    missing = seen.rows - seen.present
    needed = column.role != "feature" or (not missing and not seen.unreadable)
    if missing and column.role != "feature":
        notices.append(
            f"{name}: {missing:,} rows lack the {column.role}; they will be put in quarantine."
        )
    if column.role == "feature" and (reason := _useless(column, seen, found)):
        return retyped(column, role="ignored"), [f"{name}: {reason}; it is ignored."]
    rules: dict[str, Any] = {"required": needed}
    if column.role == "feature" and column.type in ("integer", "number"):
        rules |= _limits(column, seen)
    if column.type == "string" and 0 < len(found) <= MAX_CATEGORIES:
        rules["categories"] = tuple(found)
    return retyped(column, **rules), notices


def _refuse(column: Column, seen: Figures) -> None:
    """Raises UserError for a column that nothing can be made of."""
    name = column.name
    way_out = f"or leave it out with --ignore '{name}'"
    if column.role == "target" and seen.present < seen.rows / 2:
        raise UserError(
            f"the target '{name}' is missing in {seen.rows - seen.present:,} of {seen.rows:,} "
            "rows; fill it in, or choose another --target."
        )
    if not seen.present:
        raise UserError(f"column '{name}' is empty in every row; fill it, {way_out}.")
    if seen.infinite:
        raise UserError(
            f"column '{name}' holds {seen.infinite:,} infinite number(s); empty those cells, "
            f"{way_out}."
        )
    if column.role == "time" and column.type not in ("date", "timestamp"):
        raise UserError(
            f"--time '{name}' holds no dates but {column.type}s; choose another column, or name "
            f'its format with --dates "{name}=%Y%m%d".'
        )
    if column.role == "feature" and column.type == "string" and seen.distinct > MAX_TEXTS:
        raise UserError(
            f"column '{name}' holds about {seen.distinct:,} different texts, too many to learn "
            f"from; say that it is the key with --key '{name}', {way_out}."
        )


def _useless(column: Column, seen: Figures, found: dict[Any, int]) -> str:
    """Why a feature cannot help, or ""."""
    if len(found) == 1 or (seen.low is not None and seen.low == seen.high):
        return "it has one value only"
    if column.type == "string" and not seen.repeats:
        return "nearly every row has its own text"
    if column.type != "integer" or seen.rows <= MAX_CATEGORIES or seen.repeats:
        return ""
    consecutive = seen.present == seen.rows == seen.high - seen.low + 1
    return "it numbers the rows" if consecutive else ""


def _limits(column: Column, seen: Figures) -> dict[str, float]:
    """The range seen, widened by its span on both sides; what was never negative stays so."""
    low, high = 2 * float(seen.low) - seen.high, 2 * float(seen.high) - seen.low
    if column.type == "number":
        low, high = _rounded(low, math.floor), _rounded(high, math.ceil)
    return {"minimum": max(0.0, low) if seen.low >= 0 else low, "maximum": high}


def _rounded(number: float, towards: Callable[[float], int]) -> float:
    """To three digits, outwards."""
    if number == 0:
        return 0.0
    digits = 10.0 ** (2 - math.floor(math.log10(abs(number))))
    return towards(number * digits) / digits


def _countable(column: Column, seen: Figures) -> bool:
    """Whether its values are worth listing: as categories, or as classes."""
    texts = column.role == "feature" and column.type in ("string", "boolean") and seen.repeats
    return (texts or column.role == "target") and seen.distinct <= 2 * MAX_CATEGORIES


def _task(
    goal: Column, seen: Figures, counts: dict[Any, int] | None, task: Task | None
) -> tuple[Task, tuple[str, ...]]:
    """The task, and its classes as text (binary: the positive one last)."""
    name = goal.name
    few = len(counts) if counts else seen.distinct
    if few < 2:
        raise UserError(f"the target '{name}' has one value only; choose another --target.")
    if goal.type in cells.FORMATS:
        raise UserError(f"the target '{name}' is a date; choose a number or a category.")
    guessed: Task = "regression"
    if few == 2:
        guessed = "binary"
    elif few <= MAX_CLASSES.get(goal.type, 0):
        guessed = "multiclass"
    task = task or guessed
    if task == "regression":
        if goal.type not in ("integer", "number") and few <= MAX_CLASSES["string"]:
            raise UserError(f"--task regression needs a number, but '{name}' is a {goal.type}.")
        if goal.type not in ("integer", "number"):
            raise UserError(
                f"the target '{name}' has {few:,} different texts, but at most "
                f"{MAX_CLASSES['string']} make classes and only numbers a regression; "
                "choose another --target."
            )
        return task, ()
    if not counts or (task == "binary") != (few == 2):
        raise UserError(f"--task {task} does not go with the {few:,} values of '{name}'.")
    classes = list(pl.Series(list(counts)).cast(pl.String))
    if task == "binary":
        rarer = min(zip(counts.values(), classes, strict=True))[1]
        positive = next((text for text in classes if text.lower() in POSITIVE), rarer)
        classes.sort(key=lambda text: text == positive)
    return task, tuple(classes)


def _summary(contract: Contract, seen: Figures) -> str:
    task = f"{contract.task} of '{contract.target.name}'"
    if contract.task == "binary":
        task += f" ('{contract.positive}' is the case to act on)"
    return f"{contract.name}: {seen.rows:,} rows, {len(contract.inputs)} inputs, {task}."
