"""`predict` on three million rows, beside pandas and scikit-learn with the same pipeline.

Theirs reads the whole table, and holds no row to the contract; ours does. Both write Parquet.
"""

import sys
import tempfile
from pathlib import Path

from .measuring import run, show
from .projects import finished, pipeline

THEIRS = """
import sys
import joblib
import pandas as pd

pipeline, inputs = joblib.load(sys.argv[1])
times = [each["column"] for each in inputs if each["part"]]
table = pd.read_csv(sys.argv[2], parse_dates=sorted(set(times)))
parts = {"weekday": lambda times: times.dt.weekday + 1, "hour": lambda times: times.dt.hour}
columns = {}
for each in inputs:
    column = table[each["column"]]
    if each["kind"] == "text":
        columns[each["name"]] = column.fillna("").astype(object)
    else:
        column = parts[each["part"]](column) if each["part"] else column
        columns[each["name"]] = column.astype("float32")
score = pipeline.predict_proba(pd.DataFrame(columns))[:, 1]
table[["flight_id"]].assign(score=score).to_parquet("theirs.parquet")
"""
SAME = """
import polars as pl
ours, theirs = (pl.read_parquet(f"{name}.parquet")["score"] for name in ("ours", "theirs"))
apart = (ours - theirs).abs()
print(f"{ours.null_count():,} rows break the contract; the others differ by {apart.max():.2g}")
"""


def main(project: str = "", millions: str = "3") -> None:
    """`project`: one whose pipeline has run, of the sample; without it, a new one."""
    place = Path(project).resolve() if project else finished()
    python = str(place / ".venv/bin/python")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, model = folder / "many.csv", folder / "pipeline"
        sample = (place / "data/raw/0001-flights.csv").read_text(encoding="utf-8")
        head, *rows = sample.splitlines()
        with table.open("w", encoding="utf-8") as stream:
            stream.write(f"{head}\n")
            for first in range(0, int(millions) * 1_000_000, len(rows)):
                some = rows[: int(millions) * 1_000_000 - first]
                stream.write("\n".join([*some, ""]))
        pipeline(place, model)
        command = [str(place / ".venv/bin/mlops"), "predict", str(table), "ours.parquet"]
        results = []
        for _ in range(2):
            theirs = [python, "-c", THEIRS, str(model), str(table)]
            results.append(run("pandas and scikit-learn", theirs, place))
            results.append(run("predict", command, place))
        show(f"{millions} million rows", results)
        print(run("same", [python, "-c", SAME], place).output)


if __name__ == "__main__":
    main(*sys.argv[1:])
