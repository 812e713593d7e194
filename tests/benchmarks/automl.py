"""The pipeline's model beside FLAML's: same rows, same seconds, same untouched test rows."""

import json
import sys

import yaml
from tests.tables import TABLES, Table

from .measuring import run
from .projects import python, rendered

FLAML = """
import json, sys
import polars as pl
from flaml import AutoML
from mlops.data.contract import Contract
from sklearn.metrics import r2_score, roc_auc_score
target, task, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3])
inputs = [column.name for column in Contract.load().inputs]
read = lambda name: pl.read_parquet(f"data/split/{name}.parquet")
seen = pl.concat([read("train"), read("valid")]).to_pandas()
test = read("test").to_pandas()
for column in inputs:
    if seen[column].dtype.kind not in "iufb":
        kinds = seen[column].astype("category").cat.categories
        for frame in (seen, test):
            frame[column] = frame[column].astype("category").cat.set_categories(kinds)
metric = {"binary": "roc_auc", "multiclass": "roc_auc_ovr", "regression": "r2"}[task]
kind = "regression" if task == "regression" else "classification"
automl = AutoML()
automl.fit(
    seen[inputs], seen[target], task=kind, metric=metric, time_budget=seconds, seed=1, verbose=0
)
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


def compare(table: Table, seconds: int) -> tuple[float, float]:
    """Test scores of the pipeline's model and of FLAML's."""
    project = rendered({"sample": "empty"})
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["train"] |= {"trials": 100_000, "seconds": seconds}
    params["data"]["max_reject_rate"] = 1.0
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    command = ["uv", "run", "project"]
    source = str(table.write(project))
    run("add", [*command, "data", "add", source, "--target", table.target, *table.options], project)
    for stage in ("ingest", "validate", "split", "train", "package", "evaluate"):
        run(stage, [*command, "stage", stage], project)
    ours = json.loads((project / "reports/evaluation.json").read_text())
    arguments = [table.target, ours["task"], str(seconds)]
    theirs = run("flaml", [*python("flaml[automl]", "pandas"), "-c", FLAML, *arguments], project)
    return ours["primary_metric"]["value"], json.loads(theirs.output.splitlines()[-1])["score"]


def main(seconds: int = 30) -> None:
    print(f"\n{seconds} seconds each\n{'':24}{'ours':>9}{'FLAML':>9}{'ratio':>8}")
    for table in TABLES:
        ours, theirs = compare(table, seconds)
        print(f"{table.name:24}{ours:9.4f}{theirs:9.4f}{ours / theirs:8.3f}", flush=True)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
