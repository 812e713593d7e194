"""A filter of what training met: all of that is known, and next to nothing else."""

import json
import random

import polars as pl
import pytest
from mlops.model import seen_values
from mlops.model.bins import MISSING, MOST_TEXTS, OTHER, make_bins
from mlops.model.seen_values import recall_values, remember_values
from mlops.monitoring.drift import compare_input


def bins(values):
    [entry] = make_bins(pl.DataFrame({"x": values}))
    return json.loads(json.dumps(entry))


def unseen(values, entry):
    return compare_input(pl.Series("x", values), entry, None)["unseen"]


@pytest.mark.parametrize("many", [0, 1, 2, 100, 5000])
def test_what_was_met_is_known_and_what_was_not_is_new(many):
    seen = remember_values([f"value {number}" for number in range(many)], 0, many)
    was_seen = recall_values(seen)
    assert all(was_seen(f"value {number}") for number in range(many))
    assert not any(was_seen(f"other {number}") for number in range(5000))
    assert 0 < seen["error"] < 2e-6
    assert len(seen["filter"]) < 5 * max(many, 20)


def test_the_error_is_the_one_that_is_stated(monkeypatch):
    monkeypatch.setattr(seen_values, "MOST_BITS", 2**13)
    seen = remember_values([f"value {number}" for number in range(1500)], 0, 1500)
    was_seen = recall_values(seen)
    assert len(seen["filter"]) == 1368  # 1,024 bytes
    taken = sum(was_seen(f"other {number}") for number in range(20_000)) / 20_000
    assert taken == pytest.approx(seen["error"], rel=0.1)
    entry = {"input": "x", "kind": "text", "seen": seen, "categories": []}
    entry |= {"labels": [OTHER, MISSING], "shares": [1.0, 0.0]}
    live = unseen([f"new {number}" for number in range(20_000)], entry)
    assert live["live"] == pytest.approx(1.0, abs=0.02)
    assert remember_values([str(number) for number in range(5000)], 0, 5000) is None


def test_every_value_new_is_all_and_39_of_100_are_0_39():
    """Of a column whose values are all rare, and of one of common and rare ones."""
    tails = bins([f"N{number % 4000}" for number in range(10_000)])
    assert tails["categories"] == []
    assert unseen([f"NEW{number}" for number in range(500)], tails)["live"] == pytest.approx(1.0)
    pick = random.Random(1)
    places = [f"D{int(pick.paretovariate(0.7))}" for _ in range(10_000)]
    known = bins(places)
    assert 0 < len(known["categories"]) <= MOST_TEXTS
    live = [f"X{number}" for number in range(390)] + places[:610]
    assert unseen(live, known)["live"] == pytest.approx(0.39, abs=1e-5)
    assert unseen(places, known)["live"] == 0.0


def test_what_is_missing_is_not_new_and_numbers_have_no_filter():
    entry = bins(["a"] * 50 + [""] * 50)
    assert unseen(["", "a", "b", ""], entry)["live"] == pytest.approx(0.25)
    assert "seen" not in bins([1.0, 2.0])


@pytest.mark.parametrize("seed", range(5))
def test_as_many_new_values_are_expected_as_the_next_rows_have(seed):
    """Zipf's law: there is no end of new values, and that is usual."""
    pick = random.Random(seed)
    draw = [f"v{int(pick.paretovariate(0.8))}" for _ in range(8000)]
    entry, later = bins(draw[:6000]), draw[6000:]
    found = unseen(later, entry)
    assert found["live"] == pytest.approx(found["expected"], abs=0.03)
    assert found["live"] > 0.01


def test_no_value_stands_in_the_metadata():
    people = [f"person {number}" for number in range(3000)]
    assert "person" not in json.dumps(bins(people))


def test_the_same_values_give_the_same_filter_in_any_order():
    values = [f"value {number}" for number in range(500)]
    again = random.Random(3).sample(values, len(values))
    assert remember_values(values, 1, 500) == remember_values(again, 1, 500)
