"""How the numbers of a column are written: decimal mark, thousands, unit, negatives; or asked.

Most cells have one reading. `1,037` has two, and 37 is not 1037: the rest of the column decides,
else the table's other columns, else what stands between the columns. If nothing does, a person is
asked. Where a sample leaves that open, the whole column is looked through, streamed.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from shlex import quote
from typing import NamedTuple, get_args

import polars as pl

from ..core.errors import UserError
from ..data import cells
from ..data.column_names import col
from ..data.contract import SCALES, Column, Mark, Negatives, Thousands
from ..data.number_text import NumberForm
from ..data.sources import SEPARATORS, extension, read_header
from .number_evidence import MIXED, Evidence, gather_evidence

MARKS: tuple[Mark, ...] = get_args(Mark)


class Decimals(NamedTuple):
    """The decimal marks that a person named: the table's, and those of single columns."""

    table: Mark | None = None
    columns: Mapping[str, Mark] = {}


NOT_NAMED = Decimals()


class Forms(NamedTuple):
    """How numbers are written in each column, None where cells are no numbers to learn from; and
    why, where all of them look like numbers.
    """

    numbers: dict[str, NumberForm | None]
    texts: dict[str, str]


def find_forms(
    frame: pl.LazyFrame,
    sample: pl.DataFrame,
    names: Iterable[str],
    decimals: Decimals = NOT_NAMED,
    separators: frozenset[str] = frozenset(),
) -> Forms:
    """Find the forms of these columns of texts; `separators` stand between columns of the files.

    Raises UserError for a column whose numbers have two readings, or several units.
    """
    evidence = gather_evidence(sample.lazy(), names)
    doubtful = [name for name, seen in evidence.items() if seen.numeric and seen.open]
    if doubtful:
        evidence |= gather_evidence(frame, doubtful)
    texts = {
        name: why
        for name, seen in evidence.items()
        if seen.numeric and (why := _explain_text(seen, _choose_unit(seen)))
    }
    return Forms(choose_forms(evidence, decimals, separators), texts)


def choose_forms(
    evidence: Mapping[str, Evidence], decimals: Decimals, separators: frozenset[str]
) -> dict[str, NumberForm | None]:
    """Choose the form that is the only one, or ask. Raises UserError as `find_forms` does."""
    quantities = {
        name: seen
        for name, seen in evidence.items()
        if seen.numbers > seen.cells * MIXED and not seen.code
    }
    marks = {seen.mark for seen in quantities.values()} - {None}
    shared = decimals.table or (marks.pop() if len(marks) == 1 else None)
    forms = {name: None if seen.code else NumberForm() for name, seen in evidence.items()}
    for name, seen in quantities.items():
        unit = _choose_unit(seen)
        if unit is None:
            forms[name] = None
            continue
        given = decimals.columns.get(name)
        if given and seen.mark not in (None, given):
            raise UserError(
                f"column '{name}': --decimal {quote(f'{name}={given}')} does not go with cells in "
                f"which {seen.mark} can only be the decimal mark; leave that out."
            )
        mark = given or seen.mark or shared
        if seen.numeric:  # else it is a mixture, and refused as that
            mark = mark or _choose_by_dialect(seen, separators) or _ask(name, seen)
            _refuse_units(name, seen)
        mark = mark or "."
        forms[name] = NumberForm(
            decimal=mark,
            thousands=_choose_thousands(seen, mark),
            unit=unit,
            negatives=_choose_negatives(seen),
        )
    return forms


def _choose_unit(seen: Evidence) -> str | None:
    """Choose the unit of a column of numbers; None if their measures differ, or some lack it."""
    if not seen.measures:
        return next(iter(seen.units), "")
    if seen.numeric and 2 * seen.bare > seen.numbers:  # a measure here and there is a fault there
        return ""
    return seen.units[0] if seen.numeric and len(seen.units) == 1 and not seen.bare else None


def _explain_text(seen: Evidence, unit: str | None) -> str:
    """Say why cells that look like numbers are texts; "" if they are numbers."""
    if seen.code:
        return explain_code(seen.code)
    if unit is not None:
        return ""
    units = ", ".join(seen.units)
    bare = f", and some without, such as '{seen.bare_example}'" if seen.bare else ""
    return (
        f"its numbers have {'several units' if len(seen.units) > 1 else 'the unit'} ({units}){bare}"
        "; to learn from them as numbers, bring them to one unit where they come from"
    )


