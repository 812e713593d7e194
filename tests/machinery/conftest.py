"""The platform's package as it lies in template/src, beside the team's files as they are seeded.

Where MACHINERY_PROJECT names the folder of a rendered project, the same tests try what is installed
there, but for those of folders that its answers leave out.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROJECT = os.environ.get("MACHINERY_PROJECT", "")
SOURCE = Path(PROJECT, "src") if PROJECT else HERE.parents[1] / "template" / "src"

if PROJECT:
    SETTINGS = Path(PROJECT, "pyproject.toml")
else:
    TEAM = Path(tempfile.mkdtemp(prefix="team-"))
    shutil.copytree(SOURCE / "{{ package }}", TEAM / "flights")
    SETTINGS = TEAM / "pyproject.toml"
    SETTINGS.write_text('[tool.mlops]\npackage = "flights"\n', encoding="utf-8")
    sys.path.insert(0, str(TEAM))


def is_left_out(folder: Path) -> bool:
    """Whether the tests in a folder are of a part that the project does not have."""
    return folder.is_dir() and not (SOURCE / "mlops" / folder.name / "__init__.py").exists()


collect_ignore = [folder.name for folder in HERE.iterdir() if is_left_out(folder)]


def pytest_unconfigure() -> None:
    if not PROJECT:
        shutil.rmtree(TEAM, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _team() -> None:
    """Tests work in empty folders, where no pyproject.toml names the team's package."""
    from mlops.core import team  # noqa: PLC0415

    team.PYPROJECT = SETTINGS


@pytest.fixture(scope="module", autouse=True)
def _processes() -> Iterator[None]:
    """What tests start finds the packages; tests of rendered projects, in this process, do not."""
    with pytest.MonkeyPatch.context() as patch:
        if not PROJECT:
            patch.setenv("PYTHONPATH", os.pathsep.join([str(SOURCE), str(TEAM)]))
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a real PostgreSQL."""
    from postgres import postgres_server  # noqa: PLC0415

    with postgres_server() as address:
        yield address
