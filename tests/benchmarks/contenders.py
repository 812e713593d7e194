"""What the service is measured beside, each in its own words, and what each is sent."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PAYLOADS = """
import json, sys
from {package}.files import MODEL
from {package}.serving.feed import feed
from {package}.serving.models import Found, Model
model = Model("", Found.of(MODEL.read_bytes()), "score", 100)
records = [case["record"] for case in model.meta["cases"]]
complete = [each for each in records if None not in each.values()]
for many, name in ((1, "one"), (100, "many")):
    some = (complete * many)[:many]
    body = json.dumps(some if many > 1 else some[0])
    read = feed(model.requests.read(body.encode()).records, model.meta["inputs"])
    columns = {{key: array[:, 0].tolist() for key, array in read.items()}}
    arrays = {{key: array.tolist() for key, array in read.items()}}
    for kind, content in (
        ("ours", json.loads(body)),
        ("mlflow", {{"inputs": arrays}}),  # a data frame of texts and numbers fails
        ("bentoml", {{"columns": columns}}),
    ):
        with open(f"{{sys.argv[1]}}/{{kind}}-{{name}}.json", "w") as stream:
            json.dump(content, stream)
"""
BENTO = """
from typing import Any
import bentoml
import numpy as np
import onnxruntime

@bentoml.service(workers=1)
class Bento:
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
OURS, MLFLOW, BENTOML, NOOP = "this service", "mlflow models serve", "BentoML", "no-op FastAPI"


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
    [source] = (path for path in (project / "src").iterdir() if path.is_dir())
    package, programs = source.name, project / ".venv/bin"
    python = str(programs / "python")
    script = PAYLOADS.format(package=package)
    subprocess.run([python, "-c", script, str(folder)], cwd=project, check=True)
    model = project / "models/model.onnx"
    (folder / "bento.py").write_text(BENTO.format(model=model), encoding="utf-8")
    (folder / "nothing.py").write_text(NOTHING, encoding="utf-8")
    bento = folder / "venv/bin"
    subprocess.run(["uv", "venv", "-q", "-p", python, str(folder / "venv")], check=True)
    install = ["uv", "pip", "install", "-q", "-p", str(bento / "python"), "--compile-bytecode"]
    subprocess.run([*install, "bentoml", "onnxruntime"], check=True)
    lean = folder / "serving"  # what the service's image holds
    sync = ["uv", "sync", "-q", "--frozen", "--only-group", "serving", "--compile-bytecode"]
    there = os.environ | {"UV_PROJECT_ENVIRONMENT": str(lean)}
    subprocess.run(sync, cwd=project, env=there, check=True)
    ours = [str(lean / "bin/python"), "-m", f"{package}.serving.server"]
    name = f"models:/{package}@champion"
    mlflow = [python, "-m", "mlflow", "models", "serve", "--model-uri", name, "--workers", "1"]
    mlflow += ["--env-manager", "local", "--host", "127.0.0.1", "--port", "{port}"]
    serve = [str(bento / "bentoml"), "serve", "bento:Bento", "--host", "127.0.0.1"]
    nothing = [str(lean / "bin/python"), "nothing.py", "{port}"]
    settings = {"PYTHONPATH": str(project / "src"), "HOST": "127.0.0.1"}
    settings["JOURNAL_URL"] = f"sqlite:///{folder}/journal.db"
    tracking = {"MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db"}
    tracking["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    quiet = {"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(folder / "bentoml")}
    return [
        Contender(OURS, ours, "/predict", "ours", project, settings),
        Contender(MLFLOW, mlflow, "/invocations", "mlflow", project, tracking),
        Contender(BENTOML, [*serve, "--port", "{port}"], "/predict", "bentoml", folder, quiet),
        Contender(NOOP, nothing, "/predict", "ours", folder),
    ]
