"""Are rejected rows of a delivery more than chance? A share of two rows says nothing.

A source that keeps its promise, to have no larger share of broken rows than the limit, brings many
of them in a small delivery now and then. So a delivery is refused only if as many, or more, would
come from such a source in fewer than 1 of 200 deliveries of its size (the exact binomial test).
"""

CERTAINTY = 0.995


def measure_certainty(rejected: int, rows: int, limit: float) -> float:
    """Return how certain it is, 0 to 1, that the source has a larger share of broken rows than
    `limit`: the probability that one of that share brings fewer than `rejected` in `rows` rows.
    """
    from scipy.special import bdtr  # noqa: PLC0415  (half a second, and hardly ever needed)

    return float(bdtr(rejected - 1, rows, limit)) if rejected else 0.0


def judge_rejected(rejected: int, rows: int, limit: float) -> tuple[bool, str]:
    """Judge the rejected rows of a delivery by the limit, a share of rows from 0 to 1.

    Returns whether they may be left out, and the judgement in words: counts, limit and certainty.
    """
    counts = f"{rejected:,} of {rows:,} rows break the contract"
    if rejected == rows:
        return False, f"{counts}, and none is left"
    if rejected <= limit * rows:
        return True, counts
    certainty = measure_certainty(rejected, rows, limit)
    shown = "more than 99.9%" if certainty > 0.999 else f"{certainty:.1%}"
    over = f"{counts}, and data.max_reject_rate allows {limit:.0%}"
    if certainty > CERTAINTY:
        return False, f"{over}: that is no chance ({shown} certain)"
    return True, f"{over}: on so few rows that may be chance ({shown} certain that it is not)"
