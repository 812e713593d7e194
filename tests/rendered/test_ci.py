"""Pull requests, by the CI of a project: a good one passes, and each bad one fails where it should.

All jobs are run for the good one; for the others only the one in question, and those it needs.
"""

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from actions import Run, act
from engine import have_image
from support import Render, commit, git, run
from test_gates import deliver_broken_rows, know_too_much, replace

pytestmark = [pytest.mark.slow, pytest.mark.engine]

Edit = Callable[[Path], None]
AWAY = "http://127.0.0.1:9/store"


@pytest.fixture(scope="module")
def project(set_up: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with a first model on main, and no registry: nobody here has a champion yet."""
    done = set_up({})
    run("uv", "run", "dvc", "repro", cwd=done)
    project = tmp_path_factory.mktemp("ci") / "flights"
    left = shutil.ignore_patterns(".venv", "mlflow.db", "mlruns", "__pycache__")
    shutil.copytree(done, project, ignore=left)
    run("uv", "run", "dvc", "repro", cwd=project)
    return commit(project, "The first model")


def propose(project: Path, name: str, edit: Edit, *, rerun: bool = False) -> str:
    """A branch with an edit, and what the pipeline makes of it."""
    git(project, "switch", "--quiet", "--create", name, "main")
    edit(project)
    if rerun:
        (project / "mlflow.db").unlink(missing_ok=True)
        run("uv", "run", "dvc", "repro", cwd=project)
    commit(project, name)
    git(project, "switch", "--quiet", "main")
    git(project, "clean", "--quiet", "--force", "-dx", "data/raw")
    return name


def check(project: Path, ref: str, folder: Path, job: str | None = None) -> Run:
    """The pull request, where runs before it left their cache."""
    store = folder / "store"
    (store / "caches").mkdir(parents=True)
    with tarfile.open(store / "caches/dvc-before.tar", "w") as archive:
        archive.add(project / ".dvc/cache", ".dvc/cache")
    return act(project, "pull_request", job=job, ref=ref, store=store)


def outcome(ran: Run, *jobs: str) -> list[str]:
    return [ran[job].conclusion for job in jobs]


@pytest.fixture(scope="module")
def base(docker: None) -> None:
    """What the image is built from."""
    have_image("python:3.11-slim")


@pytest.mark.usefixtures("base")
def test_a_good_change_passes(project: Path, tmp_path: Path) -> None:
    edit = replace("params.yaml", "min_slice_rows: 100", "min_slice_rows: 120")
    ran = check(project, propose(project, "good", edit, rerun=True), tmp_path)
    assert set(ran.conclusions.values()) == {"success"}, ran.log
    assert ran.summary.index("decisions are worth") < ran.summary.index("under the ROC curve")
    print({name: job.seconds for name, job in ran.items()})
    assert not git(project, "status", "--short")


def misspell_a_type(project: Path) -> None:
    with (project / "src/flights/candidates.py").open("a") as source:
        source.write("\nMANY: int = 'many'\n")


def test_a_lint_error_fails_in_lint(project: Path, tmp_path: Path) -> None:
    ran = check(project, propose(project, "lint", misspell_a_type), tmp_path, "lint")
    assert ran["lint"].conclusion == "failure"
    assert "src/flights/candidates.py" in ran["lint"].log
    assert "Incompatible types in assignment" in ran["lint"].log


@pytest.fixture(scope="module")
def schema_break(project: Path) -> str:
    """A branch with rows that no airline flew; a store that is away has them, git does not."""

    def edit(project: Path) -> None:
        deliver_broken_rows(project)
        run("uv", "run", "dvc", "remote", "modify", "storage", "url", AWAY, cwd=project)

    return propose(project, "schema", edit)


def test_a_schema_break_fails_in_data(project: Path, schema_break: str, tmp_path: Path) -> None:
    ran = check(project, schema_break, tmp_path, "model")
    assert outcome(ran, "data", "model") == ["failure", "skipped"], ran.log
    assert "reject_rate: BLOCKED" in ran["data"].log
    assert "0002-broken.csv row 1: carrier breaks the rule category: '??'" in ran["data"].log


def test_a_fork_cannot_read_the_store_and_is_told_so(project: Path, schema_break: str) -> None:
    """No run has left a cache."""
    theirs = {"pull_request": {"head": {"repo": {"fork": True}}}}
    ran = act(project, "pull_request", job="model", ref=schema_break, payload=theirs)
    assert outcome(ran, "data", "model") == ["success", "skipped"], ran.log
    assert "A fork may not read the data store" in ran["data"].log
    ran = act(project, "push", job="model", ref=schema_break)
    assert outcome(ran, "data", "model") == ["failure", "skipped"], ran.log
    assert "0002-broken.csv is neither in git nor to be had from the DVC remote" in ran["data"].log


def test_a_leak_fails_in_model(project: Path, tmp_path: Path) -> None:
    ran = check(project, propose(project, "leak", know_too_much), tmp_path, "model")
    assert outcome(ran, "data", "model") == ["success", "failure"], ran.log
    assert "leak: BLOCKED" in ran["model"].log
    assert "dep_delay" in ran["model"].log


def learn_less(project: Path) -> None:
    """A model of numbers alone: good enough for every gate, where there is no champion yet."""
    replace("params.yaml", r"candidates: .*", "candidates: [baseline, linear]")(project)
    features = "src/flights/features.py"
    replace(features, r"^ *\(\"few\", one_hot.*\n *\(\"many\", make_pipe.*\n", "")(project)


def test_a_worse_model_fails_in_model(project: Path, tmp_path: Path) -> None:
    ran = check(project, propose(project, "worse", learn_less, rerun=True), tmp_path, "model")
    assert outcome(ran, "data", "model") == ["success", "failure"], ran.log
    assert ran["model"].steps["Run the pipeline and its gates"] == "success"
    assert "metric: BLOCKED" in ran["model"].log
    assert "of area under the ROC curve against origin/main" in ran["model"].log
    assert "metric" in ran["model"].summary


def test_a_lock_file_that_is_behind_fails_in_model(project: Path, tmp_path: Path) -> None:
    edit = replace("params.yaml", "min_slice_rows: 100", "min_slice_rows: 130")
    ran = check(project, propose(project, "behind", edit), tmp_path, "model")
    assert outcome(ran, "data", "model") == ["success", "failure"], ran.log
    assert "params.yaml (evaluate) has changed since stage evaluate ran" in ran["model"].log
    assert ran["model"].steps["Refuse a dvc.lock that is behind"] == "failure"


@pytest.mark.usefixtures("base")
def test_a_slower_service_fails_in_service(project: Path, tmp_path: Path) -> None:
    sleep = replace(
        "src/mlops/serving/app.py",
        r"^( *)role = PROBE if",
        r"\1await asyncio.sleep(0.3)\n\g<0>",
    )
    ran = check(project, propose(project, "slow", sleep, rerun=True), tmp_path, "service")
    assert outcome(ran, "data", "model", "service") == ["success", "success", "failure"], ran.log
    [line] = [
        number
        for number, text in enumerate((project / "problem.yaml").read_text().splitlines(), 1)
        if "latency_ms" in text
    ]
    assert f"problem.yaml:{line}" in ran["service"].log, ran["service"].log


def test_a_secret_fails_in_security_though_it_was_taken_out_again(
    project: Path, tmp_path: Path
) -> None:
    def leak(project: Path) -> None:
        (project / "notes.txt").write_text("AKIA" + "Q3EGRWQFWBM4GXZP" + "\n")
        commit(project, "Notes")
        (project / "notes.txt").unlink()

    ran = check(project, propose(project, "secret", leak), tmp_path, "security")
    assert ran["security"].conclusion == "failure"
    assert "AWS Access Key" in ran["security"].log
    assert "notes.txt:1" in ran["security"].log


NOTEBOOK = """\
{"cells": [{"cell_type": "code", "execution_count": 7, "id": "a", "metadata": {}, "source": ["1"],
 "outputs": [{"output_type": "execute_result", "data": {"text/plain": ["'a customer'"]},
 "execution_count": 7, "metadata": {}}]}],
 "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
"""
WORKFLOW = """\
name: Own
on: push
jobs:
  own:
    runs-on: ubuntu-24.04
    steps:
      - run: echo $HOME
      - uses: actions/checkout@v7
"""


def write(file: str, text: str) -> Edit:
    def edit(project: Path) -> None:
        (project / file).write_text(text)

    return edit


@pytest.mark.parametrize(
    ("hook", "edit", "says"),
    [
        (
            "settings",
            replace("params.yaml", "min_rows", "min_row"),
            "data.min_row: this key is not",
        ),
        (
            "settings",
            replace("contract.yaml", "logicalType: timestamp", "logicalType: time"),
            "'scheduled'",
        ),
        ("actionlint", write(".github/workflows/own.yml", WORKFLOW), "shellcheck reported issue"),
        ("zizmor", write(".github/workflows/own.yml", WORKFLOW), "unpinned-uses"),
        ("hadolint", replace("deploy/Dockerfile", r"^USER .*\n", "USER root\n"), "DL3002"),
        ("nbstripout", write("own.ipynb", NOTEBOOK), "files were modified by this hook"),
        ("detect-secrets", write("own.py", f"KEY = 'AKIA{'Q3EGRWQFWBM4GXZP'}'\n"), "own.py:1"),
        ("lock", replace("params.yaml", "trials: 16", "trials: 8"), "params.yaml (train) has chan"),
    ],
)
def test_each_hook_blocks(project: Path, hook: str, edit: Edit, says: str) -> None:
    stage = "pre-push" if hook == "lock" else "pre-commit"
    command = ["uv", "run", "pre-commit", "run", hook, "--all-files", "--hook-stage", stage]
    assert run(*command, cwd=project).returncode == 0
    edit(project)
    git(project, "add", "--all")
    done = run(*command, cwd=project, check=False)
    git(project, "reset", "--quiet", "--hard")
    assert done.returncode == 1
    assert says in done.stdout
