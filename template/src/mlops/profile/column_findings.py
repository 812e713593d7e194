"""Findings on one column: constants, ids, missing values, stand-ins for them, skew, spellings."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from ..core.formatting import count, number, percent
from ..data.column_names import values_of
from ..data.contract import Column
from .codes import LEAST_NAMED, count_texts, to_numbers
from .column_profile import ColumnProfile, find_fences
from .finding import FREE_TEXT, IGNORE, Finding, make_finding
from .survey import Survey

NEARLY_ALL = 0.995  # of the rows say the same
UNIQUE, UNIQUE_SAMPLED = 0.95, 0.9  # distinct values a row; those of many rows are estimates
LEAST_ROWS = 50
MUCH_MISSING, MOSTLY_MISSING = 0.2, 0.5
SKEWED = 10.0
WORDS = 3  # of a text on average: then it is prose
STAND_IN = 0.003  # share of one value far out
MOST_SPELLINGS = 2_000


def find_in_column(profile: ColumnProfile, column: Column, survey: Survey) -> Iterator[Finding]:
    """Find what is to be done about one input."""
    if not column.is_input or survey.rows < LEAST_ROWS:
        return
    if profile.distinct <= 1 and profile.missing in (0, survey.rows):
        yield find_constant(profile)
        return
    if column.role == "time":
        return
    yield from find_rarely_other(profile)
    yield from find_identity(profile, column, survey)
    yield from find_missing(profile)
    yield from find_skew(profile)
    values = values_of(survey.sample, column.name)
    if column.type in ("integer", "number"):
        yield from find_stand_in(profile.name, values)
    if column.type == "string" and not column.free_text:
        yield from find_spellings(profile.name, values)


def find_constant(profile: ColumnProfile) -> Finding:
    """Find that a column has one value, or none."""
    says = f"has one value only, {profile.top[0].label}" if profile.top else "is empty"
    return make_finding(
        "constant",
        "medium",
        (profile.name,),
        measured=profile.distinct,
        measure="distinct values",
        meaning=f"{profile.name} {says}: nothing can be learned from it",
        advice="leave it out, until it has other values",
        edit=IGNORE,
    )


def find_rarely_other(profile: ColumnProfile) -> Iterator[Finding]:
    """Find that nearly all rows say the same."""
    if profile.top and profile.top[0].share >= NEARLY_ALL and not profile.missing:
        share = profile.top[0].share
        yield make_finding(
            "nearly constant",
            "low",
            (profile.name,),
            measured=share,
            measure="share of one value",
            meaning=f"{profile.name} is {profile.top[0].label} in {percent(share, 2)} of its rows",
            advice="leave it out unless the rare rows are what matters",
            edit=IGNORE,
        )


def find_identity(profile: ColumnProfile, column: Column, survey: Survey) -> Iterator[Finding]:
    """Find that a column names or numbers the rows, or is prose that is not read as such."""
    if column.free_text:
        return
    present = survey.rows - profile.missing
    least = UNIQUE_SAMPLED if survey.is_sampled else UNIQUE
    share = profile.distinct / max(present, 1)
    if share < least or present < LEAST_ROWS or profile.type not in ("string", "integer"):
        return
    facts = {"measured": round(min(share, 1.0), 4), "measure": "distinct values a row"}
    rarely = f"has another value in {percent(min(share, 1.0), 0)} of its rows"
    if profile.texts and profile.texts.words >= WORDS:
        yield make_finding(
            "near-unique text",
            "medium",
            (profile.name,),
            **facts,
            meaning=f"{profile.name} {rarely}, texts of {number(profile.texts.words, 0)} words",
            advice="as a category it tells nothing: say that it is free text, and the model learns "
            "from its words, or leave it out",
            edit=FREE_TEXT,
        )
    elif profile.type == "string" or is_running_number(profile, survey):
        verb = "names" if profile.type == "string" else "numbers"
        yield make_finding(
            "identifier",
            "medium",
            (profile.name,),
            **facts,
            meaning=f"{profile.name} {verb} the rows: it {rarely}",
            advice="a model would learn the rows by heart; say that it is the key, or leave it out",
            edit="primaryKey: true",
        )


def is_running_number(profile: ColumnProfile, survey: Survey) -> bool:
    """Tell whether whole numbers have hardly a gap, or grow from row to row."""
    extent = survey.extents[profile.name]
    if extent.high - extent.low + 1 <= 1.05 * survey.rows:
        return True
    steps = np.diff(to_numbers(values_of(survey.sample, profile.name).drop_nulls()))
    return bool(len(steps)) and bool(max(np.mean(steps > 0), np.mean(steps < 0)) > UNIQUE)


def find_missing(profile: ColumnProfile) -> Iterator[Finding]:
    """Find that much of a column is missing."""
    if profile.missing_share >= MUCH_MISSING:
        yield make_finding(
            "missing values",
            "medium" if profile.missing_share >= MOSTLY_MISSING else "low",
            (profile.name,),
            measured=profile.missing_share,
            measure="share missing",
            meaning=f"{profile.name} is missing in {percent(profile.missing_share)} of the rows",
            advice="ask the source why; that it is missing may itself tell something, or come only "
            "after the decision",
        )


def find_skew(profile: ColumnProfile) -> Iterator[Finding]:
    """Find that a few values are far larger, or smaller, than all others."""
    if profile.shape and abs(profile.shape.skewness or 0) >= SKEWED and profile.distinct > 2:
        skewness = profile.shape.skewness
        yield make_finding(
            "skew",
            "low",
            (profile.name,),
            measured=skewness,
            measure="skewness",
            meaning=f"{profile.name} is very skewed ({number(skewness)}): half of its values are "
            f"at most {profile.shape.quantiles[4]}, the extreme is "
            f"{profile.high if (skewness or 0) > 0 else profile.low}",
            advice="trees do not mind; for linear models take its logarithm in features.py, and "
            "ask whether the extremes are right",
        )


def find_stand_in(name: str, values: pl.Series) -> Iterator[Finding]:
    """Find one value, far from all others, that comes again and again: 999 for missing."""
    numbers = to_numbers(values.drop_nulls())
    if len(numbers) < LEAST_ROWS:
        return
    low, high = find_fences(numbers)
    for end in {numbers.min(), numbers.max()}:
        rows = int(np.sum(numbers == end))
        others = numbers[numbers != end]
        if low <= end <= high or low == high or rows < max(5, STAND_IN * len(numbers)):
            continue
        nearest, span = np.abs(others - end).min(), others.max() - others.min()
        if nearest > 0.5 * span:
            text = f"{end:g}"
            yield make_finding(
                "stand-in for missing",
                "medium",
                (name,),
                measured=rows / len(numbers),
                measure="share of one value",
                meaning=f"{name} is {text} in {count(rows, 'row')}, far from all other values",
                advice=f"if {text} stands for a value that is not known, say so",
                edit=f"- {{property: missingValues, value: ['', '{text}']}}",
            )


def find_spellings(name: str, values: pl.Series) -> Iterator[Finding]:
    """Find texts that differ in capitals and blanks only."""
    counts = count_texts(values)
    if not 1 < counts.height <= MOST_SPELLINGS:
        return
    plain = pl.col("value").str.strip_chars().str.to_lowercase().str.replace_all(r"\s+", " ")
    same = counts.with_columns(plain.alias("plain")).group_by("plain", maintain_order=True)
    often = pl.col("rows") >= LEAST_NAMED
    groups = same.agg("value", pl.col("rows").sum()).filter(often, pl.col("value").list.len() > 1)
    if groups.height:
        first = groups["value"][0].to_list()
        other = first[1].replace("'", "''")
        meant = first[0].replace("'", "''")
        yield make_finding(
            "spellings",
            "low",
            (name,),
            measured=groups.height,
            measure="values with several spellings",
            meaning=f"{name} writes {count(groups.height, 'value')} in several ways, such as "
            f"“{first[0]}” and “{first[1]}”",
            advice="say which is meant",
            edit=f"- {{property: spelling, value: {{'{other}': '{meant}'}}}}",
        )
