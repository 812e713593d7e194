import datetime as dt

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.records.type_inference import guess_column


def column(*values: str | None, times: int = 30) -> pl.Series:
    return pl.Series("col", list(values) * times, dtype=pl.String)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (("1", " 2", "NA", None, "-3"), "integer"),
        (("0", "1"), "integer"),
        (("1.5", "2"), "number"),
        (("1e-3", "2.5"), "number"),
        (("Yes", "no", ""), "boolean"),
        (("T", "F"), "boolean"),
        (("red", "blue"), "string"),
        (("007", "123"), "string"),
        (("12345678901234567890", "1"), "string"),
        (("12:30", "13:30"), "string"),
        (("192.168.1.1", "10.0.0.1"), "string"),
        (("2013-W05", "2013-W06"), "string"),
        (("1", "a", "b"), "string"),
        ((None, "NA", ""), "string"),
        ((), "string"),
    ],
)
def test_the_type_is_the_one_that_reads(values: tuple[str | None, ...], kind: str) -> None:
    assert guess_column(column(*values)).type == kind


def test_a_few_fractions_make_a_number_of_integers() -> None:
    few = pl.concat([column("1", "2", times=100), column("0.25", times=3)])
    assert guess_column(few).type == "number"


def test_a_few_words_among_numbers_are_left_to_quarantine() -> None:
    few = pl.concat([column("1", "2", times=100), column("ca. 3", times=3)])
    assert guess_column(few).type == "integer"


@pytest.mark.parametrize(
    ("values", "decimal", "kind"),
    [
        (("1,5", "2", "1.234,5"), ",", "number"),
        (("1,234.5", "7"), ".", "number"),
        (("1,234", "2"), ".", "integer"),
        (("0,123", "2,345"), ",", "number"),
        (("1.234", "2.345"), ".", "number"),
    ],
)
def test_the_decimal_mark_is_told_from_the_data(
    values: tuple[str, ...], decimal: str, kind: str
) -> None:
    guessed = guess_column(column(*values))
    assert (guessed.decimal, guessed.type) == (decimal, kind)


@pytest.mark.parametrize("rare", ["J", "S", "2"])
def test_one_of_two_words_is_no_boolean_though_we_know_the_other(rare: str) -> None:
    assert guess_column(pl.concat([column("N", times=400), column(rare, times=4)])).type == "string"


def test_a_few_unreadable_cells_leave_a_boolean_one() -> None:
    assert (
        guess_column(pl.concat([column("Y", "N", times=200), column("x?", times=4)])).type
        == "boolean"
    )


def test_a_word_that_comes_again_among_numbers_says_that_nothing_is_known() -> None:
    guessed = guess_column(pl.concat([column("1", "2", times=200), column("unbekannt", times=9)]))
    assert guessed.type == "integer"
    assert "unbekannt" in guessed.missing


def test_odd_spellings_of_missing_are_taken_into_the_contract() -> None:
    guessed = guess_column(column("1.5", "-", "n/a", "?"))
    assert guessed.type == "number"
    assert {"-", "n/a", "?", ""} <= set(guessed.missing)


@pytest.mark.parametrize(
    ("values", "kind", "formats"),
    [
        (("2013-01-31", "2013-02-01"), "date", ("%Y-%m-%d",)),
        (("2013-01-31 00:00:00",), "date", ("%Y-%m-%d %H:%M:%S%.f",)),
        (("2013-01-31 10:00",), "timestamp", ("%Y-%m-%d %H:%M",)),
        (("2013-01-31T10:00:00.5",), "timestamp", ("%Y-%m-%dT%H:%M:%S%.f",)),
        (("2013-01-31T10:00:00Z",), "timestamp", ("%Y-%m-%dT%H:%M:%S%.f%#z",)),
        (("31/01/2013", "01/02/2013"), "date", ("%d/%m/%Y",)),
        (("01/31/2013", "01/02/2013"), "date", ("%m/%d/%Y",)),
        (("31.01.99", "01.02.98"), "date", ("%d.%m.%y",)),
        (("01-Jan-24", "15-Feb-23"), "date", ("%d-%b-%y",)),
        (("02-15-21", "03-01-21"), "date", ("%m-%d-%y",)),
        (("1/31/2013 3:05 PM",), "timestamp", ("%m/%d/%Y %I:%M %p",)),
        (("2013-01-31", "31.01.2013"), "date", ("%Y-%m-%d", "%d.%m.%Y")),
        (("31 Jan 2013", "NaT"), "date", ("%d %b %Y",)),
    ],
)
def test_dates_come_with_their_formats(
    values: tuple[str, ...], kind: str, formats: tuple[str, ...]
) -> None:
    guessed = guess_column(column(*values))
    assert (guessed.type, guessed.formats) == (kind, formats)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (("1", "2", "3", "four"), r"mixes integers \(75%\) with words like 'four'.*--ignore 'col'"),
        (("2013-01-31", "soon"), "mixes timestamps .50%. with words like 'soon'"),
        (("01/02/2013", "03/04/2013"), 'day and month in doubt .%d/%m/%Y, %m/%d/%Y.*--dates "col='),
        (("31/01/2013", "01/31/2013"), "day and month in doubt"),
        (("2013-01-31", "31.01.2013", "31 Jan 2013"), "dates in several formats.*--dates"),
        (("24/01/15", "23/12/31"), "day, month and year in doubt .%d/%m/%y, %y/%m/%d"),
        (("20.01.14 10:00", "21.02.02 11:00"), "day, month and year in doubt"),
    ],
)
def test_what_cannot_be_told_is_refused(values: tuple[str, ...], says: str) -> None:
    with pytest.raises(UserError, match=says):
        guess_column(column(*values))


def test_names_that_look_half_like_numbers_are_texts() -> None:
    tickets = [f"A/5 {number}" if number % 3 == 0 else str(number) for number in range(500)]
    assert guess_column(pl.Series("ticket", tickets)).type == "string"


def test_given_formats_are_taken_and_must_fit() -> None:
    guessed = guess_column(column("01/02/2013", "20130203"), formats=("%d/%m/%Y", "%Y%m%d"))
    assert (guessed.type, guessed.formats) == ("date", ("%d/%m/%Y", "%Y%m%d"))
    with pytest.raises(UserError, match=r"mixes timestamps .50%. with words like '20130203'"):
        guess_column(column("01/02/2013", "20130203"), formats=("%d/%m/%Y",))


@pytest.mark.parametrize("form", ["%d/%m/%y", "%y/%m/%d", "%d.%m.%y", "%y.%m.%d %H:%M"])
def test_what_takes_as_many_values_as_a_month_has_days_is_the_day(form: str) -> None:
    days = (dt.datetime(2014, 1, 1) + dt.timedelta(days=37 * n, hours=n) for n in range(100))
    guessed = guess_column(column(*(day.strftime(form) for day in days)))
    assert guessed.formats == (form,)


def test_a_format_that_does_not_fit_is_to_be_corrected_not_the_table() -> None:
    with pytest.raises(UserError, match="'%Q' of --dates does not read '2024-02-04'"):
        guess_column(column("2024-02-04"), formats=("%Q",))
