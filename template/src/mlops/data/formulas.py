"""A target that a few columns add up to, or multiply to: a total and its parts.

Each part alone tells little, so the scores of single inputs (leak.py) stay low; and a model that
finds the sum looks perfect, and fails where the total is what is not known yet.
"""

from typing import TypedDict

import numpy as np
import numpy.typing as npt
import polars as pl
import polars.selectors as cs

from .column_names import cols, internal, values_of
from .contract import Contract

EXACT = 0.9999  # of the target's variance is explained: what is left is no more than rounding
ROUNDING = 1e-3  # of a weight that is 1
LEAST_ROWS = 50
MOST_PARTS = 8  # of more, no person would call the target their total

Array = npt.NDArray[np.float64]


class Formula(TypedDict):
    """Inputs that give the target together: as a sum, or as a product, and the formula in words.
    `r2` is the share of the variance that it explains, of the logarithms for a product.
    """

    columns: list[str]
    formula: str
    r2: float


def find_formula(rows: pl.DataFrame, contract: Contract) -> Formula | None:
    """Find the fewest numbers among the inputs whose weighted sum or product is the target.

    None if there is no such formula of 2 to 8 columns, or all of them are marked `leak_reviewed`.
    """
    if contract.task != "regression":
        return None
    known = rows.select(cols(one.name for one in contract.inputs)).select(cs.numeric())
    names = [one.name for one in known if one.null_count() < rows.height / 2]
    table = known.select(cols(names)).with_columns(
        values_of(rows, contract.target.name).alias(internal("target")).cast(pl.Float64)
    )
    complete = table.cast(pl.Float64).drop_nulls().to_numpy()
    values, target = complete[:, :-1], complete[:, -1]
    if len(target) < LEAST_ROWS:
        return None
    found = _explain(values, target, names, product=False)
    if found is None:
        positive = np.flatnonzero((values > 0).all(axis=0))
        if (target > 0).all() and len(positive):
            some = [names[place] for place in positive]
            found = _explain(np.log(values[:, positive]), np.log(target), some, product=True)
    reviewed = found and all(contract[name].leak_reviewed for name in found["columns"])
    return None if reviewed else found


def _explain(values: Array, target: Array, names: list[str], product: bool) -> Formula | None:
    """Leave out one column after the other, as long as the others explain the target."""
    varies = values.std(axis=0) > 0
    values, names = values[:, varies], [n for n, some in zip(names, varies, strict=True) if some]
    if not names or not target.std():
        return None
    kept, needed = list(range(len(names))), set[int]()
    weights, r2 = _fit(values, target)
    if r2 < EXACT:
        return None
    while spare := [n for n, place in enumerate(kept) if place not in needed]:
        strength = np.abs(weights) * values[:, kept].std(axis=0)
        weakest = kept[min(spare, key=lambda n: strength[n])]
        fewer = [place for place in kept if place != weakest]
        fewer_weights, fewer_r2 = _fit(values[:, fewer], target) if fewer else (weights, 0.0)
        if fewer_r2 < EXACT:
            needed.add(weakest)  # and remains so, as fewer columns never explain more
        else:
            kept, weights, r2 = fewer, fewer_weights, fewer_r2
    if not 1 < len(kept) <= MOST_PARTS:  # one is judged by its score (leak.py)
        return None
    columns = [names[place] for place in kept]
    return {"columns": columns, "formula": _write(columns, weights, product), "r2": round(r2, 6)}


def _fit(values: Array, target: Array) -> tuple[Array, float]:
    """Fit a weighted sum by least squares; return the weights and the variance explained."""
    centred, answers = values - values.mean(axis=0), target - target.mean()
    spread = centred.std(axis=0)
    weights = np.linalg.lstsq(centred / spread, answers, rcond=1e-10)[0] / spread
    left = answers - centred @ weights
    return weights, 1 - float(left @ left) / float(answers @ answers)


def _write(columns: list[str], weights: Array, product: bool) -> str:
    """Write the formula as people do: a + 0.5 x b - c, or a x b^2 / c."""
    parts = []
    for name, weight in zip(columns, weights, strict=True):
        size = abs(weight)
        scaled = f"{name}^{size:.3g}" if product else f"{size:.3g} x {name}"
        sign = ("x" if weight > 0 else "/") if product else ("+" if weight > 0 else "-")
        parts.append(f"{sign} {name if abs(size - 1) < ROUNDING else scaled}")
    return " ".join(parts).removeprefix("x " if product else "+ ")
