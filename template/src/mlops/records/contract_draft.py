"""A first contract drafted from the data, for a person to review.

Types are guessed on an even sample of rows (type_inference.py); ranges, categories and roles come
from the whole table, streamed: memory does not grow with it.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import polars as pl

from ..core.errors import UserError
from ..core.problem import Task
from ..data import cells
from ..data.contract import Column, Contract, Mark, Role
from .column_figures import Figures, count_values, sample_evenly
from .date_inference import find_time_format, note_dates
from .draft_notes import note_free_texts, note_missing, note_times
from .exact_columns import keep_exact
from .number_forms import NOT_NAMED, Decimals, explain_forms, find_forms
from .number_limits import draft_limits
from .type_inference import change_column, guess_column, type_of

MAX_CATEGORIES = 50
MAX_TEXTS = 100_000
MAX_CLASSES = {"string": 20, "boolean": 2, "integer": 10}
POSITIVE = ("true", "yes", "y", "1", "1.0", "t", "positive", "pos", "good", "success")


def draft_contract(
    frame: pl.LazyFrame,
    name: str,
    target: str,
    *,
    key: str | Sequence[str] | None = None,
    time: str | None = None,
    group: str | None = None,
    ignore: Sequence[str] = (),
    task: Task | None = None,
    dates: Mapping[str, tuple[str, ...]] | None = None,
    decimals: Decimals = NOT_NAMED,
    separators: frozenset[str] = frozenset(),
) -> tuple[Contract, list[str]]:
    """Draft a contract for the table, with sentences on what was decided.

    `key` may name several columns, also with commas, and one of them may be the time or the group;
    `dates` gives the strptime formats of columns, `decimals` the decimal marks that are known,
    `separators` what stands between columns of files.
    Raises UserError, one sentence with the way out, if the table cannot be learnt from as it is.
    """
    types = frame.collect_schema()
    keys = _split_names([key] if isinstance(key, str) else key or (), types.names())
    wanted: list[tuple[Role, str | None]] = [("target", target), ("time", time), ("group", group)]
    wanted += [*(("key", name) for name in keys), *(("ignored", name) for name in ignore)]
    roles = _assign_roles(
        types.names(),
        [(role, name) for role, name in wanted if name],
        [*(dates or {}), *decimals.columns],
    )
    sample = sample_evenly(frame)
    dates = find_time_format(sample, time) | dict(dates or {})
    given = {name for name, role in roles.items() if role == "ignored" or name in dates}
    texts = [name for name in roles if name not in given and type_of(types[name]) == "string"]
    forms = find_forms(frame, sample, texts, decimals, separators)
    columns = [
        guess_column(sample[name], role, dates.get(name, ()), forms) for name, role in roles.items()
    ]
    columns, figures, exact = keep_exact(frame, sample, columns, forms.texts)
    columns = [
        change_column(column, primary_key=column.name in keys and column.role != "key")
        for column in columns
    ]
    few = [c for c in columns if figures[c.name].distinct <= 2 * MAX_CATEGORIES]
    values = count_values(frame, types, few)
    described = tuple(_describe(c, figures[c.name], values.get(c.name, {})) for c in columns)
    goal = next(column for column in described if column.role == "target")
    kind, classes = _choose_task(goal, values.get(target, {}), task)
    if not any(column.is_input for column in described):
        raise UserError("no column is left to learn from; bring a table with more columns.")
    latin = unicodedata.normalize("NFKD", f"{name}-{target}").encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", latin.lower()).strip("-")
    contract = Contract(id=slug, name=name, task=kind, classes=classes, columns=described)
    act = f" ('{contract.positive}' is the case to act on)" if kind == "binary" else ""
    useless = [
        f"{column.name} is ignored: "
        f"{_explain_useless(column, figures[column.name], values.get(column.name, {}))}."
        for column in described
        if column.role != roles[column.name]
    ]
    noted = note_dates(sample, described, time)
    summary = [f"{len(contract.inputs)} inputs, {kind} of '{target}'{act}."]
    cleaning = [*explain_forms(contract.columns, sample), *note_missing(contract)]
    cleaning += note_free_texts(contract)
    times = [*note_times(contract), *noted]
    return contract, [*summary, *useless, *exact, *cleaning, *times]


def draft_column(frame: pl.LazyFrame, name: str, role: Role, mark: Mark) -> Column:
    """Draft one more column of a table that has a contract; `mark` decides where a number has two
    readings.

    One that is ignored rejects no row: it is text, unless each of its cells reads as more. Raises
    UserError, one sentence, if nothing can be learned from a feature as it is.
    """
    sample = sample_evenly(frame)
    dtype, text = sample.schema[name], Column(name=name, type="string", role=role)
    names = [name] if type_of(dtype) == "string" else []
    try:
        forms = find_forms(frame, sample, names, Decimals(table=mark))
        column = guess_column(sample[name], forms=forms)
    except UserError:
        if role == "ignored":
            return text
        raise
    if role == "ignored":
        value = cells.read_cell(column, dtype, thorough=True)
        unread = value.is_null() & ~cells.is_blank(column, dtype, thorough=True)
        reads = frame.select(~unread.any()).collect(engine="streaming").item()
        return change_column(column, role=role) if reads else text
    [column], figures, _ = keep_exact(frame, sample, [change_column(column, role=role)], {})
    few = [column] if figures[name].distinct <= 2 * MAX_CATEGORIES else []
    values = count_values(frame, frame.collect_schema(), few).get(name, {})
    return _describe(column, figures[name], values)


def _split_names(names: Sequence[str], known: list[str]) -> list[str]:
    """Split names that stand together, with commas, unless a column is called so."""
    parts = [[name] if name in known else name.split(",") for name in names]
    return list(dict.fromkeys(part.strip() for some in parts for part in some))


def _assign_roles(
    names: list[str], wanted: list[tuple[Role, str]], others: Sequence[str]
) -> dict[str, Role]:
    """Give each column its role. Raises UserError for an unknown column, or two roles for one."""
    for name in (*(name for _, name in wanted), *others):
        if name not in names:
            raise UserError(f"the table has no column '{name}'; {suggest(name, names)}")
    roles: dict[str, Role] = dict.fromkeys(names, "feature")
    for role, name in wanted:
        if role == "key" and roles[name] in ("time", "group"):
            continue
        if roles[name] != "feature":
            raise UserError(f"column '{name}' cannot be both {roles[name]} and {role}; choose one.")
        roles[name] = role
    return roles


def suggest(name: str, names: Iterable[str]) -> str:
    """Ask for one of the names, those that look alike first; one may end in a question mark."""
    known = [*names]
    near = get_close_matches(name, known, 3, 0.5) or known[:20]
    return f"did you mean {', '.join(map(repr, near))}?"


def _describe(column: Column, seen: Figures, values: dict[Any, int]) -> Column:
    """Give a column the rules that its figures suggest, or the role ignored."""
    if column.role == "ignored":
        return column
    _refuse(column, seen)
    prose = column.role == "feature" and seen.is_prose
    feature, complete = column.role == "feature", seen.readable == seen.rows
    if feature and _explain_useless(column, seen, values):
        return change_column(column, role="ignored")
    waits = feature or column.role == "target"
    rules: dict[str, Any] = {"required": complete or not waits}
    rules |= {"free_text": True} if prose else {}
    if feature and not column.is_key and column.type in ("integer", "number"):
        rules |= draft_limits(column, seen)
    if column.type == "string" and seen.is_repeated and 0 < len(values) <= MAX_CATEGORIES:
        # What was met so far is not all that may come, but for the classes of the target.
        known = {"target": "categories", "feature": "known_categories"}
        rules |= {known[column.role]: tuple(values)} if column.role in known else {}
    return change_column(column, **rules)


def _refuse(column: Column, seen: Figures) -> None:
    """Raise UserError for a column that nothing can be made of."""
    way_out = f"or leave it out with --ignore '{column.name}'"
    texts = column.role == "feature" and column.type == "string"
    if column.role == "target" and seen.present < seen.rows / 2:
        fault = (
            f"lacks {seen.rows - seen.present:,} of its {seen.rows:,} values, more than half of "
            "them; fill it in, or choose another --target"
        )
    elif column.role == "time" and column.type not in cells.FORMATS:
        fault = f"holds no dates but {column.type}s; choose another --time"
    elif not seen.present:
        fault = f"is empty in every row; fill it, {way_out}"
    elif seen.infinite:
        fault = f"holds {seen.infinite:,} infinite number(s); empty those cells, {way_out}"
    elif texts and seen.distinct > MAX_TEXTS and not seen.is_prose:
        fault = f"has about {seen.distinct:,} different texts; say that it is the --key, {way_out}"
    else:
        return
    raise UserError(f"column '{column.name}' {fault}.")


def _explain_useless(column: Column, seen: Figures, values: dict[Any, int]) -> str:
    """Say why nothing can be learnt from a feature: it is constant, another text in nearly every
    row, or numbers the rows. "": something can.
    """
    text, whole = column.type == "string", column.type == "integer" and seen.rows > MAX_CATEGORIES
    if len(values) == 1 or (seen.low is not None and seen.low == seen.high):
        return "it has one value only"
    if seen.is_repeated or (text and seen.is_prose):
        return ""
    numbers = whole and seen.present == seen.rows == seen.high - seen.low + 1
    advice = f"; if it names the record, say --key '{column.name}'"
    if text:
        return f"it has another value in nearly every row{advice}"
    return f"it numbers the rows{advice}" if numbers else ""


def _choose_task(
    goal: Column, counts: dict[Any, int], task: Task | None
) -> tuple[Task, tuple[str, ...]]:
    """Choose the task, and list its classes as text (binary: the positive one last)."""
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
