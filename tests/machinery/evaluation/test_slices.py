import numpy as np
import polars as pl
import pytest
from mlops.core.params import EvaluateParams
from mlops.core.paths import round_figures
from mlops.data.contract import Column, Contract
from mlops.evaluation import slices as module
from mlops.evaluation.slices import compare_slices, draw_deviations, label_rows, measure_interval
from mlops.model.metrics import find_primary_metric

import tiny

PARAMS = EvaluateParams()
MANY_DRAWS = EvaluateParams(resamples=400)


def find_slices(table, scores, task="binary"):
    contract = Contract(**tiny.contract(task))
    truth = table["answer"].to_numpy().astype(int if task == "binary" else float)
    entries = compare_slices(
        table, contract, truth, scores, metric=find_primary_metric(task), params=PARAMS
    )
    return round_figures(entries)


def probability(table):
    return 1 / (1 + np.exp(-2 * table["x"].to_numpy()))


def test_a_slice_served_worse_is_behind_beyond_chance():
    table = tiny.table(rows=3000)
    scores = np.where(table["group"] == "b", table["noise"], probability(table))
    by_value = {entry["value"]: entry for entry in find_slices(table, scores)}
    assert by_value["b"]["gap"] > 0.1
    assert by_value["b"]["high"] < by_value["a"]["low"]
    assert sum(entry["rows"] for entry in by_value.values()) == 3000


def test_even_many_even_slices_raise_no_false_alarm():
    table = tiny.table(rows=6000)
    groups = np.random.default_rng(5).integers(0, 30, 6000).astype(str)
    entries = find_slices(table.with_columns(group=pl.Series(groups)), probability(table))
    whole = find_primary_metric("binary").score(table["answer"].to_numpy(), probability(table))
    assert len(entries) == 30
    assert all(entry["high"] > whole for entry in entries)


def test_too_few_rows_are_shown_but_not_judged():
    table = tiny.table(rows=1000)
    few = pl.Series(["few"] * 40 + ["one class"] * 160 + ["many"] * 800)
    answer = table["answer"].to_numpy().copy()
    answer[40:200] = True
    table = table.with_columns(group=few, answer=pl.Series(answer))
    by_value = {entry["value"]: entry for entry in find_slices(table, probability(table))}
    assert by_value["few"]["metric"] is not None
    assert by_value["few"]["high"] is None
    assert by_value["one class"]["metric"] is None
    assert by_value["many"]["high"] is not None


def test_alike_rows_are_not_called_badly_served():
    """Their own R2 is low as there is little to explain; their errors are those of the others."""
    table = tiny.table("regression", rows=2000)
    alike = np.abs(table["x"].to_numpy()) < 0.3
    table = table.with_columns(group=pl.Series(np.where(alike, "alike", "unlike")))
    scores = 2 * table["x"].to_numpy()
    by_value = {entry["value"]: entry for entry in find_slices(table, scores, "regression")}
    assert (
        find_primary_metric("regression").score(table["answer"].to_numpy()[alike], scores[alike])
        < 0.2
    )
    assert abs(by_value["alike"]["gap"]) < 0.05
    weights = [entry["rows"] for entry in by_value.values()]
    whole = find_primary_metric("regression").score(table["answer"].to_numpy(), scores)
    average = np.average([entry["metric"] for entry in by_value.values()], weights=weights)
    assert average == pytest.approx(whole, abs=1e-4)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["a", None], "string", ["a", "missing"]),
        ([True, None], "boolean", ["true", "missing"]),
        ([1, 2], "integer", ["1", "2"]),
        ([None, *range(100)], "integer", {"missing", "up to 25", "25 to 50", "above 74"}),
        ([0.0] * 90 + list(range(1, 40)), "number", {"up to 0", "0 to 7", "above 7"}),
    ],
)
def test_slices_have_names(values, kind, expected):
    names = label_rows(pl.Series(values), Column(name="c", type=kind)).to_list()
    if isinstance(expected, set):
        assert expected <= set(names)
    else:
        assert names == expected


def test_dates_are_sliced_by_month():
    dates = pl.Series(["2013-05-09", "2013-12-31"]).str.to_date()
    assert label_rows(dates, Column(name="c", type="date")).to_list() == ["2013-05", "2013-12"]


def mean_of(values):
    return lambda rows: float(values[rows].mean())


def test_the_interval_of_a_mean_is_that_of_theory():
    values = np.random.default_rng(3).normal(10, 2, size=900)
    estimate = measure_interval(mean_of(values), 900, MANY_DRAWS)
    assert estimate["value"] == pytest.approx(values.mean())
    assert estimate["high"] - estimate["low"] == pytest.approx(2 * 1.96 * 2 / 30, rel=0.2)
    spread = draw_deviations(mean_of(values), estimate["value"], 900, 50).std()
    assert spread == pytest.approx(2 / 30, rel=0.2)


def test_a_part_of_many_rows_tells_as_much_as_all(monkeypatch):
    values = np.random.default_rng(3).normal(10, 2, size=4000)
    whole = measure_interval(mean_of(values), 4000, MANY_DRAWS)
    monkeypatch.setattr(module, "MOST_ROWS", 500)
    part = measure_interval(mean_of(values), 4000, MANY_DRAWS)
    assert part["high"] - part["low"] == pytest.approx(whole["high"] - whole["low"], rel=0.2)
    assert part["low"] < part["value"] < part["high"]


def test_the_same_rows_give_the_same_bounds():
    values = np.arange(50.0)
    assert measure_interval(mean_of(values), 50, MANY_DRAWS) == measure_interval(
        mean_of(values), 50, MANY_DRAWS
    )


def test_what_no_draw_can_tell_has_no_bounds():
    estimate = measure_interval(lambda rows: float("nan"), 10, MANY_DRAWS)
    assert np.isnan(list(estimate.values())).all()
