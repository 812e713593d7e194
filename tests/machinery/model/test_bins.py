import polars as pl
import pytest
from mlops.model.bins import MISSING, OTHER, make_bins


def one(values, dtype=pl.Float32):
    [found] = make_bins(pl.DataFrame({"x": pl.Series(values, dtype=dtype)}))
    return dict(zip(found["labels"], found["shares"], strict=True))


def test_numbers_lie_in_tenths_and_a_missing_one_in_a_bin_of_its_own():
    found = one([float(number) for number in range(1, 101)] + [float("nan")] * 100)
    assert found.pop(MISSING) == 0.5
    assert set(found.values()) == {0.05}
    assert [*found][:2] == ["up to 10", "10 to 20"]
    assert [*found][-1] == "above 90"


def test_a_flag_has_two_bins_that_are_filled():
    found = one([0.0] * 30 + [1.0] * 70)
    assert found == {"up to 0": 0.3, "0 to 1": 0.7, "above 1": 0.0, MISSING: 0.0}


def test_common_texts_have_a_bin_and_rare_ones_share_one():
    people = [f"person {number}" for number in range(40)]
    found = one(["a"] * 100 + ["b"] * 40 + people + [""] * 20, pl.String)
    assert found == {"a": 0.5, "b": 0.2, OTHER: 0.2, MISSING: 0.1}


@pytest.mark.parametrize("values", [[], [float("nan")], [float("inf"), float("-inf")]])
def test_there_are_bins_whatever_the_values(values):
    found = one(values)
    assert sum(found.values()) == pytest.approx(1 if values else 0)
