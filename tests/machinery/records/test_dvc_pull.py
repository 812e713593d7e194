import shutil
import subprocess
from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.records.dvc_pull import pull

from samples import bundled

TABLE = Path("data/raw/0001-a.csv")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A table that only DVC keeps; its remote is a folder with nothing in it yet."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("data/raw").mkdir(parents=True)
        TABLE.write_text("k,y\n1,2\n")
        bundled(TABLE)
        for command in (
            "git init",
            "dvc init",
            "dvc remote add --default s store",
            f"dvc add {TABLE}",
        ):
            subprocess.run([*command.split(), "--quiet"], check=True)
    return folder


@pytest.fixture
def project(kept, tmp_path, monkeypatch):
    shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def elsewhere() -> None:
    """As on another machine: what only DVC keeps is not there."""
    TABLE.unlink()
    shutil.rmtree(".dvc/cache")


@pytest.mark.usefixtures("project")
def test_what_was_pushed_comes():
    subprocess.run(["dvc", "push", "--quiet"], check=True)
    elsewhere()
    assert pull() == ["all that DVC keeps of this commit is here"]
    assert TABLE.exists()


@pytest.mark.usefixtures("project")
def test_a_table_that_is_nowhere_is_asked_for():
    elsewhere()
    with pytest.raises(UserError, match=r"0001-a\.csv is neither in git nor .* run 'uv run dvc p"):
        pull()


@pytest.mark.usefixtures("project")
def test_a_table_that_is_here_does_without_the_rest():
    shutil.rmtree(".dvc/cache")
    Path("data/raw/0001-a.csv.dvc").rename("models.dvc")
    assert "the table is whole, and the pipeline can make the rest again" in pull()[0]
