"""Small is a feature: what a team has to read, and what it has not."""

import re
from pathlib import Path

import pytest

from support import ROOT, Render, git

PROMISES = ROOT / "docs" / "promises.md"


def lines(files: list[Path]) -> int:
    return sum(file.read_text(encoding="utf-8").count("\n") for file in files)


@pytest.mark.parametrize("answers", [{}, {"sample": "empty"}])
def test_the_team_s_part_is_read_in_a_sitting(render: Render, answers: dict[str, str]) -> None:
    project = render(answers)
    files = list((project / "src/flights").glob("*.py"))
    assert {file.stem for file in files} == {
        *("__init__", "candidates", "features", "gates", "metrics")
    }
    assert all(lines([file]) < 60 for file in files)
    assert 50 < lines(list((project / "tests").rglob("*.py"))) < 400


def test_no_module_takes_more_than_one_sitting(render: Render) -> None:
    modules = [*render({}).rglob("src/**/*.py"), *ROOT.rglob("hooks/**/*.py")]
    assert len(modules) > 100
    assert [module for module in modules if lines([module]) > 250] == []


def test_the_template_is_read_as_what_it_makes() -> None:
    """The machinery lies as it is rendered; no path has a condition, and few files have one."""
    paths = git(ROOT, "ls-files", "template").splitlines()
    assert [path for path in paths if "{%" in path] == []
    assert len([path for path in paths if path.endswith(".jinja")]) <= 35
    assert [path for path in paths if "/src/mlops/" in path and path.endswith(".jinja")] == []


def test_each_promise_of_the_readme_names_a_test_that_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PROMISES.read_text(encoding="utf-8"))
    assert len(named) > 20
    for path, test in named:
        assert f"def {test or 'test_'}" in (ROOT / path).read_text(encoding="utf-8"), (path, test)
