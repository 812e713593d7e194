import shutil
import subprocess
from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.project import setup

DVC = """\
stages:
  first:
    cmd: cat a.txt > b.txt
    deps: [a.txt]
    params: [speed]
    outs: [b.txt]
  second:
    cmd: cat b.txt code/c.py > c.txt
    deps: [b.txt, code]
    outs: [c.txt]
"""


FILES = {"dvc.yaml": DVC, "params.yaml": "speed: 1\n", "a.txt": "a", "code/c.py": "c"}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """Two stages that have run, without what they made: as git holds them."""
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "code").mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    for command in ("git init --quiet", "dvc init --quiet", "dvc repro --quiet"):
        subprocess.run(command.split(), cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for made in ("b.txt", "c.txt"):
        (folder / made).unlink()
    shutil.rmtree(folder / ".dvc/cache")
    return folder


@pytest.fixture
def ran(pipeline, tmp_path, monkeypatch):
    shutil.copytree(pipeline, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("ran")
def test_a_lock_file_is_in_step_on_a_machine_without_what_was_made():
    assert setup.check_lock() == ["dvc.lock is in step with the code, the settings and the data"]


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize(
    ("file", "text", "change"),
    [
        ("a.txt", "other", "a.txt has changed since stage first ran"),
        ("code/c.py", "other", "code has changed since stage second ran"),
        ("params.yaml", "speed: 2\n", "params.yaml (speed) has changed since stage first ran"),
        (
            "dvc.yaml",
            DVC.replace("cat a.txt", "cp a.txt"),
            "the command of stage first has changed",
        ),
    ],
)
def test_a_lock_file_that_is_behind_is_told(file, text, change):
    Path(file).write_text(text)
    with pytest.raises(UserError) as error:
        setup.check_lock()
    assert str(error.value).startswith(f"dvc.lock is behind: {change}")


@pytest.mark.usefixtures("ran")
def test_a_run_that_stopped_half_way_is_told():
    Path("a.txt").write_text("other")
    subprocess.run(["dvc", "repro", "--quiet", "first"], check=True)
    with pytest.raises(UserError, match=r"b\.txt was made again, and stage second did not run"):
        setup.check_lock()


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize("file", ["dvc.yaml", "dvc.lock", "params.yaml"])
def test_a_file_with_the_markers_of_a_conflict_is_named(file):
    before = Path(file).read_text()
    sides = f"<<<<<<< before updating\n{before}=======\n{before}>>>>>>> after updating\n"
    Path(file).write_text(f"# first\n{sides}")
    with pytest.raises(UserError, match=f"^{file}:2: two sides changed the same lines: choose "):
        setup.check_lock()


@pytest.mark.usefixtures("ran")
def test_before_the_first_run_there_is_nothing_to_compare():
    Path("dvc.lock").unlink()
    assert setup.check_lock() == ["the pipeline has not run yet: there is no dvc.lock"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("problem.yaml", "name: 7\n"),
        ("params.yaml", "trian: {}\n"),
        ("prices.yaml", "currency: [\n"),
        ("contract.yaml", "kind: DataContract\n"),
    ],
)
def test_each_of_the_files_is_read_strictly(tmp_path, monkeypatch, file, text):
    monkeypatch.chdir(tmp_path)
    Path("problem.yaml").write_text("name: Test\n")
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")
    assert setup.check_team_files() == ["problem.yaml, params.yaml: valid"]
    Path(file).write_text(text)
    with pytest.raises(UserError, match=f"^{file}"):
        setup.check_team_files()
