"""A fitted pipeline as an ONNX graph that gives the same answers, and the traps on the way.

ONNX computes in 32 bits where scikit-learn and LightGBM compare in 64. The inputs are 32-bit
numbers in both (trial_runner.py), so all that is left is to turn thresholds into 32-bit numbers too
(rounding.py).
"""

import sys
import warnings
from copy import copy
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx.algebra.onnx_ops import OnnxArrayFeatureExtractor, OnnxConcat, OnnxLabelEncoder_2
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
from skl2onnx.common.shape_calculator import (
    calculate_linear_classifier_output_shapes,
    calculate_linear_regressor_output_shapes,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

from ..core.errors import TeamError
from .arithmetic import Arithmetic, convert_arithmetic, set_arithmetic_shape
from .candidate import Candidate
from .inputs import Input
from .rounding import round_thresholds_down
from .words import OPSET as OPSET_OF_WORDS
from .words import WordWeights, convert_word_weights, set_word_weights_shape

OPSET = {"": 18, "ai.onnx.ml": 3}


class ConversionError(TeamError):
    """A candidate's fitted pipeline cannot be an ONNX graph.

    `for_good`: a step of it has no converter, so that other rows or settings do not help.
    """

    for_good = False


def convert_candidate(candidate: Candidate, pipeline: Pipeline, entries: list[Input]) -> ModelProto:
    """Convert the candidate's fitted pipeline with `convert_to_onnx`.

    Raises ConversionError if it cannot.
    """
    try:
        return convert_to_onnx(pipeline, entries)
    except Exception as error:  # converters raise what they like
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        place = f"{candidate.line}: " if candidate.line else ""
        refused = ConversionError(
            f"{place}the candidate {candidate.name} cannot be converted to ONNX "
            f"({type(error).__name__}: {reason}): take a model and feature steps that skl2onnx "
            "converts, or take it out of train.candidates in params.yaml."
        )
        refused.for_good = isinstance(error, MissingConverter | MissingShapeCalculator)
        raise refused from error


def convert_to_onnx(pipeline: Pipeline, entries: list[Input]) -> ModelProto:
    """Convert to a model with an input of shape (rows, 1) for each entry, and one output, the
    scores: of shape (rows, classes met in training), or (rows, 1) for a number.
    """
    register_converters()
    target = pipeline["model"] if hasattr(pipeline["model"], "regressor_") else None
    round_thresholds_down(target.regressor_ if target else pipeline["model"])
    names = [entry.name for entry in entries]
    kinds = {"number": FloatTensorType([None, 1]), "text": StringTensorType([None, 1])}
    with warnings.catch_warnings():
        # skl2onnx writes booleans where protobuf 7 will want integers; protobuf is held below 7.
        warnings.filterwarnings("ignore", "Field onnx.AttributeProto", DeprecationWarning)
        model: ModelProto = convert_sklearn(
            make_convertible(pipeline, names),
            name="model",
            initial_types=[(f"input{place}", kinds[e.kind]) for place, e in enumerate(entries)],
            options=None if target else {"zipmap": False},
            target_opset=choose_opset(pipeline),
        )
    keep_only_scores(model.graph, target.transformer_ if target else None)
    rename_inputs(model.graph, names)
    # Their order is left to chance: the same model would be other bytes.
    model.opset_import.sort(key=lambda each: each.domain)
    return model


def choose_opset(pipeline: Pipeline) -> dict[str, int]:
    """Choose the version of ONNX: a later one where texts are to be split."""
    fitted = [step for _, step, columns in pipeline["features"].transformers_ if len(columns)]
    fitted = [step for step in fitted if hasattr(step, "get_params")]
    steps = [each for step in fitted for each in (step, *step.get_params(deep=True).values())]
    return OPSET | ({"": OPSET_OF_WORDS} if any(isinstance(s, WordWeights) for s in steps) else {})


def make_convertible(pipeline: Pipeline, names: list[str]) -> Pipeline:
    """Make the same pipeline with its inputs by number, as skl2onnx does not bear with every name,
    and without what brings a number to the target's size, which 32 bits could not do.
    """
    features, model = copy(pipeline["features"]), pipeline["model"]
    features.transformers_ = [
        (name, step, [names.index(column) for column in columns])
        for name, step, columns in features.transformers_
        if name != "remainder" and columns
    ]
    last = getattr(model, "regressor_", model)
    return Pipeline([("features", features), *pipeline.steps[1:-1], ("model", last)])


def keep_only_scores(graph: GraphProto, size: StandardScaler | None) -> None:
    """Drop the output of labels, or bring a number back to the target's size, in 64 bits."""
    scores, node = graph.output[-1], helper.make_node
    if size is None:
        graph.node.append(node("Identity", [scores.name], ["scores"]))
    else:
        for name, figure in (("own_spread", size.scale_[0]), ("own_middle", size.mean_[0])):
            graph.initializer.append(numpy_helper.from_array(np.array(figure), name))
        graph.node.append(node("Cast", [scores.name], ["own_exact"], to=TensorProto.DOUBLE))
        graph.node.append(node("Mul", ["own_exact", "own_spread"], ["own_sized"]))
        graph.node.append(node("Add", ["own_sized", "own_middle"], ["scores"]))
        scores.type.tensor_type.elem_type = TensorProto.DOUBLE
    scores.name = "scores"
    del graph.output[:-1]


def rename_inputs(graph: GraphProto, names: list[str]) -> None:
    """Give the inputs their own names, and all that is inside one that no input can have."""
    inside = "/" * (1 + max(len(name) - len(name.lstrip("/")) for name in names))
    own = {f"input{place}": name for place, name in enumerate(names)}
    own |= {"": ""} | ({} if "scores" in names else {"scores": "scores"})
    for thing in (*graph.input, *graph.output, *graph.initializer):
        thing.name = own.get(thing.name, inside + thing.name)
    for node in graph.node:
        node.input[:] = [own.get(name, inside + name) for name in node.input]
        node.output[:] = [own.get(name, inside + name) for name in node.output]


def register_converters() -> None:
    """Tell skl2onnx of a target encoder that can do several classes, and of LightGBM if a model
    may be of it: where it cannot be loaded, none is.
    """
    add = update_registered_converter
    add(TargetEncoder, "SklearnTargetEncoder", set_target_encoder_shape, convert_target_encoder)
    add(Arithmetic, "MlopsArithmetic", set_arithmetic_shape, convert_arithmetic)
    add(WordWeights, "MlopsWordWeights", set_word_weights_shape, convert_word_weights)
    if "lightgbm" not in sys.modules:
        return
    from lightgbm import LGBMClassifier, LGBMRegressor  # noqa: PLC0415
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import (  # noqa: PLC0415
        convert_lightgbm,
    )

    def convert_classifier(scope: Any, operator: Any, container: Any) -> None:
        """Convert, and leave the scores raw for a calibration, which learns from those."""
        before = len(container.nodes)
        convert_lightgbm(scope, operator, container)
        if scope.get_options(operator.raw_operator, {"raw_scores": False})["raw_scores"]:
            for node in container.nodes[before:]:
                for each in node.attribute:
                    if each.name == "post_transform":
                        each.s = b"NONE"

    options: dict[str, list[bool]] = {
        name: [True, False] for name in ("zipmap", "nocl", "raw_scores")
    }
    number = {"split": None}
    shape = calculate_linear_classifier_output_shapes
    add(LGBMClassifier, "LightGbmLGBMClassifier", shape, convert_classifier, options=options)
    shape = calculate_linear_regressor_output_shapes
    add(LGBMRegressor, "LightGbmLGBMRegressor", shape, convert_lightgbm, options=number)


def set_target_encoder_shape(operator: Any) -> None:
    """Tell skl2onnx the shape of what a target encoder gives: (rows, encodings)."""
    rows = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type = FloatTensorType([rows, len(operator.raw_operator.encodings_)])


def convert_target_encoder(scope: Any, operator: Any, container: Any) -> None:
    """Add a look-up for each text, and for each class if there are several: skl2onnx has none."""
    encoder, opset = operator.raw_operator, {"op_version": container.target_opset}
    means, encoded = np.atleast_1d(encoder.target_mean_), []
    texts = OnnxConcat(*operator.inputs, axis=1, **opset)
    for place, encoding in enumerate(encoder.encodings_):
        feature, output = divmod(place, len(means))
        look_up = OnnxLabelEncoder_2(
            OnnxArrayFeatureExtractor(texts, np.array([feature])),
            keys_strings=list(map(str, encoder.categories_[feature])),
            values_floats=encoding.astype(np.float32),
            default_float=float(means[output]),
        )
        encoded.append(look_up)
    OnnxConcat(*encoded, axis=1, output_names=operator.outputs, **opset).add_to(scope, container)