def explain_code(example: str) -> str:
    """Say why digits are read as text."""
    return (
        f"'{example}' looks like the name of something, not like a quantity (if it is one, say "
        "logicalType: integer in contract.yaml)"
    )


def find_separators(paths: Iterable[Path]) -> frozenset[str]:
    """Find what stands between the columns of text files; typed formats have no such mark."""
    return frozenset(read_header(path)[1] for path in paths if extension(path) in SEPARATORS)


def parse_decimals(entries: Iterable[str]) -> Decimals:
    """Read the entries of --decimal. Raises UserError for one that is no MARK or COLUMN=MARK."""
    table, columns = None, {}
    for entry in entries:
        column, named, mark = entry.rpartition("=")
        if mark not in MARKS or bool(named) != bool(column) or (table and not named):
            raise UserError(
                f"--decimal '{entry}': write the decimal mark of the table, as --decimal , or that "
                'of a column, as --decimal "COLUMN=,"; it is , or . and said once.'
            )
        if named:
            columns[column] = mark
        else:
            table = mark
    return Decimals(table, columns)


def _choose_by_dialect(seen: Evidence, separators: frozenset[str]) -> Mark | None:
    """Choose the point if no number is in doubt, or commas (or nothing) part the columns: but then
    a comma within numbers stands before thousands only if all below 1000 are without one.
    """
    if not seen.open:
        return "."
    thousands = seen.short and not (seen.long or seen.open_point)
    return "." if separators <= {","} and (thousands or not seen.open_comma) else None


def _ask(name: str, seen: Evidence) -> Mark:
    """Raise UserError with both readings of a number."""
    example = seen.open_example or ""
    mark = "," if "," in example else "."
    other = MARKS[mark == MARKS[0]]
    fraction, whole = example.replace(mark, "."), example.replace(mark, "")
    flags = [f"--decimal {quote(f'{name}={each}')}" for each in (mark, other)]
    raise UserError(
        f"column '{name}': '{example}' may be {fraction} or {whole}, and no other cell decides; "
        f"say {flags[0]} if it is {fraction}, or {flags[1]} if it is {whole} (--decimal {mark} or "
        f"{other} without a name is for all columns in doubt)."
    )


def _refuse_units(name: str, seen: Evidence) -> None:
    """Raise UserError where adding up cells would add, say, euros to dollars."""
    way_out = f"bring them to one, or leave the column out with --ignore '{name}'"
    if len(seen.units) > 1:
        raise UserError(f"column '{name}' has several units ({', '.join(seen.units)}); {way_out}.")
    if seen.bare and set(seen.units) & set(SCALES):
        raise UserError(
            f"column '{name}' has numbers with {seen.units[0]} and without, such as "
            f"'{seen.bare_example}', which may be meant either way; {way_out}."
        )


def _choose_thousands(seen: Evidence, decimal: Mark) -> Thousands | None:
    """Choose what stands between thousands in most cells that have such a thing."""
    often: dict[Thousands, int] = {"'": seen.apostrophes, " ": seen.blanks}
    often |= {",": seen.commas} if decimal == "." else {".": seen.points}
    mark = max(often, key=lambda mark: often[mark])
    return mark if often[mark] else None


def _choose_negatives(seen: Evidence) -> Negatives:
    if seen.parentheses:
        return "parentheses"
    return "trailing" if seen.trailing else "sign"


def explain_forms(columns: Iterable[Column], sample: pl.DataFrame) -> list[str]:
    """Write a sentence for each column whose numbers are not plain, with a number as it is read."""
    sentences = []
    for column in columns:
        form = NumberForm(column.decimal, column.thousands, column.unit, column.negatives)
        if form != NumberForm() and sample.schema[column.name] == pl.String:
            value = cells.read_cell(column, pl.String(), thorough=True)
            cell = col(column.name).str.strip_chars()
            read = sample.select(cell=cell, value=value).drop_nulls()
            marked = read.filter(pl.col("cell").str.contains(r"[^\d-]"))
            if not marked.is_empty():
                text, number = marked.sort(pl.col("cell").str.len_chars()).row(-1)
                sentences.append(f"{column.name}: '{text}' is read as {number}{_list_parts(form)}.")
    return sentences


def _list_parts(form: NumberForm) -> str:
    parts = [f"decimal mark {form.decimal!r}"] if form.decimal != "." else []
    parts += [f"thousands {form.thousands!r}"] if form.thousands else []
    parts += [f"unit {form.unit}"] if form.unit else []
    parts += [f"negatives {form.negatives}"] if form.negatives != "sign" else []
    return f" ({', '.join(parts)})"
