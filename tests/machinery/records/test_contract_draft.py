import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data.contract import Column, Contract
from mlops.records.contract_draft import draft_contract
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

ROWS = 300
UNKNOWN_DATES = {"x": ("%Y",)}


def table(**columns: list[Any]) -> pl.LazyFrame:
    base = {
        "size": [f"{place * 37 % 101 / 8:.3f}" for place in range(ROWS)],
        "late": ["yes", "no", "no"] * (ROWS // 3),
    }
    return pl.LazyFrame(base | columns)


def pick(*values: Any) -> list[Any]:
    return [values[place % len(values)] for place in range(ROWS)]


def drafted(frame: pl.LazyFrame, target: str = "late", **options: Any) -> Contract:
    return draft_contract(frame, "orders", target, **options)[0]


def described(values: list[Any], **options: Any) -> Column:
    return drafted(table(col=values), **options)["col"]


def test_a_draft_can_be_saved_and_loaded(tmp_path: Path) -> None:
    contract = drafted(table(a=pick("x", "y", None), when=pick("2013-01-31", "2013-02-01")))
    contract.save(tmp_path / "contract.yaml")
    assert Contract.load(tmp_path / "contract.yaml") == contract
    assert contract.id == "orders-late"
    assert contract.classes == ("false", "true")


def test_ranges_are_widened_by_their_span() -> None:
    below, above = described(pick("10", "20", "-5")), described(pick("1.5", "9.25"))
    assert (below.minimum, below.maximum) == (-30, 45)
    assert (above.minimum, above.maximum) == (0, 17)


def test_categories_are_known_not_allowed_and_what_is_required() -> None:
    complete, holed = described(pick(" b", "a")), described(pick("b", "a", "NA"))
    assert (complete.known_categories, complete.required) == (("a", "b"), True)
    assert (holed.known_categories, holed.required) == (("a", "b"), False)
    assert complete.categories is holed.categories is None
    many = described([f"c{place % 60}" for place in range(ROWS)])
    assert (many.role, many.known_categories) == ("feature", ())
    assert drafted(table(late=pick("stay", "leave", "go")))["late"].categories is not None


def test_new_keys_and_groups_are_the_normal_case() -> None:
    frame = table(shop=pick("a", "b"), town=pick("x", "y"), nr=[*map(str, range(ROWS))])
    contract = drafted(frame, key="shop,nr", group="town")
    for name in ("shop", "town"):
        assert (contract[name].categories, contract[name].known_categories) == (None, ())


@pytest.mark.parametrize(
    ("values", "least"),
    [
        ([str(place // 3) for place in range(ROWS)], 0),  # a counter
        ([str(-place / 4) for place in range(ROWS)], None),  # a running measure, newest first
        ([str(place * 7919 % 100_003) for place in range(ROWS)], 0),  # numbers of tickets
        (pick("2021", "2019", "2020"), 0),
        (pick("202112", "201901", "202006"), 0),
        (pick("20211231", "20190115", "20200630"), 0),
        (pick("1700000000", "1600000000", "1650000000"), 0),
        (pick("1700000000000", "1600000000000", "1650000000000"), 0),
    ],
)
def test_a_number_that_goes_on_running_has_no_limit_but_its_sign(
    values: list[str], least: int | None
) -> None:
    column = described(values)
    assert column.type in ("integer", "number")
    assert (column.minimum, column.maximum) == (least, None)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([f"id{place}" for place in range(ROWS)], "has another value in nearly every row; if it"),
        ([str(place + 7) for place in range(ROWS)], "numbers the rows; if it names the record"),
        (pick("same"), "has one value only"),
        (pick("5"), "has one value only"),
        (pick("yes", None), "has one value only"),
    ],
)
def test_what_cannot_help_is_ignored_and_said(values: list[Any], why: str) -> None:
    contract, notices = draft_contract(table(col=values), "orders", "late")
    assert contract["col"].role == "ignored"
    assert any(notice.startswith(f"col is ignored: it {why}") for notice in notices)


def test_prose_is_read_for_its_words_and_names_are_not() -> None:
    prose = [f"came late on day {place} and was broken" for place in range(ROWS)]
    names = [f"Mr. John Smith {place} Jr." for place in range(ROWS)]
    marks = [f"[{place}] 2024-01-01 00:00:00.000 +00 -- 17 4 5" for place in range(ROWS)]
    contract, notices = draft_contract(table(t=prose, n=names, m=marks), "orders", "late")
    assert (contract["t"].free_text, contract["t"].role) == (True, "feature")
    assert any(notice.startswith("t is free text: the model learns") for notice in notices)
    assert (contract["n"].role, contract["m"].role) == ("ignored", "ignored")
    again = described(pick("came late and was broken", "was in time and as promised"))
    assert (again.free_text, len(again.known_categories)) == (False, 2)


def test_what_was_decided_for_the_reader_is_said() -> None:
    frame = table(a=pick("1", "-"), b=pick("-", "2"), when=pick("2013-01-31", "2013-02-01"))
    _, notices = draft_contract(frame, "orders", "late")
    assert "'-' is read as missing in a, b." in notices
    assert any(notice.startswith("when holds dates: if it is when a row") for notice in notices)
    _, notices = draft_contract(frame, "orders", "late", time="when")
    assert not any("holds dates" in notice for notice in notices)


def test_a_contract_is_called_by_plain_letters() -> None:
    contract, _ = draft_contract(table().rename({"late": "verspätet"}), "Züge", "verspätet")
    assert contract.id == "zuge-verspatet"


def test_roles_come_from_the_options() -> None:
    frame = table(
        nr=[str(place) for place in range(ROWS)],
        part=pick("1", "2"),
        day=pick("2013-01-31", "2013-02-01"),
        shop=pick("a", "b", "c"),
        note=pick(None),
    )
    contract = drafted(frame, key="nr, part", time="day", group="shop", ignore=["note"])
    assert [column.role for column in contract.columns] == [
        *("feature", "target", "key", "key", "time", "group", "ignored")
    ]
    assert contract["day"].required
    assert contract["nr"].minimum is None


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (pick("no", "yes"), "binary", ("false", "true")),
        (pick("0", "1", "1"), "binary", ("0", "1")),
        (pick("good", "bad", "bad"), "binary", ("bad", "good")),
        (pick("stay", "leave", "stay"), "binary", ("stay", "leave")),
        (pick(True, False), "binary", ("false", "true")),
        (pick(0.0, 1.0), "binary", ("0.0", "1.0")),
        (pick("b", "a", "c"), "multiclass", ("a", "b", "c")),
        (pick("10", "2", "1"), "multiclass", ("1", "2", "10")),
        ([str(place) for place in range(ROWS)], "regression", ()),
        ([place / 7 for place in range(ROWS)], "regression", ()),
    ],
)
def test_the_task_follows_the_target(values: list[Any], task: str, classes: tuple[str]) -> None:
    contract = drafted(table(late=values))
    assert (contract.task, contract.classes) == (task, classes)
    assert contract.faults() == []


