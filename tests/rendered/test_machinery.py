"""The tests of the machinery once more, inside projects that differ as much as they can."""

from pathlib import Path

import pytest

from support import ROOT, Answers, Render, run

pytestmark = pytest.mark.slow

TESTS = ROOT / "tests" / "machinery"
LEAST: Answers = {"deploy": "none", "scale": "single", "sample": "empty", "updates": "renovate"}
MOST: Answers = {"deploy": "kubernetes", "scale": "dask"}


def machinery(project: Path, *options: str) -> str:
    # Workbooks are made by another program than the one that reads them.
    words = ["uv", "run", "--with", "openpyxl~=3.1", "pytest", "-q"]
    words += ["-c", str(TESTS / "in_project.ini"), *options, str(TESTS)]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MACHINERY_PROJECT", str(project))
        return run(*words, cwd=project).stdout


@pytest.mark.xdist_group("machinery-least")
def test_it_passes_where_every_room_that_can_be_is_left_out(set_up: Render) -> None:
    machinery(set_up(LEAST))


@pytest.mark.xdist_group("machinery-most")
def test_it_passes_where_every_room_is_and_is_covered(set_up: Render) -> None:
    """Nine tenths of its lines and branches at least."""
    machinery(set_up(MOST), "--cov=mlops", "--cov-branch", "--cov-fail-under=90")
