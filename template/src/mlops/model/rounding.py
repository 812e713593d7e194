"""Thresholds of trees as 32-bit numbers, so that the packaged model goes the same way at each.

Converters round them: a row that lies between a threshold and what became of it then goes the other
way. Here they are rounded down, which changes no comparison `x <= threshold` of any 32-bit x.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def round_thresholds_down(model: Any) -> None:
    """In the model itself, and in those that it is made of; it answers every row as before."""
    for each in _list_models(model):
        if type(each).__module__.startswith("lightgbm.") and hasattr(each, "booster_"):
            text = re.sub(
                r"(?m)^(threshold=)(.*)$", round_line_down, each.booster_.model_to_string()
            )
            # Without the trees' sizes in bytes, which are no longer true, LightGBM finds them.
            each.booster_.model_from_string(re.sub(r"(?m)^tree_sizes=.*\n", "", text))
        for trees in getattr(each, "_predictors", ()):  # HistGradientBoosting's
            for tree in trees:
                tree.nodes["num_threshold"] = round_down(tree.nodes["num_threshold"])


def _list_models(model: Any) -> Iterator[Any]:
    """List an estimator, and after it those inside: of a vote, a stack, a calibration, a pipeline.

    None is fitted in them that is not in a field of theirs, or in lists there.
    """
    waiting, met = [model], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in met:
            continue
        met.add(id(each))
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list | tuple) or (isinstance(each, np.ndarray) and each.dtype == "O"):
            waiting.extend(each)
        elif type(each).__module__.startswith(("sklearn.", "lightgbm.sklearn")):
            yield each
            waiting.extend(vars(each).values() if hasattr(each, "__dict__") else ())


def round_line_down(line: re.Match[str]) -> str:
    thresholds = round_down(np.array(line[2].split(), dtype=np.float64))
    return line[1] + " ".join(repr(float(threshold)) for threshold in thresholds)


def round_down(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest 32-bit number that is not above each value."""
    with np.errstate(over="ignore"):  # what is beyond 32 bits becomes infinite
        nearest = values.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > values, below, nearest).astype(np.float64)
