"""How the columns of a delivery differ from those of the contract: new, absent, renamed, wider.

Nothing that is delivered is left out without a word, and nothing is taken in without being asked
for: evolution.py makes the change that is offered here.
"""

import shlex
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ..core.errors import UserError
from ..data import cells
from ..data.column_names import ROW, UPDATE, col
from ..data.contract import Column, Contract, Type
from ..data.sources import scan_file
from .addresses import redact
from .type_inference import change_column

HEAD = 10_000  # rows that are looked at
FEW = 0.01  # of the cells may be of a wider type without the column being so
MOST = 0.95  # of them must read for a column to hold what another does
# What may become of a type, every value of which stays readable; the first is offered.
WIDER: dict[Type, tuple[Type, ...]] = {
    "integer": ("number", "string"),
    "number": ("string",),
    "boolean": ("string",),
    "date": ("timestamp", "string"),
    "timestamp": ("string",),
}
OFFERED: tuple[Type, ...] = ("number", "timestamp")


class Wider(NamedTuple):
    """The type that cells of a column need, with its formats if it is a time, and one such cell."""

    type: Type
    formats: tuple[str, ...]
    example: str


class Differences(NamedTuple):
    """Columns by name: `new` ones with an example, `absent` ones that must be there, `lacking` ones
    that need not, those that need a `wider` type, and former names that come `beside` new ones.
    """

    new: dict[str, str]
    absent: list[str]
    lacking: list[str]
    wider: dict[str, Wider]
    beside: dict[str, str]


def compare_columns(file: Path, contract: Contract) -> Differences:
    """Compare the columns of a file with those of the contract."""
    table = scan_file(file)
    # A compacted file brings the numbers of its rows with it.
    names = [name for name in table.collect_schema().names() if name not in (ROW, UPDATE)]
    calls = {column.name: column.find_in(names) for column in contract.columns}
    former = {name: column.name for column in contract.columns for name in column.former_names}
    surplus = [name for name in names if name not in calls.values()]
    new = [name for name in surplus if name not in former]
    lacking = [column for column in contract.columns if calls[column.name] is None]
    head = table.head(HEAD).collect()
    present = ((column, calls[column.name]) for column in contract.columns)
    wider = {
        column.name: wide
        for column, called in present
        if called and (wide := _find_wider_type(head, called, column))
    }
    return Differences(
        {name: _show_example(head, name) for name in new},
        [column.name for column in lacking if not column.optional],
        [column.name for column in lacking if column.optional],
        wider,
        {name: former[name] for name in surplus if name in former},
    )


def describe_arrival(
    file: Path, contract: Contract, source: str, *, again: bool = False, cursor: str | None = None
) -> list[str]:
    """Write a line for each column of a file that is not as the contract says.

    `again`: only rows that differ in the contract's columns will land, so that the file must come
    once more for a new column. The column `cursor` is read though the contract lacks it. Raises
    UserError for a column that is absent and must be there.
    """
    differences, evolve = compare_columns(file, contract), name_command(source)
    after = ", then update again" if again else ""
    refuse_absent(file, differences, contract, source)
    lines = [
        f"{file.name} has a new column, {name} (such as {example}), which contract.yaml lacks and "
        f"nothing reads: take it in with {evolve}{after}"
        for name, example in differences.new.items()
        if name != cursor
    ]
    lines += [
        f"{file.name} has {old} beside {name}, which is its name now: {old} is not read"
        for old, name in differences.beside.items()
    ]
    for name in differences.lacking:
        default = contract[name].default
        read = "missing" if default is None else f"its default, {default!r}"
        lines.append(f"{file.name} lacks column {name}: it is read as {read}")
    for name, wide in differences.wider.items():
        cut = contract[name].type == "date"
        effect = "the time of day is cut off" if cut else "such rows are rejected"
        lines.append(
            f"{file.name}: column {name} holds {wide.type}s (such as {wide.example}) where "
            f"contract.yaml says {contract[name].type}, and {effect}: widen it with {evolve}{after}"
        )
    return lines


def refuse_absent(
    file: Path, differences: Differences, contract: Contract, source: str | None
) -> None:
    """Raise UserError, with all readings and their flags, if columns are absent."""
    if not differences.absent:
        return
    evolve, name = name_command(source), differences.absent[0]
    same = find_renamed(file, contract[name], list(differences.new))
    ways = [f"--drop {shlex.quote(name)} if it is not delivered any more"]
    if same:
        rename = shlex.quote(f"{name}={same}")
        ways = [f"--rename {rename} if the new column {same} is the same", *ways]
    raise UserError(
        f"{file.name} lacks column {', '.join(differences.absent)}, which contract.yaml has: "
        f"deliver it, or say {evolve} with {' or '.join(ways)}."
    )


def name_command(source: str | None) -> str:
    """Name the command that takes a difference into the contract."""
    words = ["uv run mlops data evolve"]
    if source:
        shown = redact(source)
        words.append(shown if shlex.quote(shown) == shown else f'"{shown}"')
    return f"'{' '.join(words)}'"


def find_renamed(file: Path, column: Column, new: list[str]) -> str | None:
    """Find the new column that holds what an absent one should, and is called most like it."""
    head = scan_file(file).head(HEAD).collect()
    alike = [name for name in new if _share_read(head, name, column) >= MOST]
    called = column.name.lower()
    return max(
        alike, key=lambda name: SequenceMatcher(None, called, name.lower()).ratio(), default=None
    )


def _find_wider_type(head: pl.DataFrame, called: str, column: Column) -> Wider | None:
    """Find the type that more than FEW of the cells need; None: they read as they are."""
    narrow = _read(head, called, column)
    for wide in _list_wider(column):
        value = _read(head, called, wide)
        needs = value.is_not_null() & (narrow.is_null() | (narrow != value).fill_null(False))
        if needs.sum() > FEW * value.count():
            example = head.select(col(called).alias("value")).filter(needs).item(0, 0)
            return Wider(wide.type, wide.formats, _show(example))
    return None


def _list_wider(column: Column) -> list[Column]:
    """List what may be offered in the place of a column, the likelier first."""
    kinds = [kind for kind in WIDER.get(column.type, ()) if kind in OFFERED]
    if "timestamp" not in kinds or not column.formats:
        return [change_column(column, type=kind) for kind in kinds]
    day = column.formats[0]
    forms = [f"{day}{between}{clock}" for clock in cells.CLOCKS for between in " T"]
    return [
        change_column(column, type="timestamp", formats=(form, *column.formats)) for form in forms
    ]


def _share_read(head: pl.DataFrame, called: str, column: Column) -> float:
    blank = cells.is_blank(
        change_column(column, name=called), head.schema[called], thorough=True
    ).alias("value")
    present = head.height - int(head.select(blank).to_series().sum())
    return _read(head, called, column).count() / max(1, present)


def _read(head: pl.DataFrame, called: str, column: Column) -> pl.Series:
    """Read the cells of a column, as it is called in the file, as the contract's column says."""
    cell = cells.read_cell(change_column(column, name=called), head.schema[called], thorough=True)
    return head.select(cell.alias("value")).to_series()


def _show_example(head: pl.DataFrame, name: str) -> str:
    values = head.select(col(name).drop_nulls().head(1).alias("value")).to_series()
    return _show(values[0]) if len(values) else "no value yet"


def _show(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
