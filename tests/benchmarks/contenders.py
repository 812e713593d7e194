"""What the service is measured beside, each in its own words, and what each is sent.

MLflow and BentoML take part twice: as they serve a model of scikit-learn, sent records, which is
how they are commonly used; and with the champion's ONNX file, sent bare arrays, the fastest that
they can (records with texts fail in MLflow for an ONNX model).
"""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .projects import pipeline

PAYLOADS = """
import json, sys
from mlops.core.paths import MODEL
from mlops.serving.feed import feed
from mlops.serving.models import Model, ModelContent
model = Model("", ModelContent.of(MODEL.read_bytes()), "score", 100)
records = [case["record"] for case in model.meta["cases"]]
complete = [each for each in records if None not in each.values()]
for many, name in ((1, "one"), (100, "many")):
    some = (complete * many)[:many]
    body = json.dumps(some if many > 1 else some[0])
    read = feed(model.requests.read(body.encode()).records, model.meta["inputs"])
    columns = {key: array[:, 0].tolist() for key, array in read.items()}
    arrays = {key: array.tolist() for key, array in read.items()}
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
    for kind, content in (
        ("ours", json.loads(body)),
        ("mlflow-records", {"dataframe_records": rows}),
        ("mlflow-arrays", {"inputs": arrays}),
        ("bentoml-records", {"records": rows}),
        ("bentoml-arrays", {"columns": columns}),
    ):
        with open(f"{sys.argv[1]}/{kind}-{name}.json", "w") as stream:
            json.dump(content, stream)
"""
SAVE = """
import sys
import joblib
import mlflow.sklearn

pipeline, _ = joblib.load(f"{sys.argv[1]}/pipeline")
mlflow.sklearn.save_model(
    pipeline,
    f"{sys.argv[1]}/mlflow",
    pip_requirements=[],
    serialization_format="cloudpickle",
    pyfunc_predict_fn="predict_proba",
)
"""
BENTO = """
from typing import Any
import bentoml
import joblib
import numpy as np
import onnxruntime
import pandas as pd

@bentoml.service(workers=1)
class Records:
    def __init__(self) -> None:
        self.pipeline, _ = joblib.load("pipeline")

    @bentoml.api
    def predict(self, records: list[dict[str, Any]]) -> list[list[float]]:
        return self.pipeline.predict_proba(pd.DataFrame(records)).tolist()

@bentoml.service(workers=1)
class Arrays:
    def __init__(self) -> None:
        self.session = onnxruntime.InferenceSession("{model}")
        self.kinds = {{
            each.name: object if each.type == "tensor(string)" else np.float32
            for each in self.session.get_inputs()
        }}

    @bentoml.api
    def predict(self, columns: dict[str, list[Any]]) -> list[list[float]]:
        feed = {{
            name: np.array(columns[name], dtype=kind).reshape(-1, 1)
            for name, kind in self.kinds.items()
        }}
        return self.session.run(None, feed)[0].tolist()
"""
NOTHING = """
import sys
import uvicorn
from fastapi import FastAPI

app = FastAPI()

@app.post("/predict")
async def predict() -> dict[str, bool]:
    return {"done": True}

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False)
"""
UNMEASURED = """
from prometheus_client import Counter, Histogram
from mlops.serving.server import serve
from mlops.serving.tally import Tally

Counter.inc = Histogram.observe = Tally.count = lambda *_: None
serve()
"""
OURS, NOOP = "this service", "no-op FastAPI"
BLIND = "without metrics"
MLFLOW, BENTOML = "MLflow", "BentoML"  # with records
MLFLOW_ARRAYS, BENTOML_ARRAYS = "MLflow, arrays", "BentoML, arrays"


@dataclass
class Contender:
    name: str
    command: list[str]  # {port} stands for the port
    path: str
    payload: str
    cwd: Path
    environment: dict[str, str] = field(default_factory=dict)
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, figure: float) -> None:
        self.figures.setdefault(name, []).append(figure)

    def best(self, name: str) -> float:
        return (max if name.endswith("/s") else min)(self.figures[name])


def prepared(project: Path, folder: Path) -> list[Contender]:
    """Who takes part, and what is sent to them."""
    programs = project / ".venv/bin"
    python = str(programs / "python")
    pipeline(project, folder / "pipeline")
    for script in (PAYLOADS, SAVE):
        subprocess.run([python, "-c", script, str(folder)], cwd=project, check=True)
    model = project / "models/model.onnx"
    (folder / "bento.py").write_text(BENTO.format(model=model), encoding="utf-8")
    (folder / "nothing.py").write_text(NOTHING, encoding="utf-8")
    (folder / "unmeasured.py").write_text(UNMEASURED, encoding="utf-8")
    lean = environment(project, folder / "lean", "--only-group", "serving")  # as in the image
    bentos = environment(project, folder / "bentos")
    install = ["uv", "pip", "install", "-q", "-p", str(bentos / "python"), "--compile-bytecode"]
    subprocess.run([*install, "bentoml"], check=True)

    mlflow = [python, "-m", "mlflow", "models", "serve", "--workers", "1", "--env-manager", "local"]
    mlflow += ["--host", "127.0.0.1", "--port", "{port}", "--model-uri"]
    tracking = {"MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db"}
    tracking["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    bentoml = [str(bentos / "bentoml"), "serve", "--host", "127.0.0.1", "--port", "{port}"]
    quiet = {"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(folder / "bentoml")}

    def asked(name: str, *command: str, **settings: str) -> Contender:
        framework, _, sent = name.lower().partition(", ")
        path = "/invocations" if framework == "mlflow" else "/predict"
        payload = f"{framework}-{sent or 'records'}"
        return Contender(name, [*command], path, payload, folder, settings)

    settings = {"PYTHONPATH": str(project / "src"), "HOST": "127.0.0.1"}
    settings["JOURNAL_URL"] = f"sqlite:///{folder}/journal.db"
    ours = [str(lean / "python"), "-m", "mlops.serving.server"]
    unmeasured = [str(lean / "python"), str(folder / "unmeasured.py")]
    return [
        Contender(OURS, ours, "/predict", "ours", project, settings),
        Contender(BLIND, unmeasured, "/predict", "ours", project, settings),
        asked(MLFLOW, *mlflow, str(folder / "mlflow"), **tracking),
        asked(MLFLOW_ARRAYS, *mlflow, "models:/project@champion", **tracking),
        asked(BENTOML, *bentoml, "bento:Records", **quiet),
        asked(BENTOML_ARRAYS, *bentoml, "bento:Arrays", **quiet),
        Contender(NOOP, [str(lean / "python"), "nothing.py", "{port}"], "/predict", "ours", folder),
    ]


def environment(project: Path, folder: Path, *groups: str) -> Path:
    """The programs of a new environment of the project's, with bytecode compiled."""
    sync = ["uv", "sync", "-q", "--frozen", "--compile-bytecode", *groups]
    there = os.environ | {"UV_PROJECT_ENVIRONMENT": str(folder)}
    subprocess.run(sync, cwd=project, env=there, check=True)
    return folder / "bin"
