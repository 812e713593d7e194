"""The registry on a real MLflow server, as the answer `mlflow` has it."""

import json
import re
import shutil
from pathlib import Path

import pytest

from servers import mlflow_server
from support import Render, run

pytestmark = pytest.mark.slow


def test_runs_and_models_are_kept_on_a_server(set_up: Render, tmp_path: Path) -> None:
    project, stored = set_up({}), tmp_path / "stored"
    run("uv", "run", "dvc", "repro", cwd=project)
    stored.mkdir()
    for name in ("models", "reports", "data"):
        shutil.copytree(project / name, tmp_path / name)
    for name in ("contract.yaml", "problem.yaml", "params.yaml", "pyproject.toml"):
        shutil.copy(project / name, tmp_path)
    programs = project / ".venv/bin"

    def flights(*words: str) -> str:
        return run(programs / "flights", *words, cwd=tmp_path).stdout

    with mlflow_server(programs / "mlflow", stored) as address:
        params = (tmp_path / "params.yaml").read_text(encoding="utf-8")
        there = re.sub(r'uri: "sqlite.*"', f'uri: "{address}"', params)
        assert there != params
        (tmp_path / "params.yaml").write_text(there, encoding="utf-8")
        assert flights("stage", "register") == "register: version 1, champion: the first\n"
        assert "champion" in flights("model", "list")
        (tmp_path / "models/champion.onnx").unlink(missing_ok=True)
        flights("stage", "evaluate")
    champion = json.loads((tmp_path / "reports/evaluation.json").read_text())["champion"]
    assert champion["version"] == 1
    assert not (tmp_path / "mlflow.db").exists()
