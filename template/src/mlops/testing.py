"""For the team's tests: records that keep the contract, an example table, a trial run."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from .core.libraries import LibraryError
from .core.paths import RAW, sha256
from .core.problem import Task
from .data.cells import FORMATS, write_time
from .data.change_log import EMPTY, LOG, Change
from .data.column_names import ROW, SOURCE, cols
from .data.contract import CONTRACT, Column, Contract, Type
from .data.ingest import type_rows
from .data.number_text import write_number
from .data.validate import judge_rows
from .model import parity
from .model.candidate import Candidate
from .model.conversion import convert_candidate
from .model.inputs import encode_truth, list_inputs, select_inputs
from .model.trial_runner import Plan, fit_plan
from .model.value import Array

__all__ = [
    "Contract",
    "LibraryError",
    "broken_rules",
    "draw_records",
    "example_inputs",
    "example_table",
    "make_trial",
    "run_trial",
    "share_differing",
]
Record = dict[str, str]
START = datetime(2020, 1, 1, 5, 30)
EXAMPLE_COLUMNS: tuple[Column, ...] = (
    Column(name="size", type="number"),
    Column(name="count", type="integer"),
    Column(name="fast", type="boolean"),
    Column(name="kind", type="string", categories=("a", "b", "c")),
    Column(name="town", type="string", categories=tuple(f"town {n}" for n in range(40))),
    Column(name="seen", type="timestamp"),
)
EXAMPLE_CLASSES = {"binary": ("no", "yes"), "multiclass": ("low", "middle", "high")}
TRIAL = {"trials": 2, "processes": 1, "folds_below_rows": 0}


def draw_records(contract: Contract, rows: int = 1, seed: int = 0) -> list[Record]:
    """Draw records as they are delivered, at random among those that keep the contract."""
    random = np.random.default_rng(seed)
    return [
        {column.name: _cell(column, contract, row, random) for column in contract.columns}
        for row in range(rows)
    ]


def broken_rules(record: Record, contract: Contract) -> list[tuple[str, str]]:
    """Return (column, rule) for each rule of the contract that a delivered record breaks."""
    _, rejected = _read([record], contract)
    reasons = rejected.select(pl.col("reasons").explode()).collect()["reasons"].to_list()
    return [(reason["column"], reason["rule"]) for reason in reasons]


def _read(records: list[Record], contract: Contract) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Type and judge records as the pipeline does: those that are clean, and the rejected ones."""
    delivered = pl.LazyFrame(records, schema=dict.fromkeys(records[0], pl.String))
    numbered = delivered.with_columns(
        pl.int_range(pl.len()).alias(ROW), pl.lit("records").alias(SOURCE)
    )
    clean, rejected = judge_rows(type_rows(numbered, contract).collect().lazy(), contract)
    return clean, rejected


def example_table(task: Task, rows: int = 300) -> tuple[pl.DataFrame, Contract]:
    """Draw a typed table, a tenth of what may be missing left out, and its contract.

    It has the columns of contract.yaml where there is one, else some of every kind, and a target of
    the kind that is asked for, which depends on the numbers.
    """
    random = np.random.default_rng(0)
    columns = EXAMPLE_COLUMNS
    if CONTRACT.exists():
        columns = tuple(c for c in Contract.load().columns if c.role != "target")
    kind: Type = "number" if task == "regression" else "string"
    target = Column(name="(answer)", type=kind, role="target", required=True)
    contract = Contract(
        id="example",
        name="example",
        task=task,
        classes=EXAMPLE_CLASSES.get(task, ()),
        columns=(*columns, target),
    )
    records = draw_records(contract, rows)
    for column in columns:
        if not column.required:
            for place in np.flatnonzero(random.random(rows) < 0.1):
                records[place][column.name] = ""
    clean, _ = _read(records, contract)
    table = clean.select(cols(column.name for column in columns)).collect()
    signal = random.normal(scale=0.3, size=rows)
    for values in table.select(pl.col(pl.Float64)):
        signal += (values.fill_null(0) - values.mean()).to_numpy() / (values.std() or 1.0)
    answers = {
        "binary": np.where(signal > 0.8, "yes", "no"),
        "multiclass": np.array(["low", "middle", "high"])[np.digitize(signal, [-0.3, 1])],
        "regression": signal,
    }
    answer = pl.Series(target.name, answers[task])
    return table.with_columns(answer, pl.int_range(rows).alias(ROW)), contract


