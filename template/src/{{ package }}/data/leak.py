"""The leak gate: columns that tell the target too well to be known when the decision is made.

A column is suspicious if it alone orders the target almost perfectly and nothing else comes
near: all other inputs together leave 2.5 times its error. In a table of honest strong columns the
others do come near. The difference of two numbers that move together is looked at too: a plan
and its outcome (scheduled and real arrival) tell little one by one, and everything together.
"""

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata

from .contract import Column, Contract

Numbers = NDArray[np.float64]

SAMPLE = 20_000
SCREEN = 2_000  # rows that tell whether two columns move together
MOST_JUDGED = 8  # of the best candidates; each costs a LightGBM
MOST_LEVELS = 100  # texts with more are numbers to the LightGBM, which is much faster
FOLDS = 3
CERTAIN = 0.998  # tells the target by itself, whatever the others do
MARGIN = 2.5  # times the error of the column that all others leave, at least
FLOOR = 0.01  # an error below this is as good as none
TOGETHER = 0.7  # rank correlation of two columns whose difference may mean something


@dataclass(frozen=True)
class Suspect:
    """A column, its score alone (0 to 1) or with another, and the score of all other inputs."""

    column: str
    score: float
    partner: str | None
    others: float

    def sentence(self) -> str:
        name = f"{self.column} (less {self.partner})" if self.partner else self.column
        return f"{name} alone tells the target with score {self.score:.2f} of 1, " + (
            f"all other inputs together {self.others:.2f}"
        )


@dataclass(frozen=True)
class Candidate:
    columns: tuple[str, ...]
    score: float


def suspects(train: pl.DataFrame, contract: Contract, limit: float) -> list[Suspect]:
    """The suspicious inputs of the training rows (at most 20,000 of them), strongest first.

    The score of a column is that of its target rates, taken out of fold. Two classes: 2 AUC - 1;
    more classes: the same, each against the rest, weighted by their shares; a number:
    1 - sqrt(1 - rho^2) of Spearman's rho, the share of the spread that it explains away.
    Columns marked `leak_reviewed` are never suspicious.
    """
    return assess(train, contract, limit)[1]


def assess(
    train: pl.DataFrame, contract: Contract, limit: float
) -> tuple[list[Candidate], list[Suspect]]:
    """What was scored, best first, and what of it is suspicious (see `suspects`)."""
    rows = train.sample(min(train.height, SAMPLE), shuffle=True, seed=0)
    truth = _truth(rows, contract)
    values = {column.name: _numbers(rows[column.name], column) for column in contract.inputs}
    open_ones = {column.name for column in contract.inputs if not column.leak_reviewed}
    found: list[Suspect] = []
    gone: set[str] = set()
    scored = _candidates(values, contract, truth, limit)
    candidates = [candidate for candidate in scored if candidate.score >= limit]
    paired = {name for twin in candidates if len(twin.columns) > 1 for name in twin.columns}
    for candidate in candidates[:MOST_JUDGED]:
        judged = [name for name in candidate.columns if name in open_ones]
        if not judged or gone & set(candidate.columns):
            continue
        rest = {*gone, *paired} - set(candidate.columns)
        left = {name: _score_of_all(values, contract, truth, {name, *rest}) for name in judged}
        worst = min(judged, key=lambda name: left[name])
        dominates = 1 - left[worst] > MARGIN * max(1 - candidate.score, FLOOR)
        if candidate.score >= CERTAIN or dominates:
            partner = next((name for name in candidate.columns if name != worst), None)
            found.append(Suspect(worst, candidate.score, partner, left[worst]))
            gone.add(worst)
    return scored, found


def _candidates(
    values: dict[str, Numbers], contract: Contract, truth: Numbers, limit: float
) -> list[Candidate]:
    """All inputs, and the telling differences of two that move together, best first."""
    alone = {
        name: score(_bins(cells, contract[name].type == "string"), truth)
        for name, cells in values.items()
    }
    found = [Candidate((name,), alone[name]) for name in values]
    numeric = [c.name for c in contract.inputs if c.type in ("integer", "number")]
    for one, other in combinations(numeric, 2):
        if _move_together(values[one][:SCREEN], values[other][:SCREEN]):
            gap = values[one] - values[other]
            found.append(Candidate((one, other), score(_bins(gap), truth)))
    # A difference is news only if it tells far more than either column does.
    news = [
        candidate
        for candidate in found
        if len(candidate.columns) == 1
        or max(alone[name] for name in candidate.columns) < min(limit, 2 * candidate.score - 1)
    ]
    return sorted(news, key=lambda candidate: -candidate.score)


