"""How sure a figure is: the bootstrap, which draws the test rows again and again.

B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993. Seeded: same rows, same bounds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..settings import EvaluateParams

Score = Callable[[NDArray[np.int64]], float]

SEED = 13
# Enough draws for a standard error (chapter 6.4); the ends of an interval need more.
ENOUGH_FOR_AN_ERROR = 50
# Larger tables are drawn from in part, and the spread shrunk to that of the whole
# (m out of n: Bickel, Goetze and van Zwet, 1997).
MOST_ROWS = 10_000


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


def interval(score: Score, rows: int, params: EvaluateParams) -> Interval:
    """The score of all rows, and the percentile bounds that hold it with `params.confidence`.

    `score` takes row positions, shape (drawn,). Two models are compared in pairs by a `score` that
    is their difference on the same rows. Bounds are NaN if no draw can be scored.
    """
    value = score(np.arange(rows))
    drawn, shrink = replicates(score, rows, params.resamples)
    tail = (1 - params.confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail]) if len(drawn) else (np.nan, np.nan)
    return Interval(
        value, value + shrink * float(low - value), value + shrink * float(high - value)
    )


def standard_error(score: Score, rows: int, params: EvaluateParams) -> float:
    """The spread of the score over draws; NaN if fewer than half of them can be scored."""
    draws = min(params.resamples, ENOUGH_FOR_AN_ERROR)
    drawn, shrink = replicates(score, rows, draws)
    return shrink * float(drawn.std(ddof=1)) if len(drawn) > draws / 2 else float("nan")


def replicates(score: Score, rows: int, draws: int) -> tuple[NDArray[np.float64], float]:
    """Scores of rows drawn with replacement, those that can be told, and how to shrink them."""
    random, size = np.random.default_rng(SEED), min(rows, MOST_ROWS)
    drawn = np.array([score(random.integers(0, rows, size)) for _ in range(draws)])
    return drawn[np.isfinite(drawn)], float(np.sqrt(size / rows))
