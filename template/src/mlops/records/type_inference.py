"""What a column probably holds: the contract's own reading is tried, and the best one believed."""

from itertools import product

import polars as pl

from ..core.errors import UserError
from ..data import cells
from ..data.contract import DEFAULT_MISSING, ODD_MISSING, Column, Role, Type
from .number_evidence import MIXED, MOST
from .number_forms import Forms, find_forms

FEW = 0.01  # of the cells may look like a format without it being one of the column's
DATELIKE = r"^\w{1,4}[-/. ]\w{1,9}[-/., ]+\d{2,4}(\D|$)"
DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y"),
    *("%d-%m-%y", "%m-%d-%y", "%d-%b-%y", "%y/%m/%d", "%y.%m.%d", "%y-%m-%d"),
)
SWAPS = (str.maketrans("dm", "md"), str.maketrans("dy", "yd"))  # what a format may be taken for
MANY_DAYS = 20  # of the 31 are met: what takes so many values, and twice the year's, is the day
TIMES = (
    *("", "T%H:%M:%S%.f", " %H:%M:%S%.f", " %H:%M", "T%H:%M", "T%H:%M:%S%.f%#z"),
    *(" %H:%M:%S%.f%#z", " %I:%M %p", " %I:%M:%S %p"),
)


def guess_column(
    cell: pl.Series,
    role: Role = "feature",
    formats: tuple[str, ...] = (),
    forms: Forms | None = None,
) -> Column:
    """Guess the column that reads nearly all cells of a sample; `formats` are given, not guessed.

    `forms` say how numbers are written in the columns of a table; else the sample says it. Raises
    UserError if the cells are of two kinds, or have two readings.
    """
    column = Column(name=cell.name, type=type_of(cell.dtype), role=role)
    if role == "ignored" or not (formats or column.type == "string"):
        return column
    # Methods of a series take its name for a pattern too.
    text = cell.alias("cell").cast(pl.String).str.strip_chars().drop_nulls()
    odd = sorted(set(ODD_MISSING).intersection(text.unique()))
    column = change_column(column, type="string", missing=(*DEFAULT_MISSING, *odd))
    infinite = text.cast(pl.Float64, strict=False).is_infinite().fill_null(False)
    text = text.filter(~text.is_in(column.missing) & ~infinite)
    if text.is_empty():
        return column
    if formats:
        tried = [change_column(column, type="timestamp", formats=formats)]
    else:
        tried = _list_plain_types(column, forms or _find_form(text.alias(column.name)))
        if share_of(text.str.contains(DATELIKE)) >= MIXED:
            used = _find_formats(text, cell.name)
            tried += [change_column(column, type="timestamp", formats=used)] if used else []
    best = max(tried, key=lambda column: share_of(_read_as(text, column).is_not_null()))
    return _believe(text, column, best, given=bool(formats))


def _find_form(text: pl.Series) -> Forms:
    sample = text.to_frame()
    return find_forms(sample.lazy(), sample, [text.name])


def _list_plain_types(column: Column, forms: Forms) -> list[Column]:
    """List the types that a column of texts may have, but for dates."""
    form = forms.numbers[column.name]
    if not form:
        return [change_column(column, type="boolean")]
    kinds: list[Type] = ["boolean", "number"] if form.unit else ["integer", "boolean", "number"]
    written = {kind: {} if kind == "boolean" else form._asdict() for kind in kinds}
    return [change_column(column, type=kind, **written[kind]) for kind in kinds]


def change_column(column: Column, **changes: object) -> Column:
    """Copy a column with other fields, which are checked."""
    return Column.model_validate(column.model_dump() | changes)


def type_of(dtype: pl.DataType) -> Type:
    """Return the type of a column that comes typed; what has none of ours is guessed as text."""
    kinds: dict[Type, bool] = {
        "integer": dtype.is_integer(),
        "number": dtype.is_numeric(),
        "boolean": dtype == pl.Boolean,
        "date": dtype == pl.Date,
        "timestamp": dtype == pl.Datetime,
    }
    return next((kind for kind, holds in kinds.items() if holds), "string")


def share_of(mask: pl.Series) -> float:
    """Return the share, 0 to 1, of the rows that a mask is true of."""
    return int(mask.sum()) / max(1, len(mask))


