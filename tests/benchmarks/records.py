"""One record in a hundred of a large table upserted, beside reading and writing it bare."""

import sys

from .measuring import run, show
from .projects import python, rendered

GENERATE = """
import sys
import numpy as np, polars as pl
rows, few = int(sys.argv[1]), int(sys.argv[1]) // 100
chance = np.random.default_rng(0)
start = np.datetime64("2013-01-01T00:00:00", "ms")
frame = pl.DataFrame({
    "id": np.arange(rows),
    "moment": start + np.arange(rows) * np.timedelta64(6000, "ms"),
    **{f"x{i}": np.round(chance.normal(100, 30, rows), 3) for i in range(10)},
    **{f"k{i}": chance.integers(0, 1000, rows) for i in range(4)},
    **{f"c{i}": chance.choice(np.array(["ash", "birch", "elm"]), rows) for i in range(3)},
    "y": chance.integers(0, 2, rows),
})
frame.write_parquet("orders.parquet")
some = frame.sample(few, seed=1).with_columns(pl.col("x1") + 1)
new = some.head(few // 10).with_columns(pl.col("id") + rows)
pl.concat([some.tail(few - few // 10), new]).write_parquet("changes.parquet")
"""
BARE = "import polars as pl; pl.scan_parquet('orders.parquet').sink_parquet('bare.parquet')"


def main(rows: int = 5_000_000) -> None:
    project = rendered({"sample": "empty"})
    command = ["uv", "run", "--no-sync", "project", "data"]
    run("generate", [*python(), "-c", GENERATE, str(rows)], project)
    roles = ["--target", "y", "--key", "id", "--time", "moment"]
    results = [
        run("read and write it bare", [*python(), "-c", BARE], project),
        run("data add", [*command, "add", "orders.parquet", *roles], project),
        run("stage ingest", ["uv", "run", "--no-sync", "project", "stage", "ingest"], project),
        run("data show --head 5", [*command, "show", "--head", "5"], project),
        run("data update, 1 % changed", [*command, "update", "changes.parquet"], project),
        run("the same again", [*command, "update", "changes.parquet"], project),
        run("data delete --where", [*command, "delete", "--where", "id < 1000"], project),
        run("data history --check", [*command, "history", "--check"], project),
        run("data compact", [*command, "compact"], project),
    ]
    show(f"{rows:,} records of 20 columns", results)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
