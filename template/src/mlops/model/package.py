"""Stage package: the chosen candidate learns from all rows but the test's and becomes one file.

The file is ONNX: it holds no code, and needs neither scikit-learn nor LightGBM to answer. On the
test rows its answers are compared with those of the pipeline it was made from.
"""

import json
import platform
from typing import TypedDict, cast

import numpy as np
import polars as pl
from sklearn.pipeline import Pipeline

from ..core.libraries import read_versions
from ..core.paths import (
    MODEL,
    REPORTS,
    TEST,
    TRAIN,
    VALID,
    replacing,
    write_json,
)
from ..core.paths import sha256 as digest
from ..core.team import team_code
from ..data.column_names import cols, values_of
from ..data.contract import Column, Contract
from ..scoring.predictor import METADATA, SCORE, Predictor
from .bins import make_bins
from .candidate import find_candidates
from .choice import Choice, read_choice
from .conversion import choose_opset, convert_candidate
from .inputs import Input, encode_truth, list_inputs, make_feed, select_inputs
from .metadata import ColumnFacts, KnownCase, ModelMetadata
from .parity import TOLERANCE, measure_gaps, spoil_cells
from .trial_runner import Plan, fit_plan, predict_scores

PACKAGE = REPORTS / "package.json"
LIBRARIES = ("scikit-learn", "lightgbm", "skl2onnx", "onnxmltools", "numpy", "polars")
MOST_ROWS = 50_000
CASES = 8  # records with their scores that the file holds: who loads it can see it is sound


class Parity(TypedDict):
    """How the packaged model's answers differ from the fitted pipeline's, on so many `rows`.

    `share_differing` is of the rows that are further apart than `tolerance`; `max_difference` is
    None where an answer is not a number.
    """

    rows: int
    share_differing: float
    max_difference: float | None
    tolerance: float


class PackageReport(TypedDict):
    """What reports/package.json holds: the file by its SHA-256 and size, and the ONNX opset."""

    sha256: str
    bytes: int
    parity: Parity
    opset: int


def run() -> None:
    """Package the choice, and write how its answers compare with the pipeline's."""
    contract, choice = Contract.load(), read_choice()
    rows = pl.concat([pl.read_parquet(TRAIN), pl.read_parquet(VALID)])
    test = pl.read_parquet(TEST)
    pipeline = package_choice(rows, test, choice, contract)
    parity = compare_answers(pipeline, test, contract)
    size = MODEL.stat().st_size
    report: PackageReport = {
        "sha256": digest(MODEL),
        "bytes": size,
        "parity": parity,
        "opset": choose_opset(pipeline)[""],
    }
    write_json(PACKAGE, report)
    print(
        f"package: {choice['candidate']} in {size / 1024:,.0f} KB, "
        f"{parity['share_differing']:.2%} of {parity['rows']:,} rows differ"
    )


def package_choice(
    rows: pl.DataFrame, test: pl.DataFrame, choice: Choice, contract: Contract
) -> Pipeline:
    """Fit the choice to the rows and write it to MODEL, with what the file says of itself.

    Returns the fitted pipeline. Raises ConversionError if it cannot be an ONNX graph.
    """
    [candidate], entries = find_candidates([choice["candidate"]]), list_inputs(contract)
    plan = Plan(candidate, choice["parameters"], choice["keep"])
    values = select_inputs(rows, entries)
    with team_code(place=candidate.line):
        pipeline = fit_plan(plan, values, encode_truth(rows, contract), contract)
    model = convert_candidate(candidate, pipeline, entries)
    about = describe_model(choice, contract, pipeline, entries, rows.height)
    packaged = Predictor(model.SerializeToString(), about)
    about["cases"] = make_cases(rows, packaged, contract)
    # Of rows that it learned from, a model is surer than of any it will meet.
    unseen = pl.Series(SCORE, packaged.answers(packaged.scores(test))["score"])
    about["bins"] = make_bins(values) + make_bins(unseen.to_frame())
    model.metadata_props.add(key=METADATA, value=json.dumps(about, ensure_ascii=False, default=str))
    with replacing(MODEL) as scratch:
        scratch.write_bytes(model.SerializeToString(deterministic=True))
    return pipeline


def describe_model(
    choice: Choice, contract: Contract, pipeline: Pipeline, entries: list[Input], rows: int
) -> ModelMetadata:
    """Describe for the file a model that has learned from so many rows, but for cases and bins."""
    return {
        "task": contract.task,
        "target": contract.target.name,
        "classes": list(contract.classes),
        "outputs": [int(place) for place in getattr(pipeline, "classes_", ())],
        "threshold": choice["threshold"],
        "inputs": [
            {"name": each.name, "column": each.column, "kind": each.kind, "part": each.part}
            for each in entries
        ],
        "contract": {"id": contract.id, "version": contract.version},
        "candidate": choice["candidate"],
        "parameters": choice["parameters"],
        "validation": {"metric": choice["metric"], "score": choice["score"]},
        "libraries": {"python": platform.python_version(), **read_versions(LIBRARIES)},
        "rows": rows,
        "columns": [describe_column(column) for column in contract.columns],
    }


def describe_column(column: Column) -> ColumnFacts:
    """Describe a column as a service must know it: its rules, and whether it is `used`: as a part
    of the `key`, else as an input of the model, or as both (`input`).
    """
    rules = ("name", "type", "required", "minimum", "maximum", "categories", "missing", "spelling")
    facts = column.model_dump(mode="json", by_alias=False, include={*rules, "description"})
    if column.known_categories:
        facts["known_categories"] = list(column.known_categories)
    facts["required"] &= column.is_input
    facts |= {"used": column.is_input or column.is_key, "key": column.is_key}
    facts |= {"input": True} if column.is_key and column.is_input else {}
    return cast(ColumnFacts, facts)


def make_cases(rows: pl.DataFrame, packaged: Predictor, contract: Contract) -> list[KnownCase]:
    """Make CASES records of mixed cells, with the score that the packaged model gives each."""
    examples = shuffle_cells(rows.select(cols(column.name for column in contract.inputs)))
    scores = packaged.scores(examples).tolist()
    return [
        {
            "record": {name: cell for name, cell in record.items() if cell is not None},
            "score": score,
        }
        for record, score in zip(examples.to_dicts(), scores, strict=True)
    ]


def shuffle_cells(rows: pl.DataFrame) -> pl.DataFrame:
    """Draw CASES rows in which each cell is from another row, so that none tells of anybody."""
    return rows.select(
        pl.Series(name, values_of(rows, name).sample(CASES, with_replacement=True, seed=place))
        for place, name in enumerate(rows.columns)
    )


def compare_answers(pipeline: Pipeline, test: pl.DataFrame, contract: Contract) -> Parity:
    """Compare the packaged model with the pipeline, on test rows as they are and spoiled ones."""
    plain = select_inputs(test.head(MOST_ROWS), list_inputs(contract))
    values = pl.concat([plain, spoil_cells(plain)])
    told, expected = (
        Predictor(MODEL).run(make_feed(values)),
        predict_scores(pipeline, values, contract),
    )
    apart = measure_gaps(told, expected, pipeline, contract.task)
    return {
        "rows": len(values),
        "share_differing": float(np.mean(~(apart <= TOLERANCE))),
        "max_difference": None if np.isnan(apart).any() else float(apart.max()),
        "tolerance": TOLERANCE,
    }
