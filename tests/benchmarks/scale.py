"""How validating and scoring grow with the table, and what a second worker brings."""

import os
import sys
from pathlib import Path

import yaml

from .measuring import Measurement, run, show
from .projects import python, rendered

GENERATE = """
import sys
import numpy as np, polars as pl
millions, target, size = int(sys.argv[1]), sys.argv[2], 1_000_000
start = np.datetime64("2013-01-01T00:00:00", "ms")
with open(target, "wb") as stream:
    for part in range(millions):
        chance, order = np.random.default_rng(part), np.arange(size) + size * part
        numbers = {f"x{i}": np.round(chance.normal(100, 30, size), 3) for i in range(10)}
        frame = pl.DataFrame({
            "id": order,
            "moment": start + order * np.timedelta64(6000, "ms"),
            **numbers,
            **{f"k{i}": chance.integers(0, 1000, size) for i in range(4)},
            **{f"c{i}": chance.choice(np.array(["ash", "birch", "elm"]), size) for i in range(3)},
            "y": (numbers["x1"] + chance.normal(0, 30, size) > 100).astype(int),
        })
        bad = pl.Series(chance.random(size) < 0.01)
        x0 = pl.when(bad).then(pl.lit("oops")).otherwise(pl.col("x0").cast(pl.String)).alias("x0")
        frame.with_columns(x0).write_csv(stream, include_header=part == 0)
"""
STAGES = ("ingest", "validate")


def table(project: Path, millions: int) -> Path:
    target = project.parent / f"{millions}-million.csv"
    run("generate", [*python(), "-c", GENERATE, str(millions), str(target)], project)
    return target


def learned(answers: dict[str, str], sample: Path) -> Path:
    """A project with a model of a hundred trees, learned from the first rows of a table."""
    project = rendered({"sample": "empty", **answers})
    few = project / "few.csv"
    with sample.open("rb") as whole:
        few.write_bytes(b"".join(next(whole) for _ in range(50_001)))
    add = ["data", "add", str(few), "--target", "y", "--key", "id", "--time", "moment"]
    run("add", ["uv", "run", "project", *add], project)
    settings(project, candidates=["baseline", "lightgbm"], trials=1)
    for stage in (*STAGES, "split", "train", "package"):
        run(stage, ["uv", "run", "project", "stage", stage], project)
    return project


def settings(project: Path, **changes: object) -> None:
    path = project / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["train"] |= changes
    path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def validated(project: Path, source: Path) -> Measurement:
    """The rows of `source` instead of those the model has learned from; linked, not copied."""
    for old in (project / "data/raw").glob("0001-*"):
        old.unlink()
    os.link(source, project / "data/raw/0001-table.csv")
    flow = " && ".join(f"uv run --no-sync project stage {stage}" for stage in STAGES)
    return run(f"validate {source.name}", ["sh", "-c", flow], project)


def scored(project: Path, source: Path, name: str = "") -> Measurement:
    command = ["uv", "run", "--no-sync", "project", "predict", str(source), "scored.parquet"]
    return run(name or f"predict {source.name}", command, project)


def main(*millions: int) -> None:
    first = rendered({"sample": "empty"})
    tables = [table(first, size) for size in millions or (1, 5, 30)]
    project = learned({}, tables[0])
    results = []
    for scale in ("single", "dask"):
        there = project if scale == "single" else learned({"scale": scale}, tables[0])
        for workers in (1, 2):
            settings(there, processes=workers)
            results.append(scored(there, tables[0], f"{scale}, {workers} worker(s)"))
    show(f"{tables[0].stem} rows scored", results)
    settings(project, processes=0)
    show("Rows scored", [scored(project, each) for each in tables])
    show("Rows ingested and validated", [validated(project, each) for each in tables])


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
