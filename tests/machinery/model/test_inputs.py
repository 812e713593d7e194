import datetime as dt

import numpy as np
import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data.contract import Column, Contract
from mlops.model.inputs import Input, encode_truth, list_inputs, make_feed, select_inputs


def contract(*columns, task="binary", classes=("no", "yes"), target="string"):
    last = Column(name="y", type=target, role="target")
    return Contract(id="t", name="t", task=task, classes=classes, columns=(*columns, last))


def test_only_known_features_and_time_are_inputs():
    entries = list_inputs(
        contract(
            Column(name="id", type="integer", role="key"),
            Column(name="who", type="string", role="group"),
            Column(name="note", type="string", role="ignored"),
            Column(name="later", type="number", known_at_decision=False),
            Column(name="a", type="number"),
            Column(name="b", type="string"),
            Column(name="c", type="boolean"),
        )
    )
    assert entries == [
        Input("a", "a", "number"),
        Input("b", "b", "text"),
        Input("c", "c", "number"),
    ]


def test_dates_become_parts_and_the_time_column_gives_none_that_grows():
    entries = list_inputs(
        contract(
            Column(name="when", type="timestamp", role="time"),
            Column(name="born", type="date"),
            Column(name="seen", type="timestamp"),
        )
    )
    assert [entry.name for entry in entries] == [
        "weekday of when",
        "hour of when",
        "days of born",
        "month of born",
        "weekday of born",
        "days of seen",
        "month of seen",
        "weekday of seen",
        "hour of seen",
    ]


def test_the_rule_is_floats_with_nan_and_texts_with_nothing():
    columns = [
        Column(name="n", type="integer"),
        Column(name="huge", type="number"),
        Column(name="flag", type="boolean"),
        Column(name="text", type="string"),
        Column(name="at", type="timestamp"),
    ]
    table = pl.DataFrame(
        {
            "n": [1, None],
            "huge": [1e300, -1e300],
            "flag": [True, None],
            "text": ["x", None],
            "at": [dt.datetime(1970, 1, 3, 23, 59), None],  # a Saturday
        }
    )
    values = select_inputs(table, list_inputs(contract(*columns)))
    assert values.drop("text").dtypes == [pl.Float32] * 7
    assert values.row(0)[2:] == (1.0, "x", 2.0, 1.0, 6.0, 23.0)
    assert values["n"].is_nan().to_list() == [False, True]
    assert values["huge"].is_finite().all()
    assert values["text"].to_list() == ["x", ""]
    assert np.isnan(values["hour of at"][1])


def test_days_before_1970_are_negative_and_missing_stays_missing():
    table = pl.DataFrame({"born": [dt.date(1969, 12, 31), None]})
    values = select_inputs(table, list_inputs(contract(Column(name="born", type="date"))))
    assert values["days of born"][0] == -1
    assert values["days of born"].is_nan().to_list() == [False, True]


def test_feed_has_a_column_for_each_input():
    given = make_feed(pl.DataFrame({"a": pl.Series([1.0, 2.0], dtype=pl.Float32), "b": ["x", ""]}))
    assert {name: (array.shape, array.dtype.kind) for name, array in given.items()} == {
        "a": ((2, 1), "f"),
        "b": ((2, 1), "O"),
    }


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["yes", "no"], ("no", "yes")),
        ([True, False], ("false", "true")),
        ([1, 0], ("0", "1")),
    ],
)
def test_truth_is_the_place_among_the_classes(values, classes):
    described = contract(classes=classes)
    assert encode_truth(pl.DataFrame({"y": values}), described).tolist() == [1, 0]


def test_truth_of_a_number_is_the_number():
    described = contract(task="regression", classes=(), target="integer")
    assert encode_truth(pl.DataFrame({"y": [3, 4]}), described).dtype == np.float64


def test_a_class_that_the_contract_does_not_know_is_named():
    with pytest.raises(UserError, match=r"'y' holds 'maybe', .*contract\.yaml"):
        encode_truth(pl.DataFrame({"y": ["yes", "maybe"]}), contract())
