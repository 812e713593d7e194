"""The words of free texts as features, in scikit-learn and in ONNX.

The inputs hold words with a blank between two (text_parts.py), so all that is left to a graph is to
split at blanks and to count; weights and lengths are computed in 64 bits, as here.
"""

import warnings
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from skl2onnx.algebra.onnx_ops import (
    OnnxArrayFeatureExtractor,
    OnnxCast,
    OnnxConcat,
    OnnxDiv,
    OnnxMax,
    OnnxMul,
    OnnxReduceSumSquare,
    OnnxReshape,
    OnnxSlice,
    OnnxSqrt,
    OnnxStringSplit_20,
    OnnxTfIdfVectorizer,
)
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.feature_selection import f_classif, f_regression

# The first version of ONNX that splits texts.
OPSET = 20
# A rarer word may name a person, and is never written into a model.
LEAST_ROWS = 5
NO_WORD = " "  # can be none: what a text without a frequent word is described by
SMALLEST = np.finfo(np.float64).tiny


class WordWeights(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Weigh the words of texts by TF-IDF (Salton and Buckley, 1988), as scikit-learn does.

    Each text becomes a row of length 1, or of zeros: count * (ln((1 + rows) / (1 + rows with the
    word)) + 1), over its root of squares. Of the words in LEAST_ROWS rows or more those `most` are
    taken that by themselves tell most of the target (an F-test), or all if there is no target.
    """

    def __init__(self, most: int = 500) -> None:
        self.most = most

    def fit(self, texts: Any, truth: ArrayLike | None = None) -> Self:
        """Learn the words of each column of `texts`, (rows, columns), and their weights."""
        self.words_: list[list[str]] = []
        self.weights_: list[NDArray[np.float64]] = []
        for column in _list_columns(texts):
            words = self._choose_words(column, truth)
            counts = CountVectorizer(analyzer=str.split, vocabulary=words).transform(column)
            self.words_.append(words)
            self.weights_.append(TfidfTransformer().fit(counts).idf_)
        return self

    def transform(self, texts: Any) -> NDArray[np.float32]:
        """Make the weights of each word, (rows, words of all columns)."""
        weighed = []
        for column, words, weights in zip(
            _list_columns(texts), self.words_, self.weights_, strict=True
        ):
            counter = CountVectorizer(analyzer=str.split, vocabulary=words)
            table = counter.transform(column).toarray() * weights
            lengths = np.sqrt(np.square(table).sum(axis=1, keepdims=True))
            weighed.append((table / np.maximum(lengths, SMALLEST)).astype(np.float32))
        return np.hstack(weighed)

    def _choose_words(self, texts: list[str], truth: ArrayLike | None) -> list[str]:
        counter = CountVectorizer(analyzer=str.split, binary=True, dtype=np.float64)
        if not any(map(str.split, texts)):
            return [NO_WORD]
        met = counter.fit_transform(texts)
        words, rows = counter.get_feature_names_out(), np.asarray(met.sum(axis=0))[0]
        frequent = np.flatnonzero(rows >= LEAST_ROWS)
        if truth is not None and len(frequent) > self.most:
            are_numbers = np.asarray(truth).dtype.kind == "f"
            test = f_regression if are_numbers else f_classif
            # Of a word in every text, it warns, nothing can be said.
            with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
                told = np.nan_to_num(test(met[:, frequent], truth)[0], nan=-1.0, posinf=np.inf)
            frequent = frequent[np.argsort(-told, kind="stable")[: self.most]]
        return [str(words[place]) for place in sorted(frequent)] or [NO_WORD]


def _list_columns(texts: Any) -> list[list[str]]:
    if isinstance(texts, pl.DataFrame):
        return [column.to_list() for column in texts]
    return [list(map(str, column)) for column in np.asarray(texts, dtype=object).T]


def set_word_weights_shape(operator: Any) -> None:
    """Tell skl2onnx the shape of the weights: (rows, words of all columns)."""
    rows = operator.inputs[0].get_first_dimension()
    width = sum(map(len, operator.raw_operator.words_))
    operator.outputs[0].type = FloatTensorType([rows, width])


def convert_word_weights(scope: Any, operator: Any, container: Any) -> None:
    """Add for each column what splits, counts and weighs its words: skl2onnx splits otherwise."""
    step, opset = operator.raw_operator, {"op_version": OPSET}
    texts = OnnxConcat(*operator.inputs, axis=1, **opset)
    weighed = []
    for place, (words, weights) in enumerate(zip(step.words_, step.weights_, strict=True)):
        column = OnnxReshape(
            OnnxArrayFeatureExtractor(texts, np.array([place]), **opset), np.array([-1]), **opset
        )
        # ONNX Runtime counts no words of no row: one more row is put in, and taken out again.
        column = OnnxConcat(column, np.array([""]), axis=0, **opset)
        split = OnnxStringSplit_20(column, delimiter=" ", **opset)
        counts = OnnxTfIdfVectorizer(
            split[0],
            mode="TF",
            min_gram_length=1,
            max_gram_length=1,
            max_skip_count=0,
            ngram_counts=[0],
            ngram_indexes=list(range(len(words))),
            pool_strings=words,
            **opset,
        )
        counts = OnnxSlice(counts, np.array([0]), np.array([-1]), np.array([0]), **opset)
        exact = OnnxMul(OnnxCast(counts, to=11, **opset), weights.reshape(1, -1), **opset)
        squares = OnnxReduceSumSquare(exact, np.array([1]), keepdims=1, **opset)
        length = OnnxMax(OnnxSqrt(squares, **opset), np.array([[SMALLEST]]), **opset)
        weighed.append(OnnxCast(OnnxDiv(exact, length, **opset), to=1, **opset))
    OnnxConcat(*weighed, axis=1, output_names=operator.outputs, **opset).add_to(scope, container)
