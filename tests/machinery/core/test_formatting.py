import pytest
from mlops.core.formatting import (
    MINUS,
    SPACE,
    count,
    duration,
    listed,
    metric,
    number,
    percent,
    score,
    sentence,
    signed,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (24000, "24,000"),
        (1234.5, "1,234"),
        (-3.14159, f"{MINUS}3.142"),
        (0.00012345, "0.000123"),
        (0.00001, "1e-05"),
        (0, "0"),
        (-0.0, "0"),
        (10.50, "10.5"),
        (None, "not known"),
        (float("nan"), "not known"),
        ("text", "text"),
    ],
)
def test_numbers_read_well(value, text):
    assert number(value) == text


def test_fixed_places_have_no_negative_zero():
    assert number(-0.0004, 3) == "0.000"
    assert number(-0.5, 3) == f"{MINUS}0.500"


def test_scores_have_three_decimals_unless_large():
    assert score(0.7) == "0.700"
    assert score(-31.25) == f"{MINUS}31.25"
    assert score(None) == "not known"


def test_differences_carry_their_sign():
    assert signed(0.0123, 3) == "+0.012"
    assert signed(-12) == f"{MINUS}12"
    assert signed(0) == "0"
    assert signed(0.0002, 3) == "0.000"


def test_shares_counts_durations_and_lists():
    assert percent(0.0512) == "5.1\N{NO-BREAK SPACE}%"
    assert percent(None) == "not known"
    assert count(1, "row") == "1 row"
    assert count(2000, "row") == "2,000 rows"
    assert [duration(s).replace(SPACE, " ") for s in (0.42, 12.2, 200, 7500)] == [
        "0.4 s",
        "12 s",
        "3 min 20 s",
        "2 h 5 min",
    ]
    assert [listed(x) for x in ([], ["a"], ["a", "b", "c"])] == ["", "a", "a, b and c"]


def test_sentences_start_large_and_end():
    assert sentence("no model pays") == "No model pays."
    assert sentence("problem.yaml says it all!") == "problem.yaml says it all!"
    assert sentence("late", "") == "Late"
    assert sentence("dep_delay tells the target") == "dep_delay tells the target."
    assert sentence("") == "."


def test_metrics_have_names_in_words():
    assert metric("roc_auc") == "area under the ROC curve"
    assert metric("neg_mae") == "mean absolute error, negated"
    assert metric("house_metric") == "house metric"
