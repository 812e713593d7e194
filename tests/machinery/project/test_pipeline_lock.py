import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from mlops.core.errors import UserError
from mlops.project import pipeline_lock

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
    assert pipeline_lock.check_lock() == [
        "dvc.lock is in step with the code, the settings and the data"
    ]


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
        pipeline_lock.check_lock()
    assert str(error.value).startswith(f"dvc.lock is behind: {change}")


@pytest.mark.usefixtures("ran")
def test_a_run_that_stopped_half_way_is_told():
    Path("a.txt").write_text("other")
    subprocess.run(["dvc", "repro", "--quiet", "first"], check=True)
    with pytest.raises(UserError, match=r"b\.txt was made again, and stage second did not run"):
        pipeline_lock.check_lock()


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize("file", ["dvc.yaml", "dvc.lock", "params.yaml"])
def test_a_file_with_the_markers_of_a_conflict_is_named(file):
    before = Path(file).read_text()
    sides = f"<<<<<<< before updating\n{before}=======\n{before}>>>>>>> after updating\n"
    Path(file).write_text(f"# first\n{sides}")
    with pytest.raises(UserError, match=f"^{file}:2: two sides changed the same lines: choose "):
        pipeline_lock.check_lock()


@pytest.mark.usefixtures("ran")
def test_before_the_first_run_there_is_nothing_to_compare():
    Path("dvc.lock").unlink()
    assert pipeline_lock.check_lock() == ["the pipeline has not run yet: there is no dvc.lock"]


@pytest.fixture
def shrunk(ran):
    """An answer has taken a stage out, and another reads less."""
    text = DVC.replace("deps: [b.txt, code]", "deps: [b.txt]")
    Path("dvc.yaml").write_text(text[: text.index("  first:")] + text[text.index("  second:") :])


@pytest.mark.usefixtures("shrunk")
def test_what_dvc_never_takes_out_is_told_with_a_cure_that_works():
    with pytest.raises(UserError, match=r"dvc\.yaml has no stage first.*project lock --tidy"):
        pipeline_lock.check_lock()
    said = "\n".join(pipeline_lock.tidy_lock())
    assert "took first out of dvc.lock: dvc.yaml has no stage first" in said
    assert "took second out of dvc.lock: by dvc.yaml, stage second no longer reads code" in said
    Path("b.txt").write_text("a")
    subprocess.run(["dvc", "repro", "--quiet"], check=True)
    assert list(yaml.safe_load(Path("dvc.lock").read_text())["stages"]) == ["second"]
    assert pipeline_lock.check_lock()[0].startswith("dvc.lock is in step")
    assert pipeline_lock.tidy_lock() == [
        "nothing to do: dvc.lock holds nothing that dvc.yaml does not have"
    ]


@pytest.mark.usefixtures("ran")
def test_a_gate_that_blocks_is_no_lock_that_is_behind():
    """DVC does not record a stage that fails, so that dvc.lock lacks it however often it runs."""
    Path("dvc.yaml").write_text(
        f"{DVC}  release:\n    cmd: exit 1\n    deps: [reports/gate.json]\n"
    )
    Path("reports").mkdir()
    report = {"passed": False, "gates": [{"name": "max_loss", "passed": False}]}
    Path("reports/gate.json").write_text(json.dumps(report))
    said = pipeline_lock.check_lock()
    assert "stage release fails until these gates pass: max_loss" in said[1]
    report["gates"][0]["passed"] = True
    Path("reports/gate.json").write_text(json.dumps(report))
    with pytest.raises(UserError, match="stage release"):
        pipeline_lock.check_lock()
