"""The figures of a profile are those of scipy, scikit-learn or a formula."""

import datetime as dt
import json
from dataclasses import asdict

import numpy as np
import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data.column_names import ROW
from mlops.data.contract import Column
from mlops.profile import survey
from mlops.profile.associations import correlate_ranks, measure_cramers_v
from mlops.profile.codes import MISSING, OTHER, code_values, to_numbers
from mlops.profile.column_profile import draw_histogram
from mlops.profile.shift import list_arrivals, measure_psi
from mlops.profile.table_profile import profile_table
from mlops.profile.target import area_under_curve
from scipy.stats import spearmanr
from sklearn.metrics import mutual_info_score, roc_auc_score

from planted import PARAMS, ROWS, contract_of, profile, rng, table

NUMBER = Column(name="x", type="number")
TEXT = Column(name="x", type="string")


def test_bins_have_about_as_many_rows_and_missing_has_its_own():
    values = pl.Series([*rng().normal(size=1000).tolist(), None, None])
    coded = code_values(values, NUMBER)
    rows = np.bincount(coded.codes)
    assert rows[-1] == 2
    assert coded.labels[-1] == MISSING
    assert len(rows) == 21
    assert set(rows[:-1]) == {50}


def test_few_values_have_a_bin_each_and_rare_texts_share_one():
    assert code_values(pl.Series([3, 1, 3]), Column(name="x", type="integer")).labels == (
        *("1", "3"),
        MISSING,
    )
    texts = pl.Series(["a"] * 9 + [f"t{i}" for i in range(30)] + [None])
    coded = code_values(texts, TEXT)
    assert coded.labels[0] == "a"
    assert coded.labels[-2:] == (OTHER, MISSING)
    assert coded.codes[-1] == len(coded.labels) - 1


@pytest.mark.parametrize(
    ("moment", "days"),
    [(dt.date(1970, 1, 3), 2.0), (dt.datetime(1969, 12, 31, 12), -0.5)],
)
def test_dates_count_in_days(moment, days):
    values = to_numbers(pl.Series([moment, None]))
    assert values[0] == days
    assert np.isnan(values[1])


def test_ranks_are_correlated_where_both_are_known():
    one = rng(1).normal(size=400)
    other, gaps = one + rng(2).normal(size=400), rng(3).random(400) < 0.2
    missing = np.where(gaps, np.nan, other)
    rho = correlate_ranks([one, other, missing, np.ones(400)])
    assert rho[0, 1] == pytest.approx(spearmanr(one, other).statistic)
    assert rho[0, 2] == pytest.approx(spearmanr(one[~gaps], other[~gaps]).statistic, abs=0.01)
    assert rho[1, 1] == pytest.approx(1)
    assert not rho[3].any()


def test_cramers_v_is_one_for_other_names_and_nothing_by_chance():
    names = pl.Series(rng(1).choice(["a", "b", "c"], 900))
    coded = code_values(names, TEXT)
    assert measure_cramers_v(coded, code_values(names.str.to_uppercase(), TEXT)) == pytest.approx(1)
    chance = pl.Series(rng(2).choice(["x", "y"], 900))
    assert measure_cramers_v(coded, code_values(chance, TEXT)) < 0.05


def test_the_area_under_the_curve_is_that_of_scikit_learn():
    truth = (rng(1).random(500) < 0.3).astype(float)
    scores = np.round(truth + rng(2).normal(size=500), 1)
    assert area_under_curve(scores, truth) == pytest.approx(roc_auc_score(truth, scores))
    assert area_under_curve(scores, np.ones(500)) is None


def test_a_column_is_related_to_the_target_by_rate_interval_strength_and_information():
    frame = table(told=rng().choice(["a", "b"], ROWS))
    frame = frame.with_columns(y=(pl.col("told") == "a") ^ pl.Series(rng(2).random(ROWS) < 0.1))
    relation = profile(frame).relations["told"]
    bins = {each.label: each for each in relation.bins}
    for label in "ab":
        share = frame.filter(told=label)["y"].mean()
        assert bins[label].value == pytest.approx(share)
        assert bins[label].low < share < bins[label].high
        assert bins[label].high - bins[label].low < 0.1
    assert relation.strength == pytest.approx(0.9, abs=0.02)
    bits = mutual_info_score(frame["told"], frame["y"])
    entropy = mutual_info_score(frame["y"], frame["y"])
    assert relation.information == pytest.approx(bits / entropy, abs=0.002)
    assert profile(frame).relations["town"].strength == pytest.approx(0.5, abs=0.06)
    assert profile(frame).relations["town"].information < 0.01


def test_a_number_is_told_by_its_mean_and_variance_explained():
    frame = table(step=rng().integers(0, 4, ROWS))
    frame = frame.with_columns(y=pl.col("step") * 10.0 + pl.Series(rng(2).normal(size=ROWS)))
    found = profile(frame, "regression")
    assert found.measure == "R²"
    assert found.relations["step"].strength > 0.98
    assert [round(each.value) for each in found.relations["step"].bins] == [0, 10, 20, 30]
    assert found.relations["town"].strength < 0.02