def test_the_task_can_be_said() -> None:
    assert drafted(table(late=pick("1", "2", "3")), task="regression").task == "regression"


@pytest.mark.parametrize(
    ("columns", "options", "says"),
    [
        ({}, {"target": "lat"}, "no column 'lat'; did you mean 'late'\\?"),
        ({"a?": pick("1", "2")}, {"target": "a"}, r"did you mean 'a\?'\?$"),
        ({}, {"ignore": ["x"]}, "no column 'x'; did you mean 'size', 'late'"),
        ({}, {"dates": UNKNOWN_DATES}, "the table has no column 'x'"),
        ({}, {"key": "late"}, "cannot be both target and key"),
        ({}, {"time": "size"}, "column 'size' holds no dates but numbers"),
        ({}, {"task": "multiclass"}, "does not go with multiclass"),
        ({}, {"task": "regression"}, "does not go with regression"),
        ({"late": pick("yes")}, {}, "the target 'late' has one value only"),
        ({"late": pick("yes", None, None)}, {}, "lacks 200 of its 300 values, more than half"),
        ({"late": pick("2013-01-31", "2013-02-01")}, {}, "the target 'late' has dates"),
        (
            {"late": [f"w{n}" for n in range(ROWS)]},
            {},
            "string, many values. does not go with regression",
        ),
        ({"col": pick(None)}, {}, "column 'col' is empty in every row.*--ignore 'col'"),
        ({"col": pick("NA", " ")}, {}, "column 'col' is empty in every row"),
        ({"col": pick("1.5", "inf")}, {}, r"holds 150 infinite number\(s\).*--ignore 'col'"),
        ({"col": [*pick(1.5, 2.0)[1:], float("inf")]}, {}, r"holds 1 infinite number\(s\)"),
        ({"col": pick("1", "2", "many")}, {}, "column 'col' mixes integers"),
        ({"size": [f"w{n}" for n in range(ROWS)]}, {}, "no column is left to learn from"),
    ],
)
def test_a_table_that_cannot_be_learnt_from_is_refused(
    columns: dict[str, list[Any]], options: dict[str, Any], says: str
) -> None:
    with pytest.raises(UserError, match=says) as caught:
        drafted(table(**columns), **options)
    assert "\n" not in str(caught.value)


