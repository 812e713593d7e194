"""Models on the same rows: how good each is, what it is worth, and how far two are apart."""

from dataclasses import dataclass

import polars as pl

from ..core.params import Params
from ..core.problem import Problem
from ..data.contract import Contract
from ..model.inputs import encode_truth
from ..model.metrics import find_primary_metric
from ..model.value import Array, compute_value_per_thousand, decide
from ..scoring.predictor import Predictor
from .evaluation_report import Difference, Interval
from .slices import Score, make_score, measure_interval


@dataclass(frozen=True)
class Answers:
    """The scores that a model gives the judge's rows, and the decisions that follow from them."""

    scores: Array
    decisions: Array


class Judge:
    """Scores and values models on rows whose true answers are known, by the team's files."""

    def __init__(
        self, rows: pl.DataFrame, contract: Contract, problem: Problem, params: Params
    ) -> None:
        self.rows, self.true = rows, encode_truth(rows, contract)
        self.task, self.value, self.params = contract.task, problem.value, params.evaluate
        self.metric = find_primary_metric(contract.task, params.train.metric)

    def ask(self, model: Predictor) -> Answers:
        """Have a model answer the rows."""
        scores = model.scores(self.rows)
        return Answers(scores, decide(scores, model.meta.get("threshold"), self.task))

    def score(self, answers: Answers) -> Score:
        """Return the primary metric as a function of the positions of rows."""
        return make_score(self.metric, self.true, answers.scores)

    def worth(self, decided: Array | float, rows: Array | slice = slice(None)) -> float:
        """Value a thousand decisions on the rows; a number stands for the same one on each."""
        return compute_value_per_thousand(self.true[rows], decided, self.value, self.task)

    def interval(self, score: Score) -> Interval:
        """Return a score of all rows with its bounds; NaN is what these rows cannot tell."""
        return measure_interval(score, len(self.true), self.params)

    def compare(self, ours: Answers, theirs: Answers) -> Difference:
        """Compare the answers of two models."""
        our_score, their_score = self.score(ours), self.score(theirs)
        apart = self.interval(lambda rows: our_score(rows) - their_score(rows))

        def gain(rows: Array) -> float:
            our_worth = self.worth(ours.decisions[rows], rows)
            return our_worth - self.worth(theirs.decisions[rows], rows)

        return {
            "score": self.metric.measure(self.true, theirs.scores),
            "difference": apart["value"],
            "low": apart["low"],
            "high": apart["high"],
            "value": self.worth(theirs.decisions),
            "gain": self.interval(gain),
        }
