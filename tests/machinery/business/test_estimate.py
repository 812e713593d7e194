"""Go or no-go, against the same reckoned by counting cases."""

import pytest
from mlops.business.estimate import Hope, describe_estimate
from mlops.core.errors import UserError
from mlops.core.problem import Problem

HOPE = {
    "decisions_a_month": 1000.0,
    "positive_share": 0.2,
    "found_share": 0.5,
    "precision": 0.5,
    "cost_to_build": 1000.0,
    "cost_a_month": 100.0,
    "months": 12,
}
VALUE = {"unit": "EUR", "true_positive": 6.0, "false_positive": -2.0}


def problem(value=None, **hope):
    return Problem(name="t", value=VALUE | (value or {}), estimate=HOPE | hope)


def test_a_month_is_worth_what_its_cases_are():
    """1000 cases, 200 to find, 100 found, and 100 false alarms."""
    hope = Hope.of(problem())
    assert hope.value == pytest.approx(100 * 6 - 100 * 2)
    assert (hope.true_positives, hope.alarms) == (100, 200)
    assert hope.net == pytest.approx(300)
    assert hope.break_even == 4
    assert hope.is_go


def test_not_acting_counts_too():
    """What is found is no longer missed, and what is warned of in vain was well before."""
    hope = Hope.of(problem({"false_negative": -3.0, "true_negative": 1.0}))
    assert hope.value == pytest.approx(100 * (6 + 3) + 100 * (-2 - 1))


def test_at_the_least_precision_it_just_breaks_even():
    least = Hope.of(problem()).least_precision()
    hope = Hope.of(problem(precision=least))
    assert hope.net * HOPE["months"] == pytest.approx(HOPE["cost_to_build"])
    assert hope.is_go
    assert not Hope.of(problem(precision=least - 0.01)).is_go


def test_with_the_least_share_found_it_just_breaks_even():
    least = Hope.of(problem()).least_found()
    hope = Hope.of(problem(found_share=least))
    assert hope.net * HOPE["months"] == pytest.approx(HOPE["cost_to_build"])


def test_what_never_pays_is_no_go():
    hope = Hope.of(problem(cost_a_month=1e6))
    assert (hope.break_even, hope.is_go) == (None, False)
    assert (hope.least_precision(), hope.least_found()) == (None, None)
    lines = " ".join(describe_estimate(problem(cost_a_month=1e6)))
    assert lines.startswith("No go: it pays for itself never")
    assert "more than all" in lines


def test_what_pays_too_late_is_no_go():
    hope = Hope.of(problem(months=3))
    assert (hope.break_even, hope.is_go) == (4, False)


def test_false_alarms_that_cost_nothing_may_be_as_many_as_they_are():
    assert Hope.of(problem({"false_positive": 0.0})).least_precision() == 0.0


def test_lines_to_print_say_it_all():
    text = " ".join(describe_estimate(problem())).replace("\u00a0", " ")
    assert text.startswith("Go: it pays for itself in month 4; 12 months are allowed.")
    assert "acts 200 times, 100 times correctly, and is worth +400 EUR" in text
    assert "(assumed: 50 %)" in text


def test_what_is_not_said_is_named():
    with pytest.raises(UserError, match=r"fill in estimate\.precision and estimate\.cost_to_build"):
        Hope.of(problem(precision=None, cost_to_build=None))
    with pytest.raises(UserError, match=r"estimate\.decisions_a_month"):
        Hope.of(Problem(name="an older file"))


def test_hopes_that_cannot_be_true_together_are_refused():
    with pytest.raises(UserError, match="more false alarms than there are cases"):
        Hope.of(problem(positive_share=0.9, found_share=1.0, precision=0.5))
