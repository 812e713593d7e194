"""Rendered projects are set up and run: from nothing to a registered champion."""

import json

import pytest

from support import Answers, Render, git, run

pytestmark = pytest.mark.slow

PROJECTS: list[Answers] = [
    {},
    {"project_name": "It's late", "package": "late_trains", "licence": "MIT", "dvc_remote": "s3"},
    {
        "organisation": "Acme-Air",
        "dvc_remote": "ssh",
        "python_min": "3.11",
        "licence": "Apache-2.0",
    },
    {"sample": "empty", "package": "own_table", "dvc_remote": "azure"},
]


def name_of(answers: Answers) -> str:
    return "-".join(str(value) for value in answers.values()) or "defaults"


@pytest.mark.parametrize("answers", [a for a in PROJECTS if "sample" not in a], ids=name_of)
def test_the_pipeline_runs_to_a_champion(set_up: Render, answers: Answers) -> None:
    project = set_up(answers)
    run("uv", "run", "dvc", "repro", cwd=project)
    gate = json.loads((project / "reports" / "gate.json").read_text(encoding="utf-8"))
    assert gate["passed"], gate


@pytest.mark.parametrize("answers", PROJECTS, ids=name_of)
def test_the_project_keeps_its_own_rules(set_up: Render, answers: Answers) -> None:
    """Its types and hooks pass, and the hooks leave every file as they found it."""
    project = set_up(answers)
    changes = git(project, "diff")
    run("uv", "run", "pre-commit", "run", "--all-files", cwd=project)
    assert git(project, "diff") == changes


@pytest.mark.parametrize("answers", PROJECTS, ids=name_of)
def test_the_team_s_own_tests_pass(set_up: Render, answers: Answers) -> None:
    """With and without a table; that they are few and quick is in test_size.py."""
    run("uv", "run", "pytest", "-q", cwd=set_up(answers))


def test_set_up_commits_a_lock_that_agrees(set_up: Render) -> None:
    project = set_up({})
    first = git(project, "rev-list", "--max-parents=0", "HEAD").strip()
    assert "uv.lock" in git(project, "ls-tree", "--name-only", first).splitlines()
    run("uv", "lock", "--check", cwd=project)
