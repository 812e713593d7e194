"""The rows that candidates are compared on, and what one trial does with them."""

import time
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ..data.contract import Contract
from ..data.split import folds
from ..errors import UserError
from ..settings import Params
from .candidates import Candidate
from .fitting import fit
from .inputs import frame, inputs, truth
from .metrics import Metric, primary
from .selection import kept, ranked

Array = NDArray[Any]

# A trial learns from so many rows at most: settings that do well on them do well on all.
MOST_ROWS = 100_000


@dataclass(frozen=True)
class Plan:
    """What to try: a candidate, its settings, and the share of the inputs to keep."""

    candidate: Candidate
    settings: dict[str, Any]
    keep: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """`score` is None if the candidate could not be fitted or scored; `fault` says why."""

    score: float | None
    seconds: float
    fault: str = ""


@dataclass(frozen=True)
class Bench:
    """`values` and `truth` (inputs.py) of the rows of the train and valid parts.

    pairs: positions of the rows to learn from and to judge by; rankings: the inputs in order of
    help, for each pair.
    """

    values: pl.DataFrame
    truth: Array
    contract: Contract
    metric: Metric
    pairs: list[tuple[Array, Array]]
    rankings: list[list[str]]

    @classmethod
    def of(
        cls, train: pl.DataFrame, valid: pl.DataFrame, contract: Contract, params: Params
    ) -> Self:
        """Folds of both parts where there are few rows; else learn from train, judge by valid.

        Raises UserError if the rows to learn from or to judge by hold a single class.
        """
        rows = pl.concat([train, valid])
        pairs = [(np.arange(train.height), np.arange(train.height, rows.height))]
        if rows.height < params.train.folds_below_rows:
            pairs = folds(rows, contract, params)
        values, target = frame(rows, inputs(contract)), truth(rows, contract)
        refuse_single_class(target, pairs, contract)
        rankings = [
            ranked(values[learn], target[learn], contract)
            for learn, _ in thinned(pairs, params.train.seed)
        ]
        metric = primary(contract.task, params.train.metric)
        return cls(values, target, contract, metric, pairs, rankings)

    def thin(self, seed: int) -> Self:
        """The same with no more rows than a trial needs."""
        return replace(self, pairs=thinned(self.pairs, seed))

    def inputs(self, keep: float) -> list[str]:
        """The inputs to keep when the model learns from all rows, in the contract's order."""
        ranking = self.rankings[0]
        if len(self.pairs) > 1:
            ranking = ranked(self.values, self.truth, self.contract)
        return self.narrowed(ranking, keep)

    def narrowed(self, ranking: list[str], keep: float) -> list[str]:
        chosen = kept(ranking, keep)
        return [name for name in self.values.columns if name in chosen]

    def scores(self, plan: Plan) -> list[tuple[Array, Array]]:
        """For each pair, the truth of the rows to judge by and the scores of a fresh fit.

        On one processor: the others have trials too, and threads that compete are slow.
        """
        found = []
        for (learn, judge), ranking in zip(self.pairs, self.rankings, strict=True):
            values = self.values.select(self.narrowed(ranking, plan.keep))
            truth = self.truth[learn]
            with threadpool_limits(1):
                fitted = fit(plan.candidate, plan.settings, values[learn], truth, self.contract)
                found.append((self.truth[judge], fitted.scores(values[judge])))
        return found

    def attempt(self, plan: Plan) -> Outcome:
        """The mean of the metric over the pairs. A plan that cannot be fitted is no error."""
        start = time.perf_counter()
        score, fault = None, ""
        try:
            each = [self.metric.score(*judged) for judged in self.scores(plan)]
            told = [score for score in each if np.isfinite(score)]
            score = float(np.mean(told)) if told else None
            fault = "" if told else f"{self.metric.name} cannot be told on these rows"
        except (ValueError, ArithmeticError) as error:
            fault = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(score, time.perf_counter() - start, fault)


def thinned(pairs: list[tuple[Array, Array]], seed: int) -> list[tuple[Array, Array]]:
    """At most MOST_ROWS in each part, drawn at random and left in order."""

    def thin(rows: Array) -> Array:
        if len(rows) <= MOST_ROWS:
            return rows
        return np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))

    return [(thin(learn), thin(judge)) for learn, judge in pairs]


def refuse_single_class(truth: Array, pairs: list[tuple[Array, Array]], contract: Contract) -> None:
    if contract.task == "regression":
        return
    for part, rows in (("learn from", pairs[0][0]), ("judge by", pairs[0][1])):
        if len(np.unique(truth[rows])) < 2:
            raise UserError(
                f"All {len(rows)} rows to {part} have the same {contract.target.name!r}: "
                "add rows, or change how params.yaml and contract.yaml split them."
            )
