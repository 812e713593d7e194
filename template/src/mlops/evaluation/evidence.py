"""What a gate of the team's may look at."""

from copy import deepcopy
from functools import cached_property

import polars as pl

from ..core.errors import UserError
from ..core.paths import CLEAN, MODEL, TEST
from ..scoring.predictor import Predictor
from .evaluation_report import Evaluation

ANSWERS = ("prediction", "score", "decision")


class Evidence:
    """The run that is judged. All that it hands out is a copy: a gate may alter what it gets."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation

    @property
    def evaluation(self) -> Evaluation:
        """Return what reports/evaluation.json says of the run."""
        return deepcopy(self._evaluation)

    def clean(self) -> pl.DataFrame:
        """Read all clean rows, typed by the contract."""
        return pl.read_parquet(CLEAN)

    def predictions(self) -> pl.DataFrame:
        """Return the test rows, by which nothing was chosen, with what the packaged model says.

        `prediction` is the likeliest class, or the number; `score` the probability of the positive
        or of the likeliest class, or the number; `decision` whether to act (true or false), or the
        prediction. Raises UserError if a column of the table has one of these names.
        """
        return self._predictions.clone()

    @cached_property
    def _predictions(self) -> pl.DataFrame:
        rows, model = pl.read_parquet(TEST), Predictor(MODEL)
        if clashes := [name for name in ANSWERS if name in rows.columns]:
            raise UserError(
                f"the table has a column {clashes[0]!r}, as the predictions have: a gate of your "
                "own can use evidence.clean() and evidence.evaluation only."
            )
        answers = model.answers(model.scores(rows))
        return rows.with_columns(pl.Series(name, answers[name].tolist()) for name in ANSWERS)
