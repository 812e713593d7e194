"""The leak gate: inputs that tell the target too well to be known when the decision is made.

An input is suspicious if it alone orders the target almost perfectly and all others together leave
2.5 times its error (those of an honest table come nearer). The difference of two numbers that move
together counts too: a plan and its outcome (scheduled and real arrival) tell little one by one.
So does a formula of a few numbers that is the target (formulas.py).
An input that moves with a column marked as not known at decision time is trusted less.
"""

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, TypedDict

import numpy as np
import polars as pl
import polars.selectors as cs

from .column_names import col, cols, values_of
from .contract import Contract
from .formulas import Formula, find_formula

SAMPLE = 20_000
MOST_JUDGED = 8  # of the most telling inputs; each costs a few boosted models
FOLDS = 3
TOGETHER = 0.7  # rank correlation of two columns whose difference may mean something
TIED, TRUST = 0.5, 0.7  # rank correlation with a column known later, and its share of the limit
CERTAIN = 0.998  # tells the target by itself, whatever the others do
MARGIN = 2.5  # times the error of the input that all others leave, at least
FLOOR = 0.01  # an error below this is as good as none

# How well a column tells the target alone, or less the column "with".
Score = TypedDict("Score", {"column": str, "score": float, "with": str | None})


class LeakReport(TypedDict):
    """The scores of the inputs, best first, the fields of each `Suspect`, and the formula, if any,
    by which inputs give the target.
    """

    limit: float
    scores: list[Score]
    suspects: list[dict[str, Any]]
    formula: Formula | None


@dataclass(frozen=True)
class Suspect:
    """An input, its score alone (0 to 1) or less another, that of all other inputs, its limit."""

    column: str
    score: float
    partner: str | None
    others: float
    limit: float

    def sentence(self) -> str:
        less = f" (less {self.partner})" if self.partner else ""
        score = f"{self.score:.2f} of 1 (limit {self.limit:.2f})"
        others = f"all other inputs together {self.others:.2f}"
        return f"{self.column}{less} alone tells the target with {score}, {others}"


def find_leaks(train: pl.DataFrame, contract: Contract, limit: float) -> LeakReport:
    """Score the inputs, and look for a formula of the target, on at most 20,000 rows."""
    rows = train.sample(min(train.height, SAMPLE), shuffle=True, seed=0)
    scores, suspects = find_suspects(rows, contract, limit)
    return LeakReport(
        limit=limit,
        scores=scores,
        suspects=[asdict(one) for one in suspects],
        formula=find_formula(rows, contract),
    )


def find_suspects(
    rows: pl.DataFrame, contract: Contract, limit: float
) -> tuple[list[Score], list[Suspect]]:
    """Score the inputs, best first, and find the suspicious ones; those marked `leak_reviewed`
    never are.
    """
    inputs = rows.select(cols(one.name for one in contract.inputs))
    target = values_of(rows, contract.target.name)
    ranked = inputs.with_columns(cs.string().rank("dense"))  # texts by the alphabet
    values = ranked.select(pl.all().to_physical().cast(float))
    # A column of 0 and 1 for each class (of two for one); or the number to predict.
    if contract.task == "regression":
        truth = target.cast(float).to_frame()
    else:
        truth = target.cast(str).to_dummies(drop_first=contract.task == "binary")
    texts = inputs.select(cs.string()).columns
    scores = _score_each(values, inputs.select(cs.numeric()).columns, texts, truth, limit)
    tied = _find_tied(rows, contract)
    limits = {name: limit * (TRUST if name in tied else 1) for name in inputs.columns}
    telling = [one for one in scores if one["score"] >= limits[one["column"]]][:MOST_JUDGED]
    paired = {name for one in telling if one["with"] for name in (one["column"], one["with"])}
    suspects: list[Suspect] = []
    for each in telling:
        name, score, partner = each["column"], each["score"], each["with"]
        gone = {suspect.column for suspect in suspects}
        if contract[name].leak_reviewed or {name, partner} & gone:
            continue
        others = _score_of_all(values.drop(cols((gone | paired | {name}) - {partner})), truth)
        if score >= CERTAIN or 1 - others > MARGIN * max(1 - score, FLOOR):
            suspects.append(Suspect(name, score, partner, others, limits[name]))
    return scores, suspects


