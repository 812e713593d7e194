"""A first contract drafted from the data, for a person to review.

Types are guessed on an even sample of rows (type_inference.py); ranges, categories and roles come
from the whole table, streamed: memory does not grow with it.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import SimpleNamespace
from typing import Any

import polars as pl

from ..core.errors import UserError
from ..core.problem import Task
from ..data import cells
from ..data.column_names import col
from ..data.contract import DEFAULT_MISSING, Column, Contract, Role
from .type_inference import guess, retyped

SAMPLE = 10_000
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
    types = frame.collect_schema()
    keys = [key] if key in types else [part.strip() for part in (key or "").split(",")]
    wanted: list[tuple[Role, str | None]] = [("target", target), ("time", time), ("group", group)]
    wanted += [*(("key", name) for name in keys), *(("ignored", name) for name in ignore)]
    roles = _roles(types.names(), [(role, name) for role, name in wanted if name], dates or {})
    sample = _sampled(frame)
    columns = _guessed(sample, roles, dates or {})
    figures = _figures(frame, sample, columns)
    few = [c for c in columns if figures[c.name].distinct <= 2 * MAX_CATEGORIES]
    values = _values(frame, types, few)
    described = tuple(_described(c, figures[c.name], values.get(c.name, {})) for c in columns)
    goal = next(column for column in described if column.role == "target")
    kind, classes = _task(goal, values.get(target, {}), task)
    if not any(column.is_input for column in described):
        raise UserError("no column is left to learn from; bring a table with more columns.")
    latin = unicodedata.normalize("NFKD", f"{name}-{target}").encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", latin.lower()).strip("-")
    contract = Contract(id=slug, name=name, task=kind, classes=classes, columns=described)
    act = f" ('{contract.positive}' is the case to act on)" if kind == "binary" else ""
    useless = [
        f"{column.name} is ignored: "
        f"{_useless(column, figures[column.name], values.get(column.name, {}))}."
        for column in described
        if column.role != roles[column.name]
    ]
    says = [f"{len(contract.inputs)} inputs, {kind} of '{target}'{act}."]
    return contract, [*says, *useless, *_missing(contract), *_times(contract)]


def _missing(contract: Contract) -> list[str]:
    """What is read as missing beyond what always is, a sentence for each such word."""
    where: dict[str, list[str]] = {}
    for column in contract.columns:
        for word in set(column.missing) - set(DEFAULT_MISSING):
            where.setdefault(word, []).append(column.name)
    return [f"'{word}' is read as missing in {', '.join(where[word])}." for word in sorted(where)]


def _times(contract: Contract) -> list[str]:
    """What might be the time of a row, where none is said."""
    if contract.of_role("time"):
        return []
    dates = [column.name for column in contract.inputs if column.type in cells.FORMATS]
    return [
        f"{name} holds dates: if it is when a row came to be, say --time '{name}', so that the "
        "newest rows test the model."
        for name in dates
    ]


def _roles(
    names: list[str], wanted: list[tuple[Role, str]], dates: Mapping[str, Any]
) -> dict[str, Role]:
    for name in (*(name for _, name in wanted), *dates):
        if name not in names:
            near = ", ".join(get_close_matches(name, names, 3, 0.5) or names[:20])
            raise UserError(f"the table has no column '{name}'; did you mean {near}?")
    roles: dict[str, Role] = dict.fromkeys(names, "feature")
    for role, name in wanted:
        if roles[name] != "feature":
            raise UserError(f"column '{name}' cannot be both {roles[name]} and {role}; choose one.")
        roles[name] = role
    return roles


def _sampled(frame: pl.LazyFrame) -> pl.DataFrame:
    """About SAMPLE rows, evenly spaced."""
    rows = int(frame.select(pl.len()).collect(engine="streaming").item())
    even = frame.with_row_index("_row").filter(pl.col("_row") % max(1, rows // SAMPLE) == 0)
    return even.collect(engine="streaming")


def _guessed(
    sample: pl.DataFrame, roles: dict[str, Role], dates: Mapping[str, tuple[str, ...]]
) -> list[Column]:
    """The columns with their types. A decimal comma in one speaks for the whole table."""
    for marks in (".,", ",."):
        found = [guess(sample[name], roles[name], dates.get(name, ()), marks) for name in roles]
        if all(column.decimal == "." for column in found):
            break
    return found


def _figures(
    frame: pl.LazyFrame, sample: pl.DataFrame, columns: list[Column]
) -> dict[str, SimpleNamespace]:
    """What the whole table says of each column; `distinct` within some percent.

    Only columns of which the sample has odd cells are read thoroughly, as that takes long.
    """
    types, measures = sample.schema, []
    for column in columns:
        quick, slow = (cells.value(column, types[column.name], way) for way in (False, True))
        odd, even = sample.select(odd=slow.count(), even=quick.count()).row(0)
        thorough = odd != even
        cell, ordered = col(column.name), column.type not in ("string", "boolean")
        value = slow if thorough else quick
        present = ~cells.blank(column, types[column.name], thorough)
        figures = pl.struct(
            rows=pl.len(),
            present=present.sum(),
            readable=value.count(),
            infinite=cell.cast(pl.Float64, strict=False).is_infinite().sum() if ordered else 0,
            distinct=cell.approx_n_unique(),
            low=value.min() if ordered else None,
            high=value.max() if ordered else None,
        )
        measures.append(figures.alias(column.name))
    found = frame.select(measures).collect(engine="streaming").row(0, named=True)
    return {name: SimpleNamespace(**figures) for name, figures in found.items()}


def _repeats(seen: SimpleNamespace) -> bool:
    """False if the values are (nearly) as many as rows, as names and numbers of things are."""
    return bool(seen.distinct <= max(10, seen.present / 2))


def _values(
    frame: pl.LazyFrame, types: pl.Schema, columns: list[Column]
) -> dict[str, dict[Any, int]]:
    """How often each value of these columns occurs, the smallest value first."""
    values = [cells.value(c, types[c.name], thorough=True).alias("value") for c in columns]
    counts = [frame.select(v).drop_nulls().group_by("value").len().sort("value") for v in values]
    found = pl.collect_all(counts, engine="streaming")
    return {c.name: dict(table.iter_rows()) for c, table in zip(columns, found, strict=True)}


def _described(column: Column, seen: SimpleNamespace, values: dict[Any, int]) -> Column:
    """The column with what its figures tell."""
    if column.role == "ignored":
        return column
    _refuse(column, seen)
    feature, complete = column.role == "feature", seen.readable == seen.rows
    if feature and _useless(column, seen, values):
        return retyped(column, role="ignored")
    rules: dict[str, Any] = {"required": complete or not feature}
    if feature and column.type in ("integer", "number"):
        low, high = 2 * seen.low - seen.high, 2 * seen.high - seen.low  # widened by the span
        limits = {"minimum": max(0, low) if seen.low >= 0 else low, "maximum": high}
        whole = column.type == "integer"
        rules |= {key: x if whole else float(f"{x:.3g}") for key, x in limits.items()}
    if column.type == "string" and _repeats(seen) and 0 < len(values) <= MAX_CATEGORIES:
        rules["categories"] = tuple(values)
    return retyped(column, **rules)


def _refuse(column: Column, seen: SimpleNamespace) -> None:
    """Raises UserError for a column that nothing can be made of."""
    way_out = f"or leave it out with --ignore '{column.name}'"
    texts = column.role == "feature" and column.type == "string"
    if column.role == "target" and seen.present < seen.rows / 2:
        fault = "lacks more than half of its values; fill it in, or choose another --target"
    elif column.role == "time" and column.type not in cells.FORMATS:
        fault = f"holds no dates but {column.type}s; choose another --time"
    elif not seen.present:
        fault = f"is empty in every row; fill it, {way_out}"
    elif seen.infinite:
        fault = f"holds {seen.infinite:,} infinite number(s); empty those cells, {way_out}"
    elif texts and seen.distinct > MAX_TEXTS:
        fault = f"has about {seen.distinct:,} different texts; say that it is the --key, {way_out}"
    else:
        return
    raise UserError(f"column '{column.name}' {fault}.")


def _useless(column: Column, seen: SimpleNamespace, values: dict[Any, int]) -> str:
    """Why nothing can be learnt from a feature: it is constant, its own text in nearly every row,
    or numbers the rows. "": something can.
    """
    text, whole = column.type == "string", column.type == "integer" and seen.rows > MAX_CATEGORIES
    if len(values) == 1 or (seen.low is not None and seen.low == seen.high):
        return "it has one value only"
    if _repeats(seen):
        return ""
    numbers = whole and seen.present == seen.rows == seen.high - seen.low + 1
    said = f"; if it names the record, say --key '{column.name}'"
    if text:
        return f"it has another value in nearly every row{said}"
    return f"it numbers the rows{said}" if numbers else ""


def _task(goal: Column, counts: dict[Any, int], task: Task | None) -> tuple[Task, tuple[str, ...]]:
    """The task, and its classes as text (binary: the positive one last)."""
    few, number = len(counts), goal.type in ("integer", "number")
    if few == 1 or goal.type in cells.FORMATS:
        what = "one value only" if few == 1 else "dates"
        raise UserError(f"the target '{goal.name}' has {what}; choose another --target.")
    guessed: Task = "multiclass" if 0 < few <= MAX_CLASSES.get(goal.type, 2) else "regression"
    task = task or ("binary" if few == 2 else guessed)
    if not {"binary": few == 2, "multiclass": few > 2, "regression": number}[task]:
        raise UserError(
            f"the target '{goal.name}' ({goal.type}, {few or 'many'} values) does not go with "
            f"{task}: binary needs 2 values, multiclass 3 to 20, regression numbers."
        )
    if task == "regression":
        return task, ()
    classes = list(pl.Series(list(counts)).cast(pl.String))
    if task == "binary":
        rarer = min(zip(counts.values(), classes, strict=True))[1]
        positive = next((text for text in classes if text.lower() in POSITIVE), rarer)
        classes.sort(key=lambda text: text == positive)
    return task, tuple(classes)