def test_classes_are_judged_one_against_the_rest():
    kinds = rng().integers(0, 3, ROWS)
    frame = table(kind=kinds, y=np.array(["low", "mid", "high"])[kinds])
    found = profile(frame, "multiclass")
    assert found.relations["kind"].strength == 1
    assert found.relations["town"].strength < 0.6
    assert sum(found.labels.values()) == ROWS


def test_the_stability_index_is_the_sum_over_bins():
    before, after = np.array([0.5, 0.5, 0]), np.array([0.9, 0.1, 0])
    expected = 0.4 * np.log(0.9 / 0.5) + -0.4 * np.log(0.1 / 0.5)
    assert measure_psi(before, after) == pytest.approx(expected)
    assert measure_psi(before, before) == 0


def test_a_histogram_counts_all_values_and_gathers_the_far_ones():
    numbers = rng().normal(size=2000)
    bars, is_clipped = draw_histogram(numbers, NUMBER)
    assert not is_clipped
    assert sum(bar.share for bar in bars) == pytest.approx(1)
    bars, is_clipped = draw_histogram(np.append(numbers, 1e6), NUMBER)
    assert is_clipped
    assert max(bar.share for bar in bars) < 0.2
    assert sum(bar.share for bar in bars) == pytest.approx(1)


def test_a_large_table_is_sampled_and_says_so(monkeypatch):
    monkeypatch.setattr(survey, "SAMPLE", 300)
    frame = table(nr=np.arange(ROWS) % 10)  # a rhythm that an even sample would fall in with
    found = profile(frame)
    assert found.rows == ROWS
    assert found.sampled == pytest.approx(300, abs=20)
    columns = {column.name: column for column in found.columns}
    assert columns["size"].low == f"{frame['size'].min():,.4g}"
    assert columns["size"].mean == pytest.approx(frame["size"].mean())
    assert all(bar.share == pytest.approx(0.1, abs=0.05) for bar in columns["nr"].histogram)
    assert len(columns["nr"].histogram) == 10
    assert profile(frame) == found


def test_a_column_that_is_not_there_or_one_row_breaks_nothing():
    for rows in (1, 2, 40):
        frame = table().head(rows).with_columns(none=pl.lit(None, pl.Float64))
        contract = contract_of(table().with_columns(none=pl.lit(None, pl.Float64)))
        frame = frame.with_columns(pl.col(ROW).cast(pl.Int64))
        assert profile_table(frame.lazy(), contract, PARAMS, []).rows == rows


@pytest.mark.parametrize(
    "name", ["*", "^s.*$", " ", "'", "\u00e9t\u00e9", "x" * 200, "_row.", "len"]
)
def test_a_column_may_have_any_name(name):
    frame = table().rename({"town": name})
    assert profile(frame).columns[2].distinct == 4


def test_the_course_of_a_column_is_told_by_period():
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=i // 5) for i in range(ROWS)]
    heat = [float(day.month) for day in days]
    timeline = profile(table(day=days, heat=heat), roles={"day": "time"}).timeline
    assert timeline.period == "month"
    assert [each.label for each in timeline.periods][:2] == ["Jan \u201924", "Feb \u201924"]
    assert timeline.courses["heat"].values == [1, 2, 3, 4, 5, 6, 7, 8]
    assert timeline.courses["y"].shown == "true"
    assert timeline.periods[0].rows == 155


def test_very_large_and_small_numbers_are_measured_too():
    vast, tiny = rng(2).random(ROWS) * 1e300, rng(3).random(ROWS) * 1e-300
    frame = table(vast=vast, tiny=tiny, whole=rng(4).integers(2**60, 2**62, ROWS))
    found = profile(frame)
    assert found.findings == []
    json.dumps(asdict(found), allow_nan=False)
    shape = next(column.shape for column in found.columns if column.name == "vast")
    assert shape.deviation == pytest.approx(0.29e300, rel=0.05)
    assert shape.skewness == pytest.approx(0, abs=0.1)
    profile(table().with_columns(y=pl.col("size") * 1e30), "regression")


def test_a_target_with_one_value_has_nothing_to_be_told():
    frame = table().with_columns(y=pl.lit(True)).with_columns(pl.col(ROW).cast(pl.Int64))
    found = profile_table(frame.lazy(), contract_of(table()), PARAMS, [])
    assert {relation.strength for relation in found.relations.values()} == {0.5}


def test_without_a_label_there_is_nothing_to_look_at():
    frame = table().with_columns(y=pl.lit(None, pl.Boolean))
    with pytest.raises(UserError, match="how many have no label"):
        profile_table(frame.lazy(), contract_of(table()), PARAMS, [])


def test_without_a_clean_row_there_is_nothing_to_look_at():
    with pytest.raises(UserError, match="no clean row to look at: 'data check' tells which rules"):
        profile_table(table().head(0).lazy(), contract_of(table()), PARAMS, [])


def test_no_arrival_without_changes():
    assert list_arrivals([]) == []
