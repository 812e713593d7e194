"""The first push of a project to a repository that holds nothing: no secret, no variable, a default
branch of any name. CI is green or says what it skips; nothing is delivered, and a notice says why.
"""

import shutil
from pathlib import Path

import pytest

from actions import act
from support import Render, commit, git, run

pytestmark = pytest.mark.slow

TABLE = "id,size,colour,sold\n" + "".join(
    f"{row},{row % 17},{'red' if row % 3 else 'blue'},{'yes' if row % 17 > 8 else 'no'}\n"
    for row in range(400)
)


def on_trunk(made: Path, folder: Path) -> Path:
    project = folder / "flights"
    shutil.copytree(made, project, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    git(project, "branch", "--move", "trunk")
    return project


@pytest.fixture
def sample(set_up: Render, tmp_path: Path) -> Path:
    return on_trunk(set_up({}), tmp_path)


@pytest.fixture
def empty(set_up: Render, tmp_path: Path) -> Path:
    return on_trunk(set_up({"sample": "empty"}), tmp_path)


def test_the_sample_is_checked_with_nothing_set_up(sample: Path) -> None:
    ran = act(sample, "push", job="model", trunk="trunk")
    assert ran.conclusions["data"] == ran.conclusions["model"] == "success", ran.log


def test_a_project_without_a_table_is_green_and_says_what_it_did_not_check(empty: Path) -> None:
    ran = act(empty, "push", trunk="trunk")
    standards = ran.conclusions.pop("standards")  # this machine has the template's folder
    assert standards in {"success", "skipped"}, ran.log
    expected = dict.fromkeys(("lint", "test", "data", "security"), "success")
    assert ran.conclusions == {**ran.conclusions, **expected, "model": "skipped"}, ran.log
    assert "There is no table yet ('uv run mlops data add' brings one)" in ran["data"].log


def test_a_table_that_no_other_machine_can_reach_is_said_to_be_so(empty: Path) -> None:
    (empty / "sold.csv").write_text(TABLE)
    run("uv", "run", "mlops", "data", "add", "sold.csv", "--target", "sold", cwd=empty)
    (empty / "sold.csv").unlink()
    commit(empty, "A table of ours")
    ran = act(empty, "push", job="model", trunk="trunk")
    assert [ran[job].conclusion for job in ("data", "model")] == ["success", "skipped"], ran.log
    assert "The DVC remote is a folder of one machine: 'uv run dvc remote modify" in ran["data"].log


def test_nothing_is_delivered_until_somebody_says_so(sample: Path) -> None:
    ran = act(sample, "push", "cd.yml", trunk="trunk")
    assert ran.conclusions == {
        "notice": "success",
        **dict.fromkeys(("model", "image", "staging", "production"), "skipped"),
    }
    assert "title=Continuous delivery is not set up" in ran["notice"].log
    assert "uv run mlops deploy setup" in ran["notice"].log


@pytest.mark.parametrize("workflow", ["cd.yml", "monitor.yml"])
def test_what_was_declined_is_not_mentioned(sample: Path, workflow: str) -> None:
    """`act` tells of no job at all."""
    event = "push" if workflow == "cd.yml" else "schedule"
    with pytest.raises(AssertionError, match="No job was run"):
        act(sample, event, workflow, trunk="trunk", variables={"CD": "off", "MONITORING": "off"})


def test_a_push_to_another_branch_starts_nothing(sample: Path) -> None:
    """Its pull request does."""
    with pytest.raises(AssertionError, match="No job was run"):
        act(sample, "push", trunk="trunk", payload={"repository": {"default_branch": "main"}})
