from math import comb

import pytest
from mlops.records.reject_chance import judge_rejected, measure_certainty


@pytest.mark.parametrize(("rejected", "rows", "limit"), [(1, 2, 0.1), (3, 7, 0.3), (40, 90, 0.25)])
def test_the_certainty_is_the_sum_of_binomial_terms(rejected, rows, limit):
    terms = (comb(rows, k) * limit**k * (1 - limit) ** (rows - k) for k in range(rejected))
    assert measure_certainty(rejected, rows, limit) == pytest.approx(sum(terms))


@pytest.mark.parametrize(
    ("rejected", "rows", "limit", "passes"),
    [
        (0, 9, 0.0, True),
        (1, 2, 0.1, True),
        (2, 2, 0.1, False),  # nothing would come in
        (2, 3, 0.1, True),
        (3, 4, 0.1, False),
        (1, 1000, 0.0, False),  # none may be
        (15, 100, 0.1, True),
        (25, 100, 0.1, False),
        (200_000, 2_000_000, 0.1, True),
        (202_000, 2_000_000, 0.1, False),
        (999, 1000, 1.0, True),
    ],
)
def test_a_delivery_is_refused_by_what_is_beyond_chance(rejected, rows, limit, passes):
    passed, judgement = judge_rejected(rejected, rows, limit)
    assert passed == passes
    assert judgement.startswith(f"{rejected:,} of {rows:,} rows break the contract")
    if limit * rows < rejected < rows:
        assert f"data.max_reject_rate allows {limit:.0%}" in judgement
        assert "% certain" in judgement
