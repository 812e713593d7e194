"""Models on the same rows: how good each is, what it is worth, and how far two are apart."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from ..core.settings import Params, Problem
from ..data.contract import Contract
from ..model.inputs import truth
from ..model.metrics import primary
from ..model.value import Array, decisions, value_per_thousand
from ..scoring.predictor import Predictor
from .slices import Score, interval, score_of


@dataclass(frozen=True)
class Answers:
    """What a model says of the judge's rows, and what is decided by it."""

    scores: Array
    decided: Array


class Judge:
    """Knows the truth of some rows, by the team's files."""

    def __init__(
        self, rows: pl.DataFrame, contract: Contract, problem: Problem, params: Params
    ) -> None:
        self.rows, self.true = rows, truth(rows, contract)
        self.task, self.value, self.params = contract.task, problem.value, params.evaluate
        self.metric = primary(contract.task, params.train.metric)

    def answers(self, model: Predictor) -> Answers:
        scores = model.scores(self.rows)
        return Answers(scores, decisions(scores, model.meta.get("threshold"), self.task))

    def score(self, answers: Answers) -> Score:
        return score_of(self.metric, self.true, answers.scores)

    def worth(self, decided: Array | float, rows: Array | slice = slice(None)) -> float:
        """Of a thousand decisions on the rows; they may all be the same one."""
        return value_per_thousand(self.true[rows], decided, self.value, self.task)

    def interval(self, score: Score) -> dict[str, float]:
        return interval(score, len(self.true), self.params)

    def apart(self, ours: Answers, theirs: Answers) -> dict[str, Any]:
        """`score` and `value` are theirs; `difference` is ours less theirs, and `gain` the same of
        the value. Bounds by paired bootstrap.
        """
        now, before = self.score(ours), self.score(theirs)
        apart = self.interval(lambda rows: now(rows) - before(rows))

        def gain(rows: Array) -> float:
            return self.worth(ours.decided[rows], rows) - self.worth(theirs.decided[rows], rows)

        return {
            "score": self.metric.measure(self.true, theirs.scores),
            "difference": apart.pop("value"),
            **apart,
            "value": self.worth(theirs.decided),
            "gain": self.interval(gain),
        }