def _read_as(text: pl.Series, column: Column) -> pl.Series:
    """Read the cells as the contract would with this column."""
    value = cells.read_cell(column, pl.String(), thorough=True).alias("value")
    return text.alias(column.name).to_frame().select(value).to_series()


def _believe(text: pl.Series, plain: Column, best: Column, given: bool) -> Column:
    """Return the best reading, or text if it does not read. Raises UserError for a mixture."""
    values = _read_as(text, best)
    read, unread = share_of(values.is_not_null()), text.filter(values.is_null())
    if best.type == "boolean" and values.n_unique() < 3 and len(unread):
        return plain  # one of two words, such as J and N, happens to be one of ours
    if read >= MOST:
        best = change_column(best, missing=(*best.missing, *_find_missing_marks(text, unread)))
        days = best.type == "timestamp" and (values == values.dt.date()).all()
        return change_column(best, type="date") if days else best
    singular = unread.n_unique() > max(20, len(unread) / 2)  # as ticket numbers are: not a mixture
    if given and read < MIXED:
        raise UserError(
            f"column '{plain.name}': '{' | '.join(best.formats)}' of --dates does not read "
            f"'{unread[0]}'; correct it, or leave --dates out."
        )
    if not given and (read < MIXED or best.type == "boolean" or singular):
        return plain
    raise UserError(
        f"column '{plain.name}' mixes {best.type}s ({read:.0%}) with words like '{unread[0]}'; "
        f"clean it, or leave it out with --ignore '{plain.name}'."
    )


def _find_missing_marks(text: pl.Series, unread: pl.Series) -> list[str]:
    """Find words that come again and again where all else is a number or a date: they must say that
    nothing is known.
    """
    words = unread.filter(~unread.str.contains(r"\d"))
    often = words.value_counts(name="times").filter(pl.col("times") > FEW * len(text))
    return sorted(often[words.name])


def _find_formats(text: pl.Series, name: str) -> tuple[str, ...]:
    """Find the date formats in use, most used first. Raises UserError if they are not clear."""
    column = Column(name=name, type="timestamp")
    formats = ["".join(parts) for parts in product(DAYS, TIMES)]
    columns = {form: change_column(column, formats=(form,)) for form in formats}
    few = text.gather_every(len(text) // 1000 + 1)
    reads = {form: _read_as(few, each).is_not_null() for form, each in columns.items()}
    used, left = [], few.is_not_null()
    for form in sorted(reads, key=lambda form: -reads[form].sum()):
        if share_of(reads[form] & left) > FEW:
            used.append(form)
            left &= ~reads[form]
    used = [_choose_by_days(text, columns, form) for form in used]
    for place, form in enumerate(used):
        rivals = [form.translate(swap) for swap in SWAPS]
        alike = [
            rival
            for rival in rivals
            if rival in reads
            and rival != form
            and share_of(reads[form] & ~reads[rival]) <= FEW
            and not _has_more_days(text, columns, form, rival)
        ]
        if len(used) > 2 or alike or set(rivals) & set(used[place + 1 :]):
            ways = ", ".join([*used, *alike])
            parts = "day, month and year" if "%y" in ways else "day and month"
            raise UserError(
                f"column '{name}' holds dates in several formats, or with {parts} in doubt "
                f'({ways}); name what is meant, as in --dates "{name}={form}", clean it, or leave '
                f"it out with --ignore '{name}'."
            )
    return tuple(used)


def _choose_by_days(text: pl.Series, columns: dict[str, Column], form: str) -> str:
    """Choose the format that takes another part for the day, if that part alone can be it."""
    rival = form.translate(SWAPS[1])
    known = rival in columns and rival != form
    return rival if known and _has_more_days(text, columns, rival, form) else form


def _has_more_days(text: pl.Series, columns: dict[str, Column], form: str, other: str) -> bool:
    """Tell whether a format finds so many days of the month, and another so few, that the part they
    differ in is the day; of those that take day and month for each other none does.
    """
    if other != form.translate(SWAPS[1]):
        return False
    days, others = (_read_as(text, columns[each]).dt.day().n_unique() for each in (form, other))
    return bool(days >= MANY_DAYS and days >= 2 * others)
