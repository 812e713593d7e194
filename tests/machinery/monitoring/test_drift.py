"""Distances against their formulas, and what live traffic does to them."""

import math

import numpy as np
import polars as pl
import pytest
from mlops.core.paths import MODEL, TEST, TRAIN, VALID
from mlops.model.bins import make_bins
from mlops.model.inputs import Input, select_inputs
from mlops.monitoring.drift import (
    measure_drift,
    measure_shares,
    population_stability_index,
)
from mlops.registry import registry
from mlops.scoring.predictor import SCORE, Predictor
from scipy.stats import norm

import served


@pytest.fixture(autouse=True)
def _champion(tmp_path, monkeypatch):
    """A model in service, and the rows it learned from where the pipeline leaves them."""
    monkeypatch.chdir(tmp_path)
    served.register(served.packed())
    monkeypatch.setattr(registry, "fetch_champion", lambda: (3, MODEL))


def contract():
    return served.contract_and_rows()[0]


def live(change=None, version=3):
    """Rows as `join_ground_truth` gives them: those of the training, changed."""
    agreed, table = served.contract_and_rows()
    names = [column.name for column in agreed.inputs]
    table = table if change is None else table.with_columns(change)
    scores = Predictor(MODEL).scores(table).astype(float)
    inputs = table.select(names).to_struct()
    return pl.DataFrame({"version": [version] * len(table), "score": scores, "inputs": inputs})


def of(drift, name):
    return next(each for each in drift["inputs"] if each["input"] == name)


def test_it_is_the_sum_over_the_bins_with_a_floor():
    one, other = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5])
    by_hand = 2 * 0.25 * math.log(2) + (0.0001 - 0.5) * math.log(0.0001 / 0.5)
    assert population_stability_index(one, other) == pytest.approx(by_hand)
    assert population_stability_index(other, other) == 0.0


def test_a_shifted_normal_is_as_far_as_the_analysis_says():
    """Of two normals over the tenths of the one, against their exact shares."""
    random, by = np.random.default_rng(0), 0.5
    [entry] = make_bins(pl.DataFrame({"x": random.normal(size=200_000)}))
    drift = population_stability_index(
        measure_shares(pl.Series("x", random.normal(by, size=200_000)), entry),
        np.array(entry["shares"]),
    )
    ends = np.concatenate([[-np.inf], norm.ppf(np.arange(1, 10) / 10), [np.inf]])
    exact = np.diff(norm.cdf(ends - by))
    assert drift == pytest.approx(population_stability_index(exact, np.full(10, 0.1)), rel=0.03)


def test_the_rows_of_the_training_have_not_drifted():
    drift = measure_drift(live(), contract())
    assert {each["input"] for each in drift["inputs"]} >= {"kind", "count", SCORE}
    assert max(each["psi"] for each in drift["inputs"]) < 0.001
    assert max(each["jensen_shannon"] for each in drift["inputs"]) < 0.02
    assert drift["broken"] == []
    for each in drift["inputs"]:
        assert sum(one["live"] for one in each["bins"]) == pytest.approx(1)


def test_values_fall_into_the_bins_in_which_the_service_counts_them():
    change = [pl.col("kind").fill_null("new"), pl.col("count") * 3]
    service, drift = served.service(unexpected="score"), measure_drift(live(change), contract())
    columns = [column.name for column in contract().inputs]
    records = live(change)["inputs"].struct.unnest().select(columns).to_dicts()
    records = [{k: v for k, v in each.items() if v is not None} for each in records]
    values = service.model.feed(records)
    service._tallies["3"].count(values, live(change)["score"].to_list())
    counted = {
        (sample.labels["input"], sample.labels["bin"]): sample.value
        for family in service.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "input_values_total"
    }
    service.close()
    for each in drift["inputs"]:
        for one in each["bins"]:
            assert one["live"] * len(records) == pytest.approx(counted[each["input"], one["label"]])


def test_what_changed_is_named_first():
    drift = measure_drift(live(pl.lit("new").alias("kind")), contract())
    assert drift["inputs"][0]["input"] == "kind"
    assert drift["inputs"][0]["unseen"]["live"] == 1.0
    assert drift["inputs"][0]["jensen_shannon"] > 0.5
    [fault] = drift["broken"]
    assert (fault["column"], fault["rule"], fault["share"]) == ("kind", "category", 1.0)
    assert fault["examples"] == ["new"]


def test_a_column_gone_missing_is_told_beside_what_is_usual():
    drift = of(
        measure_drift(live(pl.lit(None, pl.Float64).alias("size, in cm.")), contract()),
        "size, in cm.",
    )
    assert drift["missing"]["live"] == 1.0
    assert 0 < drift["missing"]["expected"] < 0.2
    assert drift["unseen"] is None
    assert drift["kolmogorov_smirnov"] is None


def test_raw_values_are_compared_where_they_are_at_hand():
    agreed, table = served.contract_and_rows()
    TRAIN.parent.mkdir(parents=True)
    for file, part in ((TRAIN, table[:200]), (VALID, table[200:]), (TEST, table)):
        part.write_parquet(file)
    count = of(measure_drift(live(pl.col("count") + 2), agreed), "count")
    assert count["wasserstein"] == pytest.approx(2.0)
    entries = [Input(**entry) for entry in Predictor(MODEL).meta["inputs"]]
    counts = np.sort(select_inputs(table, entries)["count"].to_numpy())
    at = np.unique(np.concatenate([counts, counts + 2]))
    apart = [np.mean(counts <= x) - np.mean(counts + 2 <= x) for x in at]
    assert count["kolmogorov_smirnov"] == pytest.approx(max(apart))
    same = of(measure_drift(live(), agreed), "kind")
    assert (same["wasserstein"], same["kolmogorov_smirnov"]) == (None, None)


def test_rows_of_the_champion_alone_count_if_there_are_any():
    both = pl.concat([live(), live(pl.lit("new").alias("kind"), version=2)])
    drift = measure_drift(both, contract())
    assert drift["rows"] == served.ROWS
    assert of(drift, "kind")["unseen"]["live"] == 0.0
    assert measure_drift(live(version=2), contract())["rows"] == served.ROWS


def test_a_model_for_another_table_is_not_compared():
    other = contract().model_copy(update={"id": "another"})
    drift = measure_drift(live(), other)
    assert "was trained for another table" in drift["fault"]
    assert drift["inputs"] == []


def test_no_traffic_says_nothing():
    drift = measure_drift(live().clear(), contract())
    assert (drift["rows"], drift["inputs"], drift["broken"]) == (0, [], [])
