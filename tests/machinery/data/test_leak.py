import numpy as np
import polars as pl
import pytest
from mlops.data.contract import Column, Contract
from mlops.data.leak import find_leaks
from sklearn import datasets


def found_in(columns, target, task, **reviewed):
    """The suspicious columns, and their partners, of a table of numbers and texts."""
    frame = pl.DataFrame(columns).with_columns(y=pl.Series(target))
    kinds = {pl.String: "string", pl.Datetime: "timestamp"}
    made = [
        Column(name=name, type=kinds.get(dtype.base_type(), "number"), **reviewed)
        for name, dtype in frame.schema.items()
        if name != "y"
    ]
    answer = "number" if task == "regression" else "integer"
    contract = Contract(
        id="t",
        name="t",
        task=task,
        classes=() if task == "regression" else tuple(map(str, np.unique(target))),
        columns=(*made, Column(name="y", type=answer, role="target")),
    )
    suspects = find_leaks(frame, contract, 0.7)["suspects"]
    return {one["column"]: one["partner"] for one in suspects}


def columns_of(values):
    return {f"x{place}": column for place, column in enumerate(values.T)}


@pytest.mark.parametrize(
    ("load", "task"),
    [
        (datasets.load_breast_cancer, "binary"),
        (datasets.load_iris, "multiclass"),
        (datasets.load_wine, "multiclass"),
        (datasets.load_diabetes, "regression"),
    ],
)
def test_honest_tables_are_not_suspected(load, task):
    values, target = load(return_X_y=True)
    assert found_in(columns_of(values), target, task) == {}


@pytest.mark.parametrize("seed", range(3))
def test_made_up_tables_are_not_suspected(seed):
    values, target = datasets.make_classification(900, n_informative=5, random_state=seed)
    assert found_in(columns_of(values), target, "binary") == {}


def noise(rows=1500):
    values, target = datasets.make_classification(rows, 6, flip_y=0.3, random_state=1)
    return columns_of(values), target, np.random.default_rng(0)


def test_a_column_made_of_the_target_is_suspected():
    columns, target, dice = noise()
    leak = target + dice.normal(0, 0.2, len(target))
    assert found_in(columns | {"leak": leak}, target, "binary") == {"leak": None}
    assert found_in(columns | {"leak": leak}, target, "binary", leak_reviewed=True) == {}


def test_two_copies_do_not_hide_each_other():
    columns, target, _ = noise()
    copies = {"one": target * 1.0, "two": target * -3.0}
    assert set(found_in(columns | copies, target, "binary")) == {"one", "two"}


def test_that_a_value_is_missing_can_be_the_leak():
    columns, target, _ = noise()
    filled = [1.0 if answer else None for answer in target]
    assert found_in(columns | {"refund": filled}, target, "binary") == {"refund": None}


def test_a_text_can_be_the_leak():
    columns, target, _ = noise()
    status = ["closed" if answer else "open" for answer in target]
    assert found_in(columns | {"status": status}, target, "binary") == {"status": None}


def test_names_that_never_repeat_tell_nothing():
    columns, target, _ = noise()
    names = [f"name {number}" for number in range(len(target))]
    assert found_in(columns | {"name": names}, target, "binary") == {}


def test_the_difference_of_plan_and_outcome_is_suspected():
    columns, target, dice = noise()
    plan = dice.uniform(0, 1000, len(target))
    times = {"planned": plan, "came": plan + 30 * target + dice.normal(0, 3, len(target))}
    partners = found_in(columns | times, target, "binary")
    assert [{name, partner} for name, partner in partners.items()] == [{"planned", "came"}]


def test_a_number_to_predict_can_leak_too():
    values, target = datasets.make_friedman1(1500, noise=1, random_state=0)
    leak = target * 1.1 + np.random.default_rng(0).normal(0, 0.3, len(target))
    assert found_in(columns_of(values) | {"leak": leak}, target, "regression") == {"leak": None}


def test_a_table_of_the_leak_alone():
    target = np.arange(400) % 2
    assert found_in({"leak": target * 2.0}, target, "binary") == {"leak": None}


def test_columns_of_nothing_or_one_value_are_no_hindrance():
    columns, target, _ = noise()
    empty = pl.Series([None] * len(target), dtype=pl.Float64)
    assert found_in(columns | {"empty": empty, "same": empty.fill_null(1)}, target, "binary") == {}


def test_free_text_is_not_judged_by_the_alphabet():
    dice = np.random.default_rng(0)
    target = np.arange(1200) % 2
    opening = np.where(target, "very happy, order ", "awful, order ")
    review = list(map("{}{}".format, opening, dice.permutation(1200)))
    columns, _, _ = noise(1200)
    assert found_in(columns | {"review": review}, target, "binary") == {}


def test_a_date_can_be_the_leak():
    columns, target, dice = noise()
    days = pl.Series(20 * target + dice.integers(0, 9, len(target))).cast(pl.Date)
    dates = days.cast(pl.Datetime("us"))
    assert found_in(columns | {"closed": dates}, target, "binary") == {"closed": None}