def test_a_hundred_thousand_texts_are_refused() -> None:
    frame = pl.LazyFrame({"late": [0, 1] * 60_000}).with_row_index("n")
    frame = frame.with_columns(name=pl.format("n{}", "n"))
    with pytest.raises(UserError, match=r"about 1[0-4].,... different texts.*--key"):
        drafted(frame)
    assert drafted(frame.with_columns(x=pl.col("n") % 7), key="name").keys


def test_a_hundred_thousand_texts_of_many_words_are_not() -> None:
    prose = pl.Series([f"came late on day {place} and was broken" for place in range(100_200)])
    frame = pl.DataFrame({"text": prose, "late": ["yes", "no"] * 50_100})
    assert drafted(frame.lazy())["text"].free_text


def test_a_decimal_comma_anywhere_speaks_for_the_whole_table() -> None:
    frame = table(a=pick("1,5", "2,25"), b=pick("1,234", "2,345"), c=pick("1", "2", "3"))
    contract = drafted(frame.drop("size"))
    assert (contract["b"].decimal, contract["b"].maximum) == (",", 3.46)
    assert contract["c"].decimal == ","
    with pytest.raises(UserError, match=r"'1,234' may be 1\.234 or 1234"):  # as size has points
        drafted(frame)


def test_dates_can_be_said() -> None:
    column = described(pick("01/02/2013", "03/04/2013"), dates={"col": ("%d/%m/%Y",)})
    assert (column.type, column.formats) == ("date", ("%d/%m/%Y",))


def test_typed_columns_keep_their_type() -> None:
    moments = pick(dt.datetime(2013, 1, 1, 10), dt.datetime(2013, 1, 2))
    frame = table(d=pick(dt.date(2013, 1, 1), dt.date(2013, 1, 2)), t=moments, b=pick(True, False))
    kinds = [column.type for column in drafted(frame, time="t").columns]
    assert kinds == ["number", "boolean", "date", "timestamp", "boolean"]


@pytest.mark.parametrize(
    ("load", "task", "inputs"),
    [
        (load_iris, "multiclass", 4),
        (load_breast_cancer, "binary", 30),
        (load_diabetes, "regression", 10),
    ],
)
def test_well_known_tables_go_through(load: Any, task: str, inputs: int) -> None:
    bunch = load()
    names = [*bunch.feature_names, "target"]
    rows = [[*map(str, row), str(goal)] for row, goal in zip(bunch.data, bunch.target, strict=True)]
    contract = drafted(pl.LazyFrame(rows, schema=names, orient="row"), target="target")
    assert (contract.task, len(contract.inputs)) == (task, inputs)
