"""How each column is related to the target: by bins, alone, and in bits."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from ..data.column_names import values_of
from ..data.contract import Contract
from .codes import Array, Coded, code_values, cross_tabulate, to_numbers

FOLDS = 3
PRIOR = 5  # rows that the mean of a bin is drawn towards that of all
Z = 1.96  # of an interval that holds in 95 of 100 cases


@dataclass(frozen=True)
class Target:
    """What is to be predicted, of rows that have a label.

    `truth` is (rows, classes) of 0 and 1, of one class for two; or (rows, 1) of numbers. What a
    bin tells is the share of the class `shown`, or the mean ("").
    """

    coded: Coded
    truth: Array
    shown: str

    @property
    def size(self) -> float:
        """The largest number there is: the squares of very large ones are none."""
        return float(np.abs(self.truth).max(initial=0)) or 1.0


@dataclass(frozen=True)
class BinEffect:
    """The rows of the sample in one bin, and the share or mean of the target with its interval.

    It is None where the bin has no row.
    """

    label: str
    rows: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Relation:
    """One column and the target.

    `strength`: how well the bins alone tell it, out of fold: the area under the ROC curve (mean of
    the classes), or R². `information`: the share of the target's entropy that the bins take away.
    """

    bins: list[BinEffect]
    strength: float
    information: float


def read_target(labelled: pl.DataFrame, contract: Contract) -> Target:
    """Read the target of rows that have a label."""
    values = values_of(labelled, contract.target.name)
    coded = code_values(values, contract.target, bins=20)
    if contract.task == "regression":
        return Target(coded, to_numbers(values)[:, None], "")
    texts = values.cast(pl.String)
    commonest = texts.value_counts(sort=True)["value"].to_list() if len(texts) else []
    order = [contract.positive] if contract.task == "binary" else commonest
    truth = [(texts == name).cast(pl.Float64).to_numpy() for name in order]
    return Target(coded, np.stack(truth, axis=1) if truth else np.zeros((0, 1)), (order or [""])[0])


def relate(coded: Coded, target: Target) -> Relation:
    """Relate the bins of a column to the target of the same rows."""
    return Relation(
        measure_bins(coded, target), score_alone(coded, target), share_information(coded, target)
    )


def measure_bins(coded: Coded, target: Target) -> list[BinEffect]:
    """Measure the share (Wilson's interval) or the mean of the target in each bin that has rows."""
    size, scaled = target.size, target.truth[:, 0] / target.size
    rows = np.bincount(coded.codes, minlength=len(coded.labels))
    sums = np.bincount(coded.codes, scaled, len(coded.labels))
    squares = np.bincount(coded.codes, scaled**2, len(coded.labels))
    effects = []
    for label, n, total, square in zip(coded.labels, rows, sums, squares, strict=True):
        if not n:
            continue
        mean = total / n
        if target.shown:
            middle = (mean + Z**2 / (2 * n)) / (1 + Z**2 / n)
            half = Z * np.sqrt(mean * (1 - mean) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
        else:
            spread = max(0.0, square / n - mean**2) * n / max(n - 1, 1)
            middle, half = mean, Z * np.sqrt(spread / n) if n > 1 else np.nan
        ends = [float(middle + s * half) * size if np.isfinite(half) else None for s in (-1, 1)]
        effects.append(BinEffect(label, int(n), float(mean) * size, *ends))
    return effects


def score_alone(coded: Coded, target: Target) -> float:
    """Score how well the mean of the bin, learned from the other folds, tells the target."""
    truth = target.truth / target.size
    expected = predict_out_of_fold(coded, truth)
    if not target.shown:
        rest = np.sum((truth - expected) ** 2)
        spread = np.sum((truth - truth.mean(axis=0)) ** 2) if len(truth) else 0
        return float(max(0.0, 1 - rest / spread)) if spread else 0.0
    pairs = zip(expected.T, truth.T, strict=True)
    areas = [area_under_curve(scores, truth) for scores, truth in pairs]
    known = [area for area in areas if area is not None]
    return max(0.5, float(np.mean(known))) if known else 0.5


def predict_out_of_fold(coded: Coded, truth: Array) -> Array:
    """Predict each row by the mean of its bin in the other folds, (rows, classes)."""
    cell = coded.codes * FOLDS + np.arange(len(coded.codes)) % FOLDS
    shape = len(coded.labels), FOLDS
    rows = np.bincount(cell, minlength=shape[0] * FOLDS).reshape(shape)
    rows_elsewhere = rows.sum(axis=1, keepdims=True) - rows
    expected = []
    for answer in truth.T:
        sums = np.bincount(cell, answer, shape[0] * FOLDS).reshape(shape)
        sums_elsewhere = sums.sum(axis=1, keepdims=True) - sums
        prior = PRIOR * (answer.mean() if len(answer) else 0)
        expected.append(((sums_elsewhere + prior) / (rows_elsewhere + PRIOR)).ravel()[cell])
    return np.stack(expected, axis=1)


def area_under_curve(scores: Array, truth: Array) -> float | None:
    """Return the area under the ROC curve; None if all rows are of one class."""
    positive = truth > 0
    many, rest = int(positive.sum()), int((~positive).sum())
    if not many or not rest:
        return None
    ranks = pl.Series(scores).rank().to_numpy()
    return float((ranks[positive].mean() - (many + 1) / 2) / rest)


def share_information(coded: Coded, target: Target) -> float:
    """Return mutual information as a share of the target's entropy, less what chance gives."""
    counts = cross_tabulate(coded, target.coded)
    total = counts.sum()
    joint = counts / max(total, 1)
    apart = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    there = joint > 0
    information = float(np.sum(joint[there] * np.log(joint[there] / apart[there])))
    used = [int((counts.sum(axis=axis) > 0).sum()) for axis in (0, 1)]
    by_chance = (used[0] - 1) * (used[1] - 1) / (2 * max(total, 1))  # Miller and Madow
    share = joint.sum(axis=0)
    entropy = -float(np.sum(share[share > 0] * np.log(share[share > 0])))
    return float(np.clip((information - by_chance) / entropy, 0, 1)) if entropy else 0.0
