"""Feature steps that reckon with a few numbers of a row, in scikit-learn and in ONNX.

Both do the same sums on the same 32-bit numbers, one at a time, so that no digit differs;
logarithms are taken in 64 bits. What has no result (a part is missing, a division by 0, a result
beyond 32 bits) is missing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from skl2onnx.algebra.onnx_ops import (
    OnnxAbs,
    OnnxAdd,
    OnnxArrayFeatureExtractor,
    OnnxCast,
    OnnxConcat,
    OnnxDiv,
    OnnxIsInf,
    OnnxIsNaN,
    OnnxLog,
    OnnxMul,
    OnnxSign,
    OnnxSub,
    OnnxWhere,
)
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator, TransformerMixin

from ..core.errors import UserError

Floats = NDArray[np.float32]
FLOAT, DOUBLE = 1, 11  # types of ONNX


class Formula(NamedTuple):
    """What is reckoned with arrays of shape (rows, 1), and the same in ONNX; `parts` is how many
    inputs it is of, 0 if it is of each alone.
    """

    parts: int
    numpy: Callable[..., Any]
    onnx: Callable[..., Any]


def _log(values: Floats) -> Any:
    exact = values.astype(np.float64)
    return np.sign(exact) * np.log(1 + np.abs(exact))


def _log_in_onnx(values: Any, **opset: int) -> Any:
    exact = OnnxCast(values, to=DOUBLE, **opset)
    more = OnnxAdd(OnnxAbs(exact, **opset), np.array([1.0]), **opset)
    signed = OnnxMul(OnnxSign(exact, **opset), OnnxLog(more, **opset), **opset)
    return OnnxCast(signed, to=FLOAT, **opset)


def _is_missing_in_onnx(values: Any, **opset: int) -> Any:
    return OnnxCast(OnnxIsNaN(values, **opset), to=FLOAT, **opset)


FORMULAS = {
    "ratio": Formula(2, np.divide, OnnxDiv),
    "difference": Formula(2, np.subtract, OnnxSub),
    "product": Formula(2, np.multiply, OnnxMul),
    "log": Formula(0, _log, _log_in_onnx),
    "is_missing": Formula(0, np.isnan, _is_missing_in_onnx),
}


class Arithmetic(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Reckon one of FORMULAS: of two inputs one column, or a column of each input.

    Raises UserError when it is fitted to another number of inputs than it is of.
    """

    def __init__(self, formula: str) -> None:
        self.formula = formula

    def fit(self, values: ArrayLike, truth: ArrayLike | None = None) -> Self:
        """Learn nothing but how many inputs there are."""
        parts, given = FORMULAS[self.formula].parts, np.shape(values)[1]
        if parts and given != parts:
            raise UserError(
                f"features.py: {self.formula}() is of {parts} inputs, and was given {given}: name "
                f'them, as in ("mine", {self.formula}(), ["one", "other"]).'
            )
        self.n_features_in_ = given
        return self

    def transform(self, values: ArrayLike) -> Floats:
        """Reckon for rows of shape (rows, inputs)."""
        formula, table = FORMULAS[self.formula], np.asarray(values, dtype=np.float32)
        with np.errstate(all="ignore"):
            if formula.parts:
                made = formula.numpy(*np.hsplit(table, formula.parts))
            else:
                made = formula.numpy(table)
            made = np.asarray(made).astype(np.float32)
        return np.where(np.isinf(made), np.float32("nan"), made)


def set_arithmetic_shape(operator: Any) -> None:
    """Tell skl2onnx the shape of what is reckoned."""
    step, rows = operator.raw_operator, operator.inputs[0].get_first_dimension()
    width = 1 if FORMULAS[step.formula].parts else step.n_features_in_
    operator.outputs[0].type = FloatTensorType([rows, width])


def convert_arithmetic(scope: Any, operator: Any, container: Any) -> None:
    """Add the same sums to the graph."""
    step, opset = operator.raw_operator, {"op_version": container.target_opset}
    formula, values = FORMULAS[step.formula], OnnxConcat(*operator.inputs, axis=1, **opset)
    if formula.parts:
        places = map(np.array, ([0], [1]))
        values = formula.onnx(*(OnnxArrayFeatureExtractor(values, p) for p in places), **opset)
    else:
        values = formula.onnx(values, **opset)
    unknown = np.array([np.nan], dtype=np.float32)
    made = OnnxWhere(
        OnnxIsInf(values, **opset), unknown, values, output_names=operator.outputs, **opset
    )
    made.add_to(scope, container)


def ratio() -> Arithmetic:
    """Divide the first of two numbers by the second; by 0 it is missing."""
    return Arithmetic("ratio")


def difference() -> Arithmetic:
    """Subtract the second of two numbers from the first: of `days of` two dates, the days between
    them.
    """
    return Arithmetic("difference")


def product() -> Arithmetic:
    """Multiply two numbers."""
    return Arithmetic("product")


def log() -> Arithmetic:
    """Take the logarithm of 1 and the size of each number, with its sign."""
    return Arithmetic("log")


def is_missing() -> Arithmetic:
    """Make 1 of each number that is missing, 0 of others."""
    return Arithmetic("is_missing")