def example_inputs(task: Task, rows: int = 300) -> tuple[pl.DataFrame, Array]:
    """Return what feature steps get of the example's rows: the model's inputs, and the target."""
    table, contract = example_table(task, rows)
    return select_inputs(table, list_inputs(contract)), encode_truth(table, contract)


def share_differing(candidate: Candidate, task: Task) -> float:
    """Return the share of the example's rows that the packaged candidate answers otherwise than the
    fitted one, by more than rounding.

    Raises LibraryError if its library cannot be loaded here.
    """
    table, contract = example_table(task)
    entries = list_inputs(contract)
    values, answers = select_inputs(table, entries), encode_truth(table, contract)
    fitted = fit_plan(Plan(candidate, candidate.defaults), values, answers, contract)
    return parity.share_differing(convert_candidate(candidate, fitted, entries), fitted, values)


def make_trial(project: Path, folder: Path, rows: int = 600) -> None:
    """Make a folder in which the stages run on drawn rows in seconds, by the project's settings.

    Before the project has a table, the rows are those of the example.
    """
    (folder / RAW).mkdir(parents=True)
    for name in ("pyproject.toml", "problem.yaml"):
        shutil.copy(project / name, folder)
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= TRIAL
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    if (project / "contract.yaml").exists():
        shutil.copy(project / "contract.yaml", folder)
        contract = Contract.load(folder / "contract.yaml")
    else:
        _, contract = example_table("binary")
        contract.save(folder / "contract.yaml")
    file = folder / RAW / "0001-drawn.jsonl"
    _write_lines(file, draw_records(contract, rows))
    change = Change(
        version=1,
        when="2020-01-01T00:00:00+00:00",
        who="test",
        operation="start",
        source="drawn",
        sha256=sha256(file),
        file=file.name,
        rows=rows,
        contract=contract.digest(),
        before=EMPTY,
        after=EMPTY,
    )
    _write_lines(folder / LOG, [change.model_dump(exclude_defaults=True)])


def run_trial(folder: Path, stages: Iterable[str]) -> None:
    """Run the stages there, in a process of their own. Raises AssertionError with what it says."""
    code = "import sys; from mlops.core.stages import run_stage; [*map(run_stage, sys.argv[1:])]"
    command = [sys.executable, "-c", code, *stages]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode:
        raise AssertionError(f"{run.stdout}{run.stderr}")


def _write_lines(file: Path, records: Iterable[Any]) -> None:
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")


def _cell(column: Column, contract: Contract, row: int, random: np.random.Generator) -> str:
    classes = contract.classes if column.role == "target" else ()
    if allowed := column.categories or column.known_categories or classes:
        return str(random.choice(allowed))
    if column.type in FORMATS:
        form = (column.formats or FORMATS[column.type])[0].replace("%.f", "")
        moment = START + timedelta(hours=7 * row)
        return str(pl.select(write_time(pl.lit(moment), form)).item())
    if column.type == "boolean":
        return str(random.choice(["true", "false"]))
    if column.type == "string":
        return f"text {row}"
    low = 0 if column.minimum is None else column.minimum
    high = low + 1000 if column.maximum is None else column.maximum
    if column.is_key:
        return str(int(low) + row)
    drawn = random.uniform(low, high)
    return write_number(round(drawn, None if column.type == "integer" else 3), column)
