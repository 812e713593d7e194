"""The template's own repository keeps the rules it hands out."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from support import ROOT, Render, git, run

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_python_is_linted_and_formatted() -> None:
    run("ruff", "check", "--no-cache", ".", cwd=ROOT)
    run("ruff", "format", "--no-cache", "--check", ".", cwd=ROOT)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_are_safe(workflow: Path) -> None:
    run("actionlint", workflow, cwd=ROOT)
    run("zizmor", "--offline", "--pedantic", "--quiet", workflow, cwd=ROOT)


def test_ci_runs_the_command_of_the_readme() -> None:
    command = "uv run pytest"
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == command
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    assert command in [step.get("run") for step in jobs["test"]["steps"]]


def test_hooks_of_the_rendered_project_need_no_network(render: Render) -> None:
    for root in (ROOT, render()):
        config = root / ".pre-commit-config.yaml"
        run("pre-commit", "validate-config", config, cwd=ROOT)
        repositories = yaml.safe_load(config.read_text(encoding="utf-8"))["repos"]
        assert {repository["repo"] for repository in repositories} == {"local"}


def test_linters_of_template_and_project_agree(render: Render) -> None:
    own = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    theirs = tomllib.loads((render() / "pyproject.toml").read_text(encoding="utf-8"))
    assert own["tool"]["ruff"]["lint"] == theirs["tool"]["ruff"]["lint"]
    ruff = [need for need in own["dependency-groups"]["dev"] if need.startswith("ruff")]
    assert ruff[0] in theirs["dependency-groups"]["dev"]


def test_no_path_is_a_problem_on_windows() -> None:
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in listed.split("\0"):
        assert not re.search(r'["<>|?*:\\]', name), name


def test_no_test_hangs_for_ever(request: pytest.FixtureRequest) -> None:
    """It fails after minutes, with its name and stack; a deep one has hours."""
    assert 0 < float(request.config.getini("timeout")) <= 30 * 60
    request.node.add_marker("deep")
    request.node.ihook.pytest_itemcollected(item=request.node)
    assert request.node.get_closest_marker("timeout").args == (4 * 60 * 60,)
