"""A tiny packaged model and a table for it: real files, made in no time."""

import json

import numpy as np
import onnx
import polars as pl
from mlops.core.paths import CLEAN, MODEL, TEST
from mlops.data.column_names import ROW
from onnx import TensorProto, helper

CLASSES = {"binary": ("false", "true"), "multiclass": ("low", "mid", "high"), "regression": ()}


def columns(task):
    kind = {"binary": "boolean", "multiclass": "string", "regression": "number"}[task]
    return (
        {"name": "x", "type": "number"},
        {"name": "noise", "type": "number"},
        {"name": "group", "type": "string", "protected": True},
        {"name": "answer", "type": kind, "role": "target", "required": True},
    )


def contract(task="binary", **changes):
    return {
        "id": "tiny-answer",
        "name": "tiny",
        "task": task,
        "classes": CLASSES[task],
        "columns": columns(task),
        **changes,
    }


def table(task="binary", rows=1500, seed=1):
    random = np.random.default_rng(seed)
    x = random.normal(size=rows).astype(np.float32)
    near = 2 * x + random.logistic(size=rows)
    answer = {
        "binary": near > 0,
        "multiclass": np.array(CLASSES["multiclass"])[np.digitize(near, [-1, 1])],
        "regression": near,
    }[task]
    return pl.DataFrame(
        {
            ROW: np.arange(rows),
            "x": x,
            "noise": random.normal(size=rows),
            "group": random.choice(["a", "b", "c"], rows),
            "answer": answer,
        }
    )


def write_model(path, task="binary", weight=2.0, **changes):
    """The score is `weight * x`, as the task wants it: a probability, three of them, a number."""
    number, text = TensorProto.FLOAT, TensorProto.STRING
    given = [("x", number), ("noise", number), ("group", text)]
    inputs = [helper.make_tensor_value_info(name, kind, [None, 1]) for name, kind in given]
    width = {"binary": 2, "multiclass": 3, "regression": 1}[task]
    slopes = np.array([{2: [0, weight], 3: [-weight, 0, weight], 1: [weight]}[width]], np.float32)
    nodes = [helper.make_node("MatMul", ["x", "slopes"], ["raw"])]
    final = "Identity" if task == "regression" else "Softmax"
    nodes.append(helper.make_node(final, ["raw"], ["out"]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        inputs,
        [helper.make_tensor_value_info("out", number, [None, width])],
        [onnx.numpy_helper.from_array(slopes, "slopes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    kinds = {"x": "number", "noise": "number", "group": "text"}
    entries = [
        {"name": name, "column": name, "kind": kind, "part": None} for name, kind in kinds.items()
    ]
    meta = {
        "task": task,
        "classes": CLASSES[task],
        "outputs": list(range(width)) if task != "regression" else [],
        "threshold": 0.5 if task == "binary" else None,
        "inputs": entries,
        "contract": {"id": "tiny-answer", "version": "1.0.0"},
        **changes,
    }
    helper.set_model_props(model, {"metadata": json.dumps(meta)})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def write_run(folder):
    """What a run leaves that is judged: the packaged model, its test rows and all clean ones."""
    write_model(folder / MODEL)
    for path in (TEST, CLEAN):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        table().write_parquet(folder / path)
