"""What was answered and what came true, made up: as joined with the truth, and as a journal."""

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import polars as pl
from mlops.core.params import Params
from mlops.core.problem import Problem
from mlops.data.contract import Column, Contract
from mlops.monitoring.performance import Project
from mlops.serving.journal import Prediction, Truth, _encode_cells
from mlops.serving.journal_database import INSERTS_OF_SQLITE, TABLES

URL = "sqlite:///journal/journal.db"
START = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
END = START + dt.timedelta(days=365)
CLASSES = {"binary": ("no", "yes"), "multiclass": ("low", "mid", "high"), "regression": ()}
EVALUATION = {
    "primary_metric": {"name": "roc_auc", "value": 0.8, "low": 0.78, "high": 0.82},
    "metrics": {"accuracy": 0.7},
    "value": {"model": 900.0, "do_nothing": 0.0, "do_nothing_means": "never acting"},
    "slices": [{"column": "town", "value": "a", "metric": 0.81}],
}


def contract(task="binary"):
    kind = "number" if task == "regression" else "string"
    columns = (
        Column(name="order", type="integer", role="key", required=True),
        Column(name="town", type="string", slice=True),
        Column(name="size", type="number", minimum=-9),
        Column(name="later", type="string", slice=True, known_at_decision=False),
        Column(name="y", type=kind, role="target", required=True),
    )
    return Contract(id="t", name="t", task=task, classes=CLASSES[task], columns=columns)


def project(task="binary", **params):
    value = {"unit": "EUR", "true_positive": 6.0, "false_positive": -2.0}
    evaluation = EVALUATION
    if task != "binary":
        name = {"multiclass": "roc_auc_ovr", "regression": "r2"}[task]
        evaluation = EVALUATION | {"primary_metric": EVALUATION["primary_metric"] | {"name": name}}
    settings = {"train": {"candidates": ["linear"]}, "evaluate": {"resamples": 50}} | params
    return Project(contract(task), Problem(name="t", value=value), Params(**settings), evaluation)


def rows(task="binary", many=600, days=10, known=0.8, seed=0):
    """As `join_ground_truth` gives them; the truth of the youngest has not come."""
    random = np.random.default_rng(seed)
    size = random.normal(size=many)
    chance = 1 / (1 + np.exp(-2 * size))
    place = np.digitize(size + random.normal(size=many), [-0.5, 0.5])
    came = {
        "binary": np.where(random.random(many) < chance, "yes", "no"),
        "multiclass": np.array(CLASSES["multiclass"])[place],
        "regression": size + random.normal(scale=0.5, size=many),
    }[task]
    likeliest = np.array(CLASSES["multiclass"])[np.digitize(size, [-0.5, 0.5])]
    answer = {
        "binary": (np.where(chance >= 0.5, "yes", "no"), chance, chance >= 0.25),
        "multiclass": (likeliest, np.full(many, 0.6), likeliest),
        "regression": (size, size, size),
    }[task]
    step, known_rows = dt.timedelta(days=days) / many, int(many * known)
    at = pl.Series([START + n * step for n in range(many)], dtype=pl.Datetime("ms", "UTC"))
    hours = random.exponential(size=many)
    return pl.DataFrame(
        {
            "id": [f"{n:x}" for n in range(many)],
            "at": at,
            "version": 3,
            **dict(zip(("prediction", "score", "decision"), answer, strict=True)),
            "inputs": pl.DataFrame(
                {"town": random.choice(["a", "b", "c"], many), "size": size}
            ).to_struct(),
            "truth": pl.Series(came),
            "delay": 3600 * hours,
            "contradicted": False,
        }
    ).with_columns(
        pl.when(pl.int_range(many) < known_rows).then(pl.col("truth", "delay")),
    )


def moment(seconds):
    return (START + dt.timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def prediction(id_, at=0.0, **facts):
    """At so many seconds from START."""
    fields = {"role": "champion", "key": None, "version": 3, "model": "abc", "prediction": "no"}
    fields |= {"score": 0.25, "decision": False, "inputs": {}} | facts
    return Prediction(id=id_, at=moment(at), **fields)


def truth(what, at=1.0, id_=None, key=None):
    return Truth(moment(at), id_, key, what)


def write(rows, folder="."):
    """In the order of the rows."""
    file = Path(folder, "journal/journal.db")
    file.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        for statement in TABLES:
            connection.execute(statement)
        for row in rows:
            kind = "prediction" if isinstance(row, Prediction) else "truth"
            connection.execute(getattr(INSERTS_OF_SQLITE, kind), _encode_cells(row))
        connection.commit()
