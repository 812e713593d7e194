"""What is rendered is whole and clean, for every pair of answers and wherever it is put."""

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from copier import run_copy

from answers import HOSTILE, PAIRWISE
from support import ROOT, Answers, Render, files, run

QUESTIONS = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
NAMES = "|".join(name for name in QUESTIONS if not name.startswith("_"))
FORGOTTEN = re.compile(r"\{\{-?\s*(" + NAMES + r"|_copier\w*)\s*(\||-?\}\})")
PLAIN = {
    path.read_bytes()
    for path in (ROOT / "template").rglob("*")
    if path.is_file() and path.suffix != ".jinja"
}
MAY_BE_EMPTY = ("__init__.py", "py.typed", ".gitkeep")
READERS = {
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
    ".toml": tomllib.loads,
    ".json": json.loads,
    ".lock": tomllib.loads,
}


def name_of(answers: Answers) -> str:
    return "-".join(str(value) for value in answers.values())[:60]


@pytest.fixture(scope="module", params=PAIRWISE, ids=name_of)
def project(request: pytest.FixtureRequest, render: Render) -> Path:
    return render(request.param)


def texts(project: Path) -> dict[str, str]:
    """The files that people write; delivered data is not ours to judge."""
    return {
        name: content.decode("utf-8")
        for name, content in files(project).items()
        if not name.startswith("data/raw/") and b"\0" not in content
    }


def test_structured_files_can_be_read(project: Path) -> None:
    for name, text in texts(project).items():
        reader = READERS.get(Path(name).suffix)
        if reader and not name.startswith("tests/"):
            assert reader(text), name


def test_no_braces_are_left_over(project: Path) -> None:
    for name, text in texts(project).items():
        assert "{{" not in name
        assert "{%" not in name
        assert not FORGOTTEN.search(text), f"{name}: its template needs the suffix .jinja"
        if text.encode() not in PLAIN:  # a plain file may be a template of its own, as a report is
            assert "{{" not in text, name
            assert "{%" not in text, name


def test_every_file_says_something_and_ends_with_one_newline(project: Path) -> None:
    for name, text in texts(project).items():
        if Path(name).name in MAY_BE_EMPTY and not text:
            continue
        assert text.strip(), f"{name} is empty"
        assert text.endswith("\n"), name
        assert not text.endswith("\n\n"), name
        assert "\r" not in text, name
        if not name.endswith(".md"):
            assert not re.search(r"[ \t]+$", text, re.MULTILINE), name


def test_no_folder_is_empty(project: Path) -> None:
    assert all(any(path.iterdir()) for path in project.rglob("*") if path.is_dir())


def test_python_is_linted_formatted_and_understood_by_the_oldest_python(project: Path) -> None:
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    oldest = pyproject["project"]["requires-python"].removeprefix(">=3.")
    for name, text in texts(project).items():
        if name.endswith(".py"):
            ast.parse(text, name, feature_version=(3, int(oldest)))
    run("ruff", "check", "--no-cache", ".", cwd=project)
    run("ruff", "format", "--no-cache", "--check", ".", cwd=project)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_comes_out_as_it_went_in(render: Render, name: str) -> None:
    project = render({"project_name": name, "decision": f"Is it {name}?"})
    test_structured_files_can_be_read(project)
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    problem = yaml.safe_load((project / "problem.yaml").read_text(encoding="utf-8"))
    assert answers["project_name"] == problem["name"] == name
    assert answers["decision"] == problem["decision"] == f"Is it {name}?"
    assert pyproject["project"]["description"] == f"Is it {name}?"


def test_it_renders_into_the_current_folder_and_into_a_path_with_blanks(
    template: Path, render: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "a path with blanks and ü"
    here.mkdir()
    monkeypatch.chdir(here)
    run_copy(str(template), ".", defaults=True, quiet=True)
    assert files(here) == files(render())


def test_rendering_twice_changes_nothing(render: Render, tmp_path: Path) -> None:
    first = files(render(into=tmp_path))
    assert files(render(into=tmp_path)) == first


def test_the_command_says_what_to_do_next(template: Path, tmp_path: Path) -> None:
    """The plain command, without --trust, without a terminal."""
    shown = run("copier", "copy", "--defaults", template, "my flights", cwd=tmp_path).stdout
    steps = ['cd "my flights"', "uv run mlops setup", "uv run dvc repro"]
    assert [line.strip() for line in shown.splitlines() if line.strip() in steps] == steps
    assert "data add" not in shown


def test_an_empty_project_is_told_to_add_its_table(template: Path, tmp_path: Path) -> None:
    command = ["copier", "copy", "--defaults", "--data", "sample=empty", template, "."]
    shown = run(*command, cwd=tmp_path).stdout
    assert "cd " not in shown
    assert "uv run mlops data add YOUR_TABLE --target COLUMN\n" in shown
