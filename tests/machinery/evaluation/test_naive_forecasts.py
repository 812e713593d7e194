import datetime as dt

import numpy as np
import polars as pl
import pytest
from mlops.data.contract import Column, Contract
from mlops.evaluation.evaluate import find_baseline
from mlops.evaluation.naive_forecasts import find_entities, forecast_naively
from mlops.model.metrics import find_primary_metric

DICE = np.random.default_rng(0)
START = dt.date(2024, 1, 1)


def sales(days=60, stores=("S0", "S1"), step=dt.timedelta(days=1)):
    """A table of one row a store and day, with a walk and a week, and its contract."""
    rows = [
        {
            "store": store,
            "date": START + day * step,
            "promo": int(DICE.integers(0, 2)),
            "sales": 100.0 * (n + 1) + 10 * (day % 7) + float(DICE.normal()),
        }
        for day in range(days)
        for n, store in enumerate(stores)
    ]
    return pl.DataFrame(rows)


def contract_of(task="regression", **roles):
    kinds = {"store": "string", "date": "date", "promo": "integer", "sales": "number"}
    roles = {"date": "time", "sales": "target", **roles}
    columns = [
        Column(name=name, type=kind, role=roles.get(name, "feature"))
        for name, kind in kinds.items()
    ]
    classes = () if task == "regression" else ("0.0", "1.0")
    return Contract(id="t", name="t", task=task, classes=classes, columns=tuple(columns))


@pytest.mark.parametrize("role", ["feature", "group", "key"])
def test_the_last_value_and_that_of_a_week_before_are_those_of_the_same_store(role):
    table = sales()
    past, test = table[:100], table[100:]
    forecasts = forecast_naively(past.lazy(), test, contract_of(store=role))
    assert list(forecasts) == [
        "the last value of the same store",
        "the value a week before of the same store",
    ]
    last, week = (values.tolist() for values in forecasts.values())
    truth = table["sales"].to_list()
    assert last == truth[98:118]
    assert week == truth[86:106]


def test_a_store_without_a_past_gets_the_median():
    table = sales()
    new = table[100:101].with_columns(store=pl.lit("S9"))
    [last, _] = forecast_naively(table[:100].lazy(), new, contract_of()).values()
    assert last.tolist() == [table[:100]["sales"].median()]


def test_one_course_needs_no_store_and_hours_have_their_day():
    hours = sales(stores=("S0",)).with_columns(
        date=pl.Series([dt.datetime(2024, 1, 1) + dt.timedelta(hours=n) for n in range(60)])
    )
    forecasts = forecast_naively(hours[:50].lazy(), hours[50:], contract_of())
    assert list(forecasts) == ["the last value", "the value a day before"]
    assert forecasts["the value a day before"].tolist() == hours["sales"][26:36].to_list()


def test_rows_that_are_no_course_in_time_have_no_such_forecast():
    table = sales()
    flat = contract_of().model_copy(update={"task": "binary"})
    assert find_entities(table, contract_of()) == ["store"]
    assert find_entities(pl.concat([table, table]), contract_of()) is None
    assert forecast_naively(table.lazy(), table, contract_of(date="feature")) == {}
    assert forecast_naively(table.lazy(), table, flat) == {}
    own = table.with_columns(store=pl.format("order {}", pl.int_range(pl.len())))
    assert find_entities(own, contract_of()) is None


def test_a_model_has_to_beat_yesterday():
    table = sales()
    past, test = table[:100], table[100:]
    contract, true = contract_of(), test["sales"].to_numpy()
    naive = forecast_naively(past.lazy(), test, contract)
    metric = find_primary_metric("regression", "r2")
    base = find_baseline(true, contract, metric, None, naive)
    assert base["source"] == "the value a week before of the same store"
    assert base["value"] == metric.measure(true, naive[base["source"]]) > 0.9
    assert base["forecast"]
    assert find_baseline(true, contract, metric, None, {})["source"].startswith("the same answer")
