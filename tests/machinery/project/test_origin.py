"""Where the template is, in the words of uv."""

from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.project.origin import find_template
from mlops.project_commands import app
from typer.testing import CliRunner


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".copier-answers.yml"


@pytest.mark.parametrize(
    ("place", "version", "full"),
    [
        ("gh:acme/mlops", "v1.2.3", "git+https://github.com/acme/mlops.git@v1.2.3"),
        ("gl:acme/mlops.git", "v1.2.3", "git+https://gitlab.com/acme/mlops.git@v1.2.3"),
        ("https://git.acme.example/m.git", "v1", "git+https://git.acme.example/m.git@v1"),
        ("git+https://git.acme.example/m", "v1", "git+https://git.acme.example/m@v1"),
        ("git@git.acme.example:a/m.git", "v1", "git+ssh://git@git.acme.example/a/m.git@v1"),
        ("gh:acme/mlops", "v1.2.3-4-gabc1234", "git+https://github.com/acme/mlops.git@abc1234"),
    ],
)
def test_the_address_is_one_that_uv_takes(
    answers: Path, place: str, version: str, full: str
) -> None:
    answers.write_text(f"_commit: {version}\n_src_path: {place}\n", encoding="utf-8")
    assert find_template() == full


def test_a_folder_of_this_machine_will_do(answers: Path, tmp_path: Path) -> None:
    answers.write_text(f"_commit: v1\n_src_path: {tmp_path}\n", encoding="utf-8")
    assert find_template() == f"git+{tmp_path.as_uri()}@v1"


def test_a_folder_of_another_machine_is_told(answers: Path, tmp_path: Path) -> None:
    """A workflow goes on without an address, and says that nothing was checked."""
    answers.write_text("_commit: v1\n_src_path: /home/jo/mlops\n", encoding="utf-8")
    with pytest.raises(UserError, match="a folder that this machine does not have: push"):
        find_template()
    done = CliRunner().invoke(app, ["template", "--output", "output"])
    assert done.exit_code == 0
    assert done.output.startswith("::warning title=The template is not here::This project was")
    assert not (tmp_path / "output").exists()


def test_a_workflow_gets_the_address(answers: Path, tmp_path: Path) -> None:
    answers.write_text("_commit: v1\n_src_path: gh:acme/mlops\n", encoding="utf-8")
    (tmp_path / "output").write_text("before=1\n")
    assert CliRunner().invoke(app, ["template", "--output", "output"]).exit_code == 0
    expected = "before=1\ntemplate=git+https://github.com/acme/mlops.git@v1\n"
    assert (tmp_path / "output").read_text() == expected


@pytest.mark.parametrize("text", ["", "[", "- a\n", "_commit: v1\n"])
def test_answers_that_name_no_template_are_one_sentence(answers: Path, text: str) -> None:
    answers.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="does not name the template"):
        find_template()
