"""The feature steps: what happens to the inputs before a model sees them. Yours to edit.

A step is a name, a transformer, and the inputs that it is for: a list of names, or a function that
selects them. To add the product of each two numbers for the linear model:

    from sklearn.preprocessing import PolynomialFeatures

    def products():
        return make_pipeline(standard(), PolynomialFeatures(interaction_only=True))

    ("products", products(), numbers),

The last line goes into `scaled`; with `["distance", "wind_speed"]` in place of `numbers` it would
be for these two alone. Inputs are the columns of contract.yaml that a model may see; a date is some
of them, such as `weekday of scheduled`, and a free text two: `words of review`, and its `length`.
Any transformer that skl2onnx converts will do; the parity gate tells if one is not exact. What none
can do (a look-up, a join) is to be a column of the table.
"""

from mlops.api import (
    few_categories,
    free_texts,
    many_categories,
    numbers,
    one_hot,
    standard,
    target_mean,
    text_lengths,
    words,
)
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def scaled() -> ColumnTransformer:
    """For models that add up weighted inputs: nothing missing, everything of a like size."""
    return ColumnTransformer(
        [
            ("numbers", standard(), numbers),
            ("few", one_hot(), few_categories),
            ("many", make_pipeline(target_mean(), StandardScaler()), many_categories),
            ("words", words(500), free_texts),
        ]
    )


def raw() -> ColumnTransformer:
    """For trees: they split numbers as they are, and send missing ones their own way."""
    return ColumnTransformer(
        [
            ("numbers", "passthrough", numbers),
            ("few", one_hot(), few_categories),
            ("many", target_mean(), many_categories),
            ("words", words(100), free_texts),
            ("lengths", "passthrough", text_lengths),
        ]
    )