def score(bins: NDArray[np.int64], truth: Numbers) -> float:
    """How well the bins' target rates, taken out of fold, order the target (rows, outputs)."""
    fold = np.arange(len(bins)) % FOLDS
    cell = fold * (bins.max() + 1) + bins
    size = (bins.max() + 1) * FOLDS
    rows = np.bincount(cell, minlength=size).reshape(FOLDS, -1)
    seen = (rows.sum(axis=0) - rows)[fold, bins]
    expected = np.empty_like(truth)
    for place, output in enumerate(truth.T):
        sums = np.bincount(cell, weights=output, minlength=size).reshape(FOLDS, -1)
        told = (sums.sum(axis=0) - sums)[fold, bins]
        expected[:, place] = (told + 5 * output.mean()) / (seen + 5)
    return agreement(expected, truth)


def agreement(expected: Numbers, truth: Numbers) -> float:
    """How well `expected` orders `truth`, both (rows, outputs); 0 is no better than chance."""
    if set(np.unique(truth)) <= {0.0, 1.0}:
        shares = truth.mean(axis=0)
        gains = [2 * _auc(e, t) - 1 for e, t in zip(expected.T, truth.T, strict=True)]
        return max(0.0, float(np.average(gains, weights=shares)))
    rho = max(0.0, _spearman(expected[:, 0], truth[:, 0]))
    return 1 - float(np.sqrt(max(0.0, 1 - rho**2)))


def _auc(expected: Numbers, truth: Numbers) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney)."""
    positive = truth.sum()
    negative = len(truth) - positive
    if not positive or not negative:
        return 0.5
    above = rankdata(expected)[truth == 1].sum() - positive * (positive + 1) / 2
    return float(above / (positive * negative))


def _spearman(one: Numbers, other: Numbers) -> float:
    ranks = rankdata(one), rankdata(other)
    if min(rank.std() for rank in ranks) == 0:
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def _bins(values: Numbers, as_they_are: bool = False) -> NDArray[np.int64]:
    """A bin for each value that is one of few, quantiles of many; bin 0 holds the missing ones."""
    there = np.isfinite(values)
    distinct = np.unique(values[there])
    most = int(min(64, max(4, len(values) // 20)))
    if len(distinct) > most and not as_they_are:
        distinct = np.unique(np.quantile(values[there], np.linspace(0, 1, most + 1)[1:-1]))
    bins = np.searchsorted(distinct, values, side="right")
    return np.where(there, bins + 1, 0)


def _move_together(one: Numbers, other: Numbers) -> bool:
    """Whether two numbers are of one kind, as a time that was planned and the one that came."""
    there = np.isfinite(one) & np.isfinite(other)
    return there.sum() > 2 and _spearman(one[there], other[there]) >= TOGETHER


def _truth(rows: pl.DataFrame, contract: Contract) -> Numbers:
    """(rows, 1) the number, or 1 for the positive; (rows, classes) 0 and 1 for more classes."""
    target = rows[contract.target.name]
    if contract.task == "regression":
        return target.cast(pl.Float64).to_numpy().reshape(-1, 1)
    names = contract.classes[1:] if contract.task == "binary" else contract.classes
    texts = target.cast(pl.String)
    return np.column_stack([(texts == name).cast(pl.Float64).to_numpy() for name in names])


def _numbers(cells: pl.Series, column: Column) -> Numbers:
    """Any column as numbers, missing as NaN; texts as their place in the alphabet."""
    if column.type == "string":
        cells = cells.rank("dense")
    elif column.type in ("date", "timestamp"):
        cells = cells.cast(pl.Datetime("us")).dt.timestamp("ms")
    return cells.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _score_of_all(
    values: dict[str, Numbers], contract: Contract, truth: Numbers, without: set[str]
) -> float:
    """The score of a LightGBM, out of fold, on all inputs but those."""
    import lightgbm  # noqa: PLC0415  (half a second, and hardly ever needed)

    names = [name for name in values if name not in without]
    if not names:
        return 0.0
    table = np.column_stack([values[name] for name in names])
    texts = [
        place
        for place, name in enumerate(names)
        if contract[name].type == "string" and np.nanmax(values[name], initial=0) <= MOST_LEVELS
    ]
    fold = np.arange(len(table)) % FOLDS
    expected = np.empty_like(truth)
    settings = {
        "objective": "regression" if contract.task == "regression" else "binary",
        **{"verbosity": -1, "seed": 0, "deterministic": True, "num_threads": 1},
        **{"min_data_in_leaf": 5, "max_bin": 63},
    }
    for place, output in enumerate(truth.T):
        for part in range(FOLDS):
            learn = lightgbm.Dataset(
                table[fold != part], output[fold != part], categorical_feature=texts
            )
            model = lightgbm.train(settings, learn, num_boost_round=60)
            expected[fold == part, place] = model.predict(table[fold == part])
    return agreement(expected, truth)


def report(scored: list[Candidate], found: list[Suspect], limit: float) -> dict[str, Any]:
    """What goes to reports/leak.json: each score, and the suspects."""
    scores = [
        {"column": one.columns[0], "score": one.score, "with": next(iter(one.columns[1:]), None)}
        for one in scored
    ]
    return {"limit": limit, "scores": scores, "suspects": [asdict(one) for one in found]}
