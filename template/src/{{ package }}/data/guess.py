"""What a column of text probably holds, judged on a sample with the contract's own reading.

A guess is a `Column` with type, missing spellings, date formats and decimal mark, so whatever it
says will be read in the pipeline exactly as it was read here.
"""

from itertools import product

import polars as pl

from ..errors import UserError
from . import cells
from .contract import DEFAULT_MISSING, Column

MOST = 0.95  # of the cells that hold something must read for a type to be believed
FEW = 0.01  # of the cells may look like a format without it being one of the column's
MIXED = 0.5  # of them, and it is a mixture that someone must look at
CODE = r"^(0\d+|\d{16,})$"  # digits that are not a quantity: leading zeros, or too many
DATELIKE = r"^\w{1,4}[-/. ]\w{1,9}[-/., ]+\d{2,4}(\D|$)"
ODD_MISSING = {
    "-",
    "--",
    ".",
    "n/a",
    "n.a.",
    "#N/A",
    "#NA",
    "<NA>",
    "NaT",
    "NAN",
    "none",
    "nil",
} | {*("NULL", "Null", "(null)", "missing", "Missing", "#DIV/0!", "#VALUE!", "N.A.")}
DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y"),
)
TIMES = (
    *("", "T%H:%M:%S%.f", " %H:%M:%S%.f", " %H:%M", "T%H:%M", "T%H:%M:%S%.f%#z"),
    *(" %H:%M:%S%.f%#z", " %I:%M %p", " %I:%M:%S %p"),
)
FORMATS = tuple(day + time for day, time in product(DAYS, TIMES))


def guess(cell: pl.Series, formats: tuple[str, ...] = (), comma: bool = False) -> Column:
    """The column that reads nearly all of the sample's cells; `formats` are given, not guessed.

    `comma` says that 1,234 is more likely a little over one than over a thousand.
    Raises UserError if the cells are of two kinds, or dates that cannot be told apart.
    """
    text = cell.str.strip_chars().drop_nulls()
    odd = sorted(ODD_MISSING.intersection(text.unique()))
    plain = Column(name=cell.name, type="string", missing=(*DEFAULT_MISSING, *odd))
    text = text.filter(~text.is_in(plain.missing))
    if formats:
        return _given(text, plain, formats)
    if share(text.str.contains(CODE)) > FEW or not len(text):
        return plain
    return _number(text, plain, comma) or _moment(text, plain) or plain


def retyped(column: Column, **changes: object) -> Column:
    return Column.model_validate({**column.model_dump(), **changes})


def share(mask: pl.Series) -> float:
    """The share of cells for which it is true; 0 for no cells."""
    return int(mask.sum()) / max(1, len(mask))


def share_read(text: pl.Series, column: Column, thorough: bool = True) -> float:
    """The share of cells that the contract's reading makes a value of."""
    return share(read(text, column, thorough).is_not_null())


def read(text: pl.Series, column: Column, thorough: bool = True) -> pl.Series:
    reading = cells.value(column, pl.String(), thorough).alias("value")
    return text.rename(column.name).to_frame().select(reading).to_series()


def identifies(text: pl.Series) -> bool:
    """Whether the cells look like names or numbers of single things: hardly any repeats."""
    return text.n_unique() > max(20, len(text) / 2)


def _number(text: pl.Series, plain: Column, comma: bool) -> Column | None:
    """Integer, boolean or number, if one of them reads. Raises UserError for a mixture."""
    whole, boolean = retyped(plain, type="integer"), retyped(plain, type="boolean")
    point, decimal = (retyped(plain, type="number", decimal=mark) for mark in ".,")
    by_point, by_comma = share_read(text, point), share_read(text, decimal)
    if share_read(text, whole, thorough=False) >= MOST and by_point <= share_read(text, whole):
        return whole
    if share_read(text, boolean) >= MOST:
        return boolean
    comma = comma or bool(text.str.contains(r"^[+-]?0,").any())
    number = decimal if by_comma > by_point or (comma and by_comma == by_point) else point
    infinite = text.cast(pl.Float64, strict=False).is_infinite().fill_null(False)
    words = text.filter(read(text, number).is_null() & ~infinite)
    numbers = 1 - len(words) / len(text)
    if numbers >= MOST:
        grouped = number is point and not text.str.contains(".", literal=True).any()
        return whole if grouped and share_read(text, whole) >= MOST else number
    if numbers >= MIXED and not (identifies(text) and identifies(words)):
        raise UserError(
            f"column '{plain.name}' mixes numbers ({numbers:.0%}) with words like '{words[0]}'; "
            f"clean it, or leave it out with --ignore '{plain.name}'."
        )
    return None


def _moment(text: pl.Series, plain: Column) -> Column | None:
    """Date or timestamp, with the formats in use. Raises UserError if they are not clear."""
    if share(text.str.contains(DATELIKE)) < MIXED:
        return None
    some = text.gather_every(max(1, len(text) // 500))
    reads = {form: _reads(text, form) for form in FORMATS if _reads(some, form).any()}
    reads = _told_apart(reads, plain.name)
    formats: list[str] = []
    left = text.is_not_null()
    while reads and left.any():
        best = max(reads, key=lambda form: int((reads[form] & left).sum()))
        if share(reads[best] & left) <= FEW:
            break
        formats.append(best)
        left = left & ~reads.pop(best)
    way_out = (
        f"clean it, leave it out with --ignore '{plain.name}', or name its formats with "
        f'--dates "{plain.name}={"|".join(formats)}".'
    )
    if share(left) > 1 - MIXED:
        return None
    if share(left) > 1 - MOST:
        raise UserError(
            f"column '{plain.name}' mixes dates with other text like '{text.filter(left)[0]}'; "
            f"clean it, or leave it out with --ignore '{plain.name}'."
        )
    if len(formats) > 2:
        raise UserError(
            f"column '{plain.name}' holds dates in {len(formats)} formats "
            f"({', '.join(formats)}); {way_out}"
        )
    return _given(text, plain, tuple(formats))


def _reads(text: pl.Series, form: str) -> pl.Series:
    return read(text, Column(name="date", type="timestamp", formats=(form,))).is_not_null()


def _told_apart(reads: dict[str, pl.Series], name: str) -> dict[str, pl.Series]:
    """Without formats that take day for month. Raises UserError if either may be right."""
    kept = dict(reads)
    for form, by_day in reads.items():
        twin = form.replace("%m", "%?").replace("%d", "%m").replace("%?", "%d")
        if not form.startswith("%d") or twin not in reads:
            continue
        day_first = share(by_day & ~reads[twin]) > FEW
        month_first = share(reads[twin] & ~by_day) > FEW
        if day_first == month_first:
            raise UserError(
                f"column '{name}' holds dates that may be day first or month first; say which with "
                f'--dates "{name}={form}" or --dates "{name}={twin}".'
            )
        del kept[twin if day_first else form]
    return kept


def _given(text: pl.Series, plain: Column, formats: tuple[str, ...]) -> Column:
    """The column with these date formats. Raises UserError if they do not read it."""
    column = retyped(plain, type="timestamp", formats=formats)
    moments = read(text, column)
    if len(text) and share(moments.is_not_null()) < MOST:
        raise UserError(
            f"column '{plain.name}': '{' | '.join(formats)}' reads only "
            f"{share(moments.is_not_null()):.0%} of its dates, and not "
            f"'{text.filter(moments.is_null())[0]}'; name every format in use."
        )
    midnight = (moments == moments.dt.truncate("1d")).drop_nulls().all()
    return retyped(column, type="date" if midnight else "timestamp")
