"""A fitted pipeline as an ONNX graph that gives the same answers, and the traps on the way.

ONNX computes in 32 bits where scikit-learn and LightGBM compare in 64. The inputs are 32-bit
numbers in both (fitting.py), so all that is left is to turn thresholds into 32-bit numbers too,
which the converters do by rounding: a row that lies between the two then goes the other way. Here
they are rounded down, which changes no comparison `x <= threshold` of any 32-bit x.
"""

import re
import warnings
from copy import copy
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier, LGBMModel, LGBMRegressor
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import TargetEncoder

from .fitting import Fitted
from .inputs import Input

OPSET = {"": 18, "ai.onnx.ml": 3}


def to_onnx(fitted: Fitted, entries: list[Input]) -> ModelProto:
    """A model with an input of shape (rows, 1) for each entry, and one output, the scores.

    The output has shape (rows, classes met in training), or (rows, 1) for a number.
    """
    register()
    round_thresholds_down(fitted.pipeline)
    types = {"number": FloatTensorType, "text": StringTensorType}
    with warnings.catch_warnings():
        # skl2onnx writes booleans where protobuf 7 will want integers; protobuf is held below 7.
        warnings.filterwarnings("ignore", "Field onnx.AttributeProto", DeprecationWarning)
        model: ModelProto = convert_sklearn(
            by_place(fitted.pipeline, [entry.name for entry in entries]),
            name="model",
            initial_types=[
                (f"input{place}", types[entry.kind]([None, 1]))
                for place, entry in enumerate(entries)
            ],
            options={"zipmap": False} if fitted.task != "regression" else None,
            target_opset=OPSET,
        )
    only_scores(model.graph, fitted)
    rename(model.graph, [entry.name for entry in entries])
    return model


def by_place(pipeline: Pipeline, names: list[str]) -> Pipeline:
    """The same pipeline with its inputs by number: skl2onnx does not bear with every name."""
    first, *others = pipeline.steps
    features = copy(first[1])
    features.transformers_ = [
        (name, step, [names.index(column) if column in names else column for column in columns])
        for name, step, columns in features.transformers_
    ]
    return Pipeline([(first[0], features), *others])


def only_scores(graph: GraphProto, fitted: Fitted) -> None:
    """Drop the output of labels, and bring a number back to the target's size, in 64 bits."""
    found = graph.output[-1].name
    if fitted.task == "regression":
        kind, columns = TensorProto.DOUBLE, 1
        for name, value in (("own_spread", fitted.spread), ("own_middle", fitted.middle)):
            graph.initializer.append(numpy_helper.from_array(np.array(value), name))
        nodes = [
            helper.make_node("Cast", [found], ["own_exact"], to=TensorProto.DOUBLE),
            helper.make_node("Mul", ["own_exact", "own_spread"], ["own_sized"]),
            helper.make_node("Add", ["own_sized", "own_middle"], ["scores"]),
        ]
    else:
        kind, columns = TensorProto.FLOAT, len(fitted.outputs)
        nodes = [helper.make_node("Identity", [found], ["scores"])]
    graph.node.extend(nodes)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("scores", kind, [None, columns]))


def rename(graph: GraphProto, names: list[str]) -> None:
    """Give the inputs their own names, and all that is inside one that no input can have."""
    inside = "/" * (1 + max(len(name) - len(name.lstrip("/")) for name in names))
    own = {f"input{place}": name for place, name in enumerate(names)}
    own |= {"": ""} | ({} if "scores" in names else {"scores": "scores"})
    for thing in (*graph.input, *graph.output, *graph.initializer):
        thing.name = own.get(thing.name, inside + thing.name)
    for node in graph.node:
        node.input[:] = [own.get(name, inside + name) for name in node.input]
        node.output[:] = [own.get(name, inside + name) for name in node.output]


def round_thresholds_down(pipeline: Pipeline) -> None:
    """In the pipeline itself; it answers every row as before."""
    model = pipeline.named_steps["model"]
    if isinstance(model, LGBMModel):
        text = re.sub(r"(?m)^(threshold=)(.*)$", rounded_line, model.booster_.model_to_string())
        # Without the trees' sizes in bytes, which are no longer true, LightGBM finds them itself.
        model.booster_.model_from_string(re.sub(r"(?m)^tree_sizes=.*\n", "", text))
    for trees in getattr(model, "_predictors", ()):  # HistGradientBoosting's
        for tree in trees:
            tree.nodes["num_threshold"] = down(tree.nodes["num_threshold"])


def rounded_line(line: re.Match[str]) -> str:
    thresholds = down(np.array(line[2].split(), dtype=np.float64))
    return line[1] + " ".join(repr(float(threshold)) for threshold in thresholds)


def down(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest 32-bit number that is not above each value."""
    with np.errstate(over="ignore"):  # what is beyond 32 bits becomes infinite
        nearest = values.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > values, below, nearest).astype(np.float64)


def register() -> None:
    """Tell skl2onnx of LightGBM, and of a target encoder that can do several classes."""
    probabilities = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    update_registered_converter(
        LGBMClassifier,
        "LightGbmLGBMClassifier",
        calculate_linear_classifier_output_shapes,
        convert_lightgbm,
        options=probabilities,
    )
    update_registered_converter(
        LGBMRegressor,
        "LightGbmLGBMRegressor",
        calculate_linear_regressor_output_shapes,
        convert_lightgbm,
        options={"split": None},
    )
    update_registered_converter(
        TargetEncoder, "SklearnTargetEncoder", target_encoder_shape, convert_target_encoder
    )


def target_encoder_shape(operator: Any) -> None:
    rows = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type = FloatTensorType([rows, len(operator.raw_operator.encodings_)])


def convert_target_encoder(scope: Any, operator: Any, container: Any) -> None:
    """A look-up for each text, and for each class where there are several: skl2onnx has none."""
    encoder = operator.raw_operator
    texts = joined(scope, [text.full_name for text in operator.inputs], container)
    means = np.atleast_1d(encoder.target_mean_)
    found = []
    for place, encoding in enumerate(encoder.encodings_):
        feature, way = divmod(place, len(means))
        column = scope.get_unique_variable_name("column")
        container.add_initializer(f"{column}_place", TensorProto.INT64, [1], [feature])
        container.add_node(
            "ArrayFeatureExtractor",
            [texts, f"{column}_place"],
            column,
            op_domain="ai.onnx.ml",
            name=scope.get_unique_operator_name("ArrayFeatureExtractor"),
        )
        found.append(scope.get_unique_variable_name("encoded"))
        container.add_node(
            "LabelEncoder",
            column,
            found[-1],
            op_domain="ai.onnx.ml",
            op_version=2,
            name=scope.get_unique_operator_name("LabelEncoder"),
            keys_strings=[str(category) for category in encoder.categories_[feature]],
            values_floats=np.asarray(encoding, dtype=np.float32),
            default_float=float(means[way]),
        )
    joined(scope, found, container, operator.outputs[0].full_name)


def joined(scope: Any, names: list[str], container: Any, target: str | None = None) -> str:
    """Columns side by side."""
    target = target or scope.get_unique_variable_name("joined")
    name = scope.get_unique_operator_name("Concat")
    container.add_node("Concat", names, target, op_version=13, axis=1, name=name)
    return target
