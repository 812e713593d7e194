"""Stage package: the chosen candidate learns from all rows but the test's and becomes one file.

The file is ONNX: it holds no code, and needs neither scikit-learn nor LightGBM to answer. On the
test rows its answers are compared with those of the pipeline it was made from.
"""

import json
import platform
from typing import Any

import numpy as np
import polars as pl
from sklearn.pipeline import Pipeline

from ..core.libraries import installed_versions
from ..core.paths import (
    CHOICE,
    MODEL,
    REPORTS,
    TEST,
    TRAIN,
    VALID,
    read_json,
    replacing,
    write_json,
)
from ..core.paths import sha256 as digest
from ..core.team import team_code
from ..data.column_names import col, cols, values_of
from ..data.contract import Column, Contract
from ..scoring.predictor import METADATA, SCORE, Predictor
from .bench import Plan, fit, scores
from .bins import bins
from .candidate import named
from .conversion import OPSET, convert
from .inputs import feed, frame, inputs, truth

PACKAGE = REPORTS / "package.json"
LIBRARIES = ("scikit-learn", "lightgbm", "skl2onnx", "onnxmltools", "numpy", "polars")
# Two scores differ when they are further apart than this: probabilities as they are, numbers as a
# share of the spread (standard deviation) of the target.
TOLERANCE = 1e-4
MOST_ROWS = 50_000
CASES = 8  # records with their scores that the file holds: who loads it can see it is sound


def run() -> None:
    contract, choice = Contract.load(), read_json(CHOICE)
    rows = pl.concat([pl.read_parquet(TRAIN), pl.read_parquet(VALID)])
    test = pl.read_parquet(TEST)
    pipeline = package_choice(rows, test, choice, contract)
    parity = compare_answers(pipeline, test, contract)
    size = MODEL.stat().st_size
    report = {"sha256": digest(MODEL), "bytes": size, "parity": parity, "opset": OPSET[""]}
    write_json(PACKAGE, report)
    print(
        f"package: {choice['candidate']} in {size / 1024:,.0f} KB, "
        f"{parity['share_differing']:.2%} of {parity['rows']:,} rows differ"
    )


def package_choice(
    rows: pl.DataFrame, test: pl.DataFrame, choice: dict[str, Any], contract: Contract
) -> Pipeline:
    """Fit the choice to the rows and write it to MODEL, with what the file says of itself."""
    [candidate], entries = named([choice["candidate"]]), inputs(contract)
    plan = Plan(candidate, choice["parameters"], choice["keep"])
    values = frame(rows, entries)
    with team_code(place=candidate.line):
        pipeline = fit(plan, values, truth(rows, contract), contract)
    about = {
        "task": contract.task,
        "target": contract.target.name,
        "classes": list(contract.classes),
        # The place among the classes of each output; training may not have met them all.
        "outputs": [int(place) for place in getattr(pipeline, "classes_", ())],
        "threshold": choice["threshold"],
        "inputs": [vars(entry) for entry in entries],
        "contract": {"id": contract.id, "version": contract.version},
        "candidate": choice["candidate"],
        "parameters": choice["parameters"],
        "validation": {"metric": choice["metric"], "score": choice["score"]},
        "libraries": {"python": platform.python_version(), **installed_versions(LIBRARIES)},
        "rows": rows.height,
        "columns": [describe_column(column) for column in contract.columns],
    }
    model = convert(candidate, pipeline, entries)
    metadata = model.metadata_props.add(key=METADATA)
    metadata.value = json.dumps(about)
    examples = shuffle_cells(rows.select(cols(column.name for column in contract.inputs)))
    packaged = Predictor(model.SerializeToString())
    known = packaged.scores(examples).tolist()
    cases = [
        {
            "record": {name: cell for name, cell in record.items() if cell is not None},
            "score": score,
        }
        for record, score in zip(examples.to_dicts(), known, strict=True)
    ]
    # Of rows that it learned from, a model is surer than of any it will meet.
    unseen = pl.Series(SCORE, packaged.answers(packaged.scores(test))["score"])
    about |= {"cases": cases, "bins": bins(values) + bins(unseen.to_frame())}
    metadata.value = json.dumps(about, ensure_ascii=False, default=str)
    with replacing(MODEL) as scratch:
        scratch.write_bytes(model.SerializeToString(deterministic=True))
    return pipeline


def describe_column(column: Column) -> dict[str, Any]:
    """What a service must know of a column: the rules, and whether it is `used`: as a part of
    the `key`, else as an input of the model, or as both (`input`).
    """
    rules = ("name", "type", "required", "minimum", "maximum", "categories", "missing", "spelling")
    facts = column.model_dump(mode="json", by_alias=False, include={*rules, "description"})
    facts["required"] &= column.is_input
    facts |= {"used": column.is_input or column.is_key, "key": column.is_key}
    return facts | ({"input": True} if column.is_key and column.is_input else {})


def shuffle_cells(rows: pl.DataFrame) -> pl.DataFrame:
    """CASES rows in which each cell is from another row, so that none tells of anybody."""
    return rows.select(
        pl.Series(name, values_of(rows, name).sample(CASES, with_replacement=True, seed=place))
        for place, name in enumerate(rows.columns)
    )


def compare_answers(pipeline: Pipeline, test: pl.DataFrame, contract: Contract) -> dict[str, Any]:
    """The packaged model against the pipeline, on test rows as they are and spoiled ones."""
    plain = frame(test.head(MOST_ROWS), inputs(contract))
    values = pl.concat([plain, spoil_cells(plain)])
    apart = np.abs(Predictor(MODEL).run(feed(values)) - scores(pipeline, values, contract))
    if contract.task == "regression":
        apart /= pipeline["model"].transformer_.scale_
    apart = apart.reshape(len(values), -1).max(axis=1)
    return {
        "rows": len(values),
        "share_differing": float(np.mean(~(apart <= TOLERANCE))),
        "max_difference": None if np.isnan(apart).any() else float(apart.max()),
        "tolerance": TOLERANCE,
    }


def spoil_cells(values: pl.DataFrame) -> pl.DataFrame:
    """A fifth of all cells, drawn at random: a number missing, a category that was never met."""
    random = np.random.default_rng(0)
    return values.select(
        pl.when(pl.Series(random.random(values.height) < 0.2))
        .then(pl.lit("never met" if dtype == pl.String else float("nan"), dtype))
        .otherwise(col(name))
        .alias(name)
        for name, dtype in values.schema.items()
    )
