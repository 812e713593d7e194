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
import onnxruntime
import polars as pl
import yaml

from .core.libraries import LibraryError
from .core.paths import RAW, sha256
from .core.settings import Task
from .data.cells import FORMATS
from .data.change_log import EMPTY, LOG, Change
from .data.contract import CONTRACT, Column, Contract, Type
from .data.ingest import typed
from .data.validate import parts
from .model.bench import Plan, fit, scores
from .model.candidate import Candidate
from .model.conversion import convert
from .model.inputs import feed, frame, inputs, truth
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
ROUNDING = 1e-4
TRIAL = {"trials": 2, "processes": 1, "folds_below_rows": 0}


def draw_records(contract: Contract, rows: int = 1, seed: int = 0) -> list[Record]:
    """Records as they are delivered, drawn at random among those that keep the contract."""
    random = np.random.default_rng(seed)
    return [
        {column.name: _cell(column, contract, row, random) for column in contract.columns}
        for row in range(rows)
    ]


def broken_rules(record: Record, contract: Contract) -> list[tuple[str, str]]:
    """(column, rule) of each rule of the contract that a delivered record breaks."""
    delivered = pl.LazyFrame([record], schema=dict.fromkeys(record, pl.String))
    row = typed(delivered.with_columns(_row=pl.lit(1), _source=pl.lit("record")), contract)
    _, held = parts(row.collect().lazy(), contract)
    reasons = held.select(pl.col("reasons").explode()).collect()["reasons"].to_list()
    return [(reason["column"], reason["rule"]) for reason in reasons]


def example_table(task: Task, rows: int = 300) -> tuple[pl.DataFrame, Contract]:
    """A typed table, missing values included, and its contract: with the columns of contract.yaml
    where there is one, else with every kind of column. The target is of the kind that is asked for.
    """
    random = np.random.default_rng(0)
    table, described = _own_columns(rows) if CONTRACT.exists() else _every_kind(rows)
    signal = random.normal(size=rows)
    for column in table.select(pl.col(pl.Float64)):
        signal += (column.fill_null(0) - column.mean()).to_numpy() / (column.std() or 1.0)
    answers = {
        "binary": np.where(signal > 0.8, "yes", "no"),
        "multiclass": np.array(["low", "middle", "high"])[np.digitize(signal, [-0.3, 1])],
        "regression": signal,
    }
    classes = {"binary": ("no", "yes"), "multiclass": ("low", "middle", "high")}
    kind: Type = "number" if task == "regression" else "string"
    target = Column(name="(answer)", type=kind, role="target", required=True)
    contract = Contract(
        id="example",
        name="example",
        task=task,
        classes=classes.get(task, ()),
        columns=(*described, target),
    )
    answer = pl.Series("(answer)", answers[task])
    return table.with_columns(answer, _row=pl.int_range(rows)), contract


def _every_kind(rows: int) -> tuple[pl.DataFrame, list[Column]]:
    random = np.random.default_rng(0)
    number = random.normal(size=rows)
    table = pl.DataFrame(
        {
            "size": np.where(random.random(rows) < 0.1, np.nan, number),
            "count": random.integers(0, 9, rows),
            "fast": number > 0.5,
            "kind": random.choice(["a", "b", "c"], rows),
            "town": [f"town {place}" for place in random.integers(0, 40, rows)],
            "seen": [START + timedelta(hours=7 * hour) for hour in range(rows)],
        }
    ).fill_nan(None)
    kinds: tuple[Type, ...] = (
        *("number", "integer", "boolean"),
        *("string", "string", "timestamp"),
    )
    return table, [Column(name=n, type=t) for n, t in zip(table.columns, kinds, strict=True)]


def _own_columns(rows: int) -> tuple[pl.DataFrame, list[Column]]:
    """Those of contract.yaml but for the target, at random; a tenth of what may be is missing."""
    contract, random = Contract.load(), np.random.default_rng(0)
    columns = [column for column in contract.columns if column.role != "target"]
    records = draw_records(contract, rows)
    for column in columns:
        if not column.required:
            for place in np.flatnonzero(random.random(rows) < 0.1):
                records[place][column.name] = ""
    delivered = pl.LazyFrame(records).with_columns(_row=pl.int_range(rows), _source=pl.lit("drawn"))
    clean, _ = parts(typed(delivered, contract).collect().lazy(), contract)
    return clean.select(column.name for column in columns).collect(), columns


def example_inputs(task: Task, rows: int = 300) -> tuple[pl.DataFrame, Array]:
    """What feature steps get of the example's rows: the model's inputs, and the target."""
    table, contract = example_table(task, rows)
    return frame(table, inputs(contract)), truth(table, contract)


def share_differing(candidate: Candidate, task: Task) -> float:
    """The share of the example's rows that the packaged candidate answers otherwise than the fitted
    one, by more than rounding.

    Raises LibraryError if its library cannot be loaded here.
    """
    table, contract = example_table(task)
    values, answers = frame(table, inputs(contract)), truth(table, contract)
    fitted = fit(Plan(candidate, candidate.defaults), values, answers, contract)
    model = convert(candidate, fitted, inputs(contract)).SerializeToString()
    found = onnxruntime.InferenceSession(model).run(None, feed(values))[0]
    packaged = found if task == "multiclass" else found[:, -1]
    apart = np.abs(packaged - scores(fitted, values, contract)).reshape(len(values), -1)
    return float(np.mean(apart.max(axis=1) > ROUNDING))


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
    words = [sys.executable, "-c", code, *stages]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{done.stdout}{done.stderr}")


def _write_lines(file: Path, records: Iterable[Any]) -> None:
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")


def _cell(column: Column, contract: Contract, row: int, random: np.random.Generator) -> str:
    allowed = column.categories or (contract.classes if column.role == "target" else ())
    if allowed:
        return str(random.choice(allowed))
    if column.type in FORMATS:
        form = (column.formats or FORMATS[column.type])[0].replace("%.f", "")
        return (START + timedelta(hours=7 * row)).strftime(form)
    if column.type == "boolean":
        return str(random.choice(["true", "false"]))
    if column.type == "string":
        return f"text {row}"
    low = 0 if column.minimum is None else column.minimum
    high = low + 1000 if column.maximum is None else column.maximum
    if column.role == "key":
        return str(int(low) + row)
    drawn = random.uniform(low, high)
    text = str(round(drawn)) if column.type == "integer" else f"{drawn:.3f}"
    return text.replace(".", column.decimal)
