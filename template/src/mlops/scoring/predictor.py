"""The packaged model at work: ONNX Runtime and NumPy, nothing that the training needed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf

from ..core.errors import UserError
from ..core.paths import MODEL
from ..model.metadata import ModelMetadata
from ..model.value import decide

METADATA = "metadata"
SCORE = "(score)"  # among the inputs of a model, where their values are counted
BATCH = 50_000
BATCH_OF_WORDS = 1000  # ONNX Runtime holds a place for each word of the longest text, in every row


class Predictor:
    """A packaged model. `meta` says what it is: task, classes, threshold, inputs and lineage."""

    def __init__(self, model: Path | bytes = MODEL, meta: ModelMetadata | None = None) -> None:
        """Load a file or its bytes; `meta` is of bytes that do not say yet what they are.

        Raises UserError if it is absent or no model of ours.
        """
        path = model if isinstance(model, Path) else Path("the model sent")
        if path is model and not path.exists():
            raise UserError(f"{path} is not there yet: make it with 'uv run dvc repro'.")
        options = onnxruntime.SessionOptions()
        # The same sums on every machine; the processors have other shards or requests to answer.
        options.intra_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(model, options)
            texts = self._session.get_modelmeta().custom_metadata_map
            self.meta: ModelMetadata = meta or json.loads(texts[METADATA])
        except (Fail, InvalidGraph, InvalidProtobuf, ValueError, KeyError) as error:
            raise UserError(f"{path} is not a model that this project has packaged.") from error

    def scores(self, table: Any) -> NDArray[Any]:
        """Score a polars table typed by the contract; see `run`. Batches bound the memory."""
        # A service has no polars: it builds the feed itself and calls `run`.
        from ..model.inputs import Input, make_feed, select_inputs  # noqa: PLC0415

        entries = [Input(**entry) for entry in self.meta["inputs"]]
        batches = table.iter_slices(BATCH) if table.height else [table]
        return np.concatenate(
            [self.run(make_feed(select_inputs(batch, entries))) for batch in batches]
        )

    def answers(self, scores: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Say of each row, (rows,): `prediction` (the likeliest class, or the number),
        `score` (P(positive), P(the likeliest), or the number), and `decision` (act: true or false,
        by the threshold; else the prediction).
        """
        decision: Any = decide(scores, self.meta["threshold"], self.meta["task"])
        names = np.array(self.meta["classes"], dtype=object)
        if self.meta["task"] == "binary":
            likeliest = names[(scores >= 0.5).astype(int)]
            return {"prediction": likeliest, "score": scores, "decision": decision.astype(bool)}
        if self.meta["task"] == "multiclass":
            likeliest = names[decision]
            return {"prediction": likeliest, "score": scores.max(axis=1), "decision": likeliest}
        return {"prediction": scores, "score": scores, "decision": scores}

    def run(self, feed: dict[str, NDArray[Any]]) -> NDArray[Any]:
        """Score a feed: an array of shape (rows, 1) for each input of the model.

        binary: (rows,), the probability of the positive class; multiclass: (rows, classes), in
        the order of `meta["classes"]`; both float32. regression: (rows,), the value, float64.
        """
        outputs: NDArray[Any] = np.concatenate(
            [self._session.run(None, part)[0] for part in self._split_feed(feed)]
        )
        if self.meta["task"] == "regression":
            return outputs[:, 0]
        # A class that training never met has no output: its probability is zero.
        scores = np.zeros((len(outputs), len(self.meta["classes"])), dtype=np.float32)
        scores[:, self.meta["outputs"]] = outputs
        return scores[:, 1] if self.meta["task"] == "binary" else scores

    def _split_feed(self, feed: dict[str, NDArray[Any]]) -> list[dict[str, NDArray[Any]]]:
        rows = len(next(iter(feed.values())))
        if rows <= BATCH_OF_WORDS or all(each["part"] != "words" for each in self.meta["inputs"]):
            return [feed]
        starts = range(0, rows, BATCH_OF_WORDS)
        return [
            {name: cells[start : start + BATCH_OF_WORDS] for name, cells in feed.items()}
            for start in starts
        ]
