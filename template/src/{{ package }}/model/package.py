"""Stage package: the chosen candidate learns from all rows but the test's and becomes one file.

The file is ONNX: it holds no code, and needs neither scikit-learn nor LightGBM to answer. On the
test rows its answers are compared with those of the pipeline it was made from.
"""

import json
import platform
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from ..data.contract import Contract
from ..files import (
    CHOICE,
    MODEL,
    REPORTS,
    TEST,
    TRAIN,
    VALID,
    read_json,
    replacing,
    sha256,
    write_json,
)
from .candidates import named
from .conversion import OPSET, to_onnx
from .fitting import Fitted, fit
from .inputs import Input, feed, frame, inputs, truth
from .predictor import METADATA, Predictor

PACKAGE = REPORTS / "package.json"
LIBRARIES = ("scikit-learn", "lightgbm", "skl2onnx", "onnxmltools", "numpy", "polars")
# Two scores differ when they are further apart than this: probabilities as they are, numbers as a
# share of the spread (standard deviation) of the target.
TOLERANCE = 1e-4
MOST_ROWS = 50_000


def run() -> None:
    contract, choice = Contract.load(), read_json(CHOICE)
    rows = pl.concat([pl.read_parquet(TRAIN), pl.read_parquet(VALID)])
    entries = [entry for entry in inputs(contract) if entry.name in choice["inputs"]]
    fitted = refitted(rows, entries, choice, contract)
    pack(fitted, entries, metadata(choice, entries, fitted, contract) | {"rows": rows.height})
    parity = compared(fitted, pl.read_parquet(TEST), entries)
    size = MODEL.stat().st_size
    told = {"sha256": sha256(MODEL), "bytes": size, "parity": parity, "opset": OPSET[""]}
    write_json(PACKAGE, told)
    print(
        f"package: {choice['candidate']} in {size / 1024:,.0f} KB, "
        f"{parity['share_differing']:.2%} of {parity['rows']:,} rows differ"
    )


def refitted(
    rows: pl.DataFrame, entries: list[Input], choice: dict[str, Any], contract: Contract
) -> Fitted:
    [candidate] = named([choice["candidate"]])
    with threadpool_limits(1):
        values, target = frame(rows, entries), truth(rows, contract)
        return fit(candidate, choice["parameters"], values, target, contract)


def metadata(
    choice: dict[str, Any], entries: list[Input], fitted: Fitted, contract: Contract
) -> dict[str, Any]:
    """What the file says of itself; `outputs` is the place of each output among `classes`."""
    return {
        "task": contract.task,
        "target": contract.target.name,
        "classes": list(contract.classes),
        "outputs": fitted.outputs if contract.task != "regression" else [],
        "threshold": choice["threshold"],
        "inputs": [vars(entry) for entry in entries],
        "contract": {"id": contract.id, "version": contract.version},
        "candidate": choice["candidate"],
        "parameters": choice["parameters"],
        "validation": {"metric": choice["metric"], "score": choice["score"]},
        "libraries": {
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
    }


def pack(fitted: Fitted, entries: list[Input], about: dict[str, Any]) -> None:
    model = to_onnx(fitted, entries)
    model.metadata_props.add(key=METADATA, value=json.dumps(about, ensure_ascii=False))
    with replacing(MODEL) as scratch:
        scratch.write_bytes(model.SerializeToString(deterministic=True))


def compared(fitted: Fitted, test: pl.DataFrame, entries: list[Input]) -> dict[str, Any]:
    """The packaged model against the pipeline, on test rows as they are and spoiled ones."""
    plain = frame(test.head(MOST_ROWS), entries)
    values = pl.concat([plain, spoiled(plain)])
    with threadpool_limits(1):
        expected = fitted.scores(values)
    apart = np.abs(Predictor(MODEL).run(feed(values)) - expected) / fitted.spread
    apart = apart.reshape(len(values), -1).max(axis=1)
    return {
        "rows": len(values),
        "share_differing": float(np.mean(~(apart <= TOLERANCE))),
        "max_difference": float(apart.max()),
        "tolerance": TOLERANCE,
    }


def spoiled(values: pl.DataFrame) -> pl.DataFrame:
    """A fifth of all cells, drawn at random, missing or a category that was never met."""
    random = np.random.default_rng(0)

    def spoil(column: pl.Series) -> pl.Series:
        drawn = pl.Series(random.random(len(column)))
        if column.dtype == pl.String:
            strange = pl.when(drawn < 0.1).then(pl.lit("")).otherwise(pl.lit("never met"))
        else:
            strange = pl.lit(float("nan"), dtype=column.dtype)
        return pl.select(pl.when(drawn < 0.2).then(strange).otherwise(column)).to_series()

    return pl.DataFrame({column.name: spoil(column) for column in values})