def _find_tied(rows: pl.DataFrame, contract: Contract) -> set[str]:
    """Find the numbers among the inputs that move with a number known only after the decision."""
    later = [one.name for one in contract.columns if not one.known_at_decision]
    numbers = rows.select(cs.numeric()).columns
    pairs = [(one.name, other) for one in contract.inputs for other in later]
    pairs = [pair for pair in pairs if set(pair) <= set(numbers)]
    each_rho = (
        pl.corr(*map(col, pair), method="spearman").alias(str(n)) for n, pair in enumerate(pairs)
    )
    rho = rows.select(each_rho).row(0) if pairs else ()
    return {name for (name, _), r in zip(pairs, rho, strict=True) if r and abs(r) >= TIED}


def _score_each(
    values: pl.DataFrame, numbers: list[str], texts: list[str], truth: pl.DataFrame, limit: float
) -> list[Score]:
    """Score each input alone, and pairs of numbers that move together by their difference.

    Texts are told apart as they are: by the alphabet, those that begin alike would count as one.
    """
    alone = {
        one.name: _score(one if one.name in texts else _cut_bins(one), truth) for one in values
    }
    scores: list[Score] = [
        {"column": name, "score": score, "with": None} for name, score in alone.items()
    ]
    pairs = [sorted(pair, key=lambda name: -alone[name]) for pair in combinations(numbers, 2)]
    each_rho = (pl.corr(*map(col, pair)).alias(str(place)) for place, pair in enumerate(pairs))
    rho = values.select(pl.all().rank()).select(each_rho).rows()
    for (best, other), alike in zip(pairs, *rho, strict=True):
        if alike is not None and alike >= TOGETHER:
            score = _score(_cut_bins(values[best] - values[other]), truth)
            # The difference is news only if it at least halves the error that either leaves.
            if alone[best] < min(limit, 2 * score - 1):
                scores.append({"column": best, "score": score, "with": other})
    return sorted(scores, key=lambda one: -one["score"])


def _cut_bins(values: pl.Series) -> pl.Series:
    """Number the bins, equally filled, that like numbers fall into."""
    pieces = min(64, max(4, len(values) // 20))
    # Methods of a series take its name for a pattern.
    return (values.alias("value").rank() * pieces / len(values)).floor()


def _score(like: pl.Series, truth: pl.DataFrame) -> float:
    """Score how well the target's mean among rows alike, taken out of fold, orders the target."""
    table = truth.with_columns(like=like, fold=pl.int_range(pl.len()) % FOLDS)
    answer = cols(truth.columns)
    sums = answer.sum().over("like") - answer.sum().over("like", "fold")
    rows = pl.len().over("like") - pl.len().over("like", "fold")
    return _measure_agreement(table.select((sums + 5 * answer.mean()) / (rows + 5)), truth)


def _score_of_all(values: pl.DataFrame, truth: pl.DataFrame) -> float:
    """Score how well boosted trees on all these columns, out of fold, order the target.

    scikit-learn's own, so that the verdict is the same on every machine.
    """
    # Slow to load, and hardly ever needed.
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415
    from sklearn.model_selection import cross_val_predict  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    if not values.width:
        return 0.0
    model = HistGradientBoostingRegressor(
        max_iter=60, min_samples_leaf=5, early_stopping=False, random_state=0
    )
    table, answers = values.to_numpy(), truth.cast(pl.Float64).to_numpy().T
    with threadpool_limits(1):
        expected = [cross_val_predict(model, table, answer, cv=FOLDS) for answer in answers]
    return _measure_agreement(pl.DataFrame(expected), truth)


def _measure_agreement(expected: pl.DataFrame, truth: pl.DataFrame) -> float:
    """Measure how well the columns of `expected` order those of `truth`; 0 is what chance does.

    The slope of the ranks: for a class 2 AUC - 1, for a number Spearman's rho, of which
    1 - sqrt(1 - rho^2) is taken, the share of the spread that it explains away.
    """
    ranks = [(one.rank(), other.rank()) for one, other in zip(expected, truth, strict=True)]
    slopes = [pl.select(pl.cov(one, other) / other.var()).item() for one, other in ranks]
    slope = max(0.0, float(np.mean(np.nan_to_num(slopes))))
    return slope if truth.dtypes[0] == pl.UInt8 else 1 - float(np.sqrt(max(0.0, 1 - slope**2)))
