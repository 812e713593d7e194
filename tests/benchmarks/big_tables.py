"""Ingest, validate and quarantine millions of rows, beside a bare conversion and pandas+pandera."""

import sys

from .measuring import run, show
from .projects import python, rendered

PLAIN = """
import polars as pl
frame = pl.scan_csv("data/raw/*.csv", ignore_errors=True, try_parse_dates=True)
frame.sink_parquet("plain.parquet")
"""

PANDERA = """
import glob, pandas as pd, pandera.pandas as pa
names = sorted(glob.glob("data/raw/*.csv"))
frame = pd.concat(pd.read_csv(name, low_memory=False) for name in names)
frame["x0"] = pd.to_numeric(frame["x0"], errors="coerce")
frame["moment"] = pd.to_datetime(frame["moment"])
numbers = {f"x{i}": pa.Column(float, pa.Check.in_range(-1000, 1000)) for i in range(10)}
counts = {f"k{i}": pa.Column(int, pa.Check.ge(0)) for i in range(4)}
texts = {f"c{i}": pa.Column(object, pa.Check.isin(["ash", "birch", "elm"])) for i in range(3)}
schema = pa.DataFrameSchema({**numbers, **counts, **texts})
bad = []
try:
    schema.validate(frame, lazy=True)
except pa.errors.SchemaErrors as error:
    bad = error.failure_cases["index"].dropna().unique()
frame.loc[frame.index.isin(bad)].to_parquet("bad.parquet")
frame.loc[~frame.index.isin(bad)].to_parquet("good.parquet")
"""

GENERATE = """
import sys
import numpy as np, polars as pl
rows, seed, target = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
chance = np.random.default_rng(seed)
start = np.datetime64("2013-01-01T00:00:00", "ms")
frame = pl.DataFrame({
    "id": np.arange(rows) + rows * seed,
    "moment": start + np.arange(rows) * np.timedelta64(6000, "ms"),
    **{f"x{i}": np.round(chance.normal(100, 30, rows), 3) for i in range(10)},
    **{f"k{i}": chance.integers(0, 1000, rows) for i in range(4)},
    **{f"c{i}": chance.choice(np.array(["ash", "birch", "elm"]), rows) for i in range(3)},
    "y": chance.integers(0, 2, rows),
})
bad = pl.Series(chance.random(rows) < 0.01)
x0 = pl.when(bad).then(pl.lit("oops")).otherwise(pl.col("x0").cast(pl.String)).alias("x0")
frame.with_columns(x0).write_csv(target)
"""


def main(rows: int = 5_000_000) -> None:
    project = rendered({"sample": "empty"})
    first = project / "first.csv"
    run("generate", [*python(), "-c", GENERATE, str(rows), "0", str(first)], project)
    add = ["data", "add", str(first), "--target", "y", "--key", "id", "--time", "moment"]
    run("add", ["uv", "run", "project", *add], project)
    flow = " && ".join(
        f"uv run --no-sync project stage {stage}" for stage in ("ingest", "validate")
    )
    ours = ["sh", "-c", flow]
    results = [
        run("bare polars conversion", [*python(), "-c", PLAIN], project),
        run("ingest + validate + quarantine", ours, project),
        run("pandas + pandera", [*python("pandas", "pandera"), "-c", PANDERA], project),
    ]
    show(f"{rows:,} rows", results)
    for seed in (1, 2):
        more = project / f"more{seed}.csv"
        run("generate", [*python(), "-c", GENERATE, str(rows), str(seed), str(more)], project)
        run("add", ["uv", "run", "project", "data", "add", str(more)], project)
    show(
        f"{rows:,} and {3 * rows:,} rows",
        [results[1], run("three times the rows", ours, project)],
    )


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
