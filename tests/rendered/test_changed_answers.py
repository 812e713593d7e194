"""A project that has run changes the answer `deploy`, there and back, and works at each step."""

import json
from pathlib import Path

import pytest

from support import Render, commit, run

pytestmark = pytest.mark.slow

COMMANDS = ["--help", "data history", "model list", "project check", "project requirements"]


@pytest.fixture(scope="module")
def project(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = render({}, tmp_path_factory.mktemp("changed") / "flights")
    run("uv", "run", "mlops", "setup", cwd=project)
    run("uv", "run", "dvc", "repro", cwd=project)
    return commit(project, "A champion")


def gates(project: Path) -> set[str]:
    report = json.loads((project / "reports/gate.json").read_text(encoding="utf-8"))
    assert report["passed"]
    return {gate["name"] for gate in report["gates"]}


def test_each_change_leaves_a_project_that_works(project: Path) -> None:
    for deploy in ("none", "kubernetes", "none"):
        change(project, deploy)


def change(project: Path, deploy: str) -> None:
    served = deploy != "none"
    run("copier", "update", "--defaults", "--data", f"deploy={deploy}", cwd=project)
    for words in COMMANDS:
        run("uv", "run", "mlops", *words.split(), cwd=project)
    run("uv", "run", "dvc", "repro", cwd=project)
    assert ("latency" in gates(project)) == served
    assert (project / "src/mlops/serving/server.py").exists() == served
    assert not (project / "deploy/compose.yaml").exists()
    # The overlays are the team's, and stay.
    assert (project / "deploy/k8s/base/service.yaml").exists() == (deploy == "kubernetes")
    assert "up to date" in run("uv", "run", "dvc", "repro", cwd=project).stdout
    run("uv", "run", "mlops", "project", "lock", "--tidy", cwd=project)
    run("uv", "run", "mlops", "project", "lock", cwd=project)
    assert "up to date" in run("uv", "run", "dvc", "repro", cwd=project).stdout
    commit(project, f"deploy: {deploy}")
