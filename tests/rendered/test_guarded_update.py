"""`copier-mlops update`: what Copier drops is kept beside its file, and said."""

from pathlib import Path

import pytest
from copier import run_copy

from support import commit, git, run
from toy import Platform

SOURCE = "src/{{ package }}/stages.py"


@pytest.fixture
def platform(machine: None, tmp_path: Path) -> Platform:
    platform = Platform(tmp_path / "platform")
    platform.home.mkdir()
    platform.release()
    return platform


@pytest.fixture
def project(platform: Platform, tmp_path: Path) -> Path:
    """Its team has written a line into a file that the next release deletes, against the rules."""
    project = tmp_path / "project"
    run_copy(str(platform.home), project, defaults=True, quiet=True)
    stages = project / "src/flights/stages.py"
    stages.write_text(stages.read_text() + "OURS = 1\n")
    commit(project)
    del platform.files[SOURCE]
    platform.release()
    return project


def test_copier_alone_drops_it_without_a_word(project: Path) -> None:
    """Else our command would not be needed."""
    run("copier", "update", "--defaults", cwd=project)
    assert not (project / "src/flights/stages.py").exists()
    assert not list(project.rglob("*.rej"))


def test_a_dropped_line_is_in_a_patch_that_brings_it_back(project: Path) -> None:
    before = (project / "src/flights/stages.py").read_text()
    done = run("copier-mlops", "update", cwd=project, check=False)
    assert done.returncode == 2
    assert "take what is still needed from src/flights/stages.py.rej, then" in done.stdout
    given = before.removesuffix("OURS = 1\n")
    (project / "src/flights/stages.py").write_text(given)
    git(project, "apply", "src/flights/stages.py.rej")
    assert (project / "src/flights/stages.py").read_text() == before


def test_a_folder_that_went_comes_back_for_the_reject(platform: Platform, project: Path) -> None:
    runbook = project / "docs/runbook.md"
    runbook.write_text(runbook.read_text() + "Call Jo.\n")
    commit(project)
    del platform.files["docs/runbook.md"]
    platform.release()
    run("copier-mlops", "update", cwd=project, check=False)
    assert "+Call Jo.\n" in (project / "docs/runbook.md.rej").read_text()


@pytest.mark.parametrize(("local", "kept"), [([], False), (["apply.whitespace", "nowarn"], True)])
def test_what_setup_sets_keeps_lines_that_end_in_blanks(
    platform: Platform, project: Path, monkeypatch: pytest.MonkeyPatch, local: list[str], kept: bool
) -> None:
    """Where git is told to refuse them, Copier alone drops the edits of every file."""
    readme = project / "README.md"
    readme.write_text(f"Ours, with two blanks at the end  \n{readme.read_text()}")
    commit(project)
    if local:
        git(project, "config", *local)
    platform.files["README.md.jinja"] += b"News\n"
    platform.release()
    settings = Path(platform.home.parent, "gitconfig")
    settings.write_text("[apply]\n\twhitespace = error\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    run("copier", "update", "--defaults", cwd=project)
    assert readme.read_text().startswith("Ours, with two blanks at the end  \n") == kept
    assert readme.read_text().endswith("News\n")


def test_work_that_is_not_committed_is_not_touched(project: Path) -> None:
    (project / "README.md").write_text("Half done")
    done = run("copier-mlops", "update", cwd=project, check=False)
    assert done.returncode == 2
    assert "work that is not committed: commit it, then update again." in done.stdout
    assert (project / "README.md").read_text() == "Half done"


def test_what_is_all_there_needs_no_reject(project: Path) -> None:
    """A link is not what it leads to; a file that the team removed is not lost."""
    stages = project / "src/flights/stages.py"
    stages.write_text(stages.read_text().removesuffix("OURS = 1\n"))
    (project / "docs/start.md").symlink_to("../README.md")
    (project / "docs/runbook.md").unlink()
    commit(project)
    run("copier-mlops", "update", cwd=project)
    assert not list(project.rglob("*.rej"))
    assert (project / "docs/start.md").is_symlink()


def test_an_answer_and_a_release_can_be_chosen(platform: Platform, project: Path) -> None:
    done = run("copier-mlops", "update", "--to", "v1.0.0", "--data", "owner=@jo", cwd=project)
    assert done.stdout
    assert "Owned by @jo." in (project / "README.md").read_text()
    assert "_commit: v1.0.0" in (project / ".copier-answers.yml").read_text()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["--to", "v9"], "The template has no release v9: it has v1.0.0, v2.0.0."),
        (["--data", "ownr=@jo"], "ownr is not a question of v2.0.0: did you mean owner?"),
        (
            ["--data", "zzz=1"],
            "zzz is not a question of v2.0.0: it asks project_name, pack",
        ),
        (
            ["--data", "owner"],
            "--data owner says no answer: write NAME=VALUE, such",
        ),
        (["--data", "owner="], 'owner cannot be "": Say something, for example: owner.'),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(project: Path, asked: list[str], says: str) -> None:
    done = run("copier-mlops", "update", *asked, cwd=project, check=False)
    assert done.returncode == 2
    assert done.stdout.startswith(f"copier-mlops: {says}")
    assert len(done.stdout.splitlines()) == 1
    assert not git(project, "status", "--porcelain")


def test_the_choices_of_a_question_are_named(platform: Platform, project: Path) -> None:
    choice = {"type": "str", "help": "Which?", "choices": {"One": "a", "Two": "b"}}
    platform.questions |= {
        "team": choice | {"default": "a"},
        "crew": choice | {"default": "b", "when": "{{ team == 'b' }}"},
    }
    platform.release()
    for asked, says in {
        "team=c": 'team cannot be "c": choose one of a, b.',
        "crew=a": "crew is not asked with these answers: leave it out",
    }.items():
        done = run("copier-mlops", "update", "--data", asked, cwd=project, check=False)
        assert done.returncode == 2
        assert done.stdout.startswith(f"copier-mlops: {says}")
    run("copier-mlops", "update", "--data", "team=b", "--data", "crew=a", cwd=project, check=False)
    assert "crew: a\n" in (project / ".copier-answers.yml").read_text()


def test_a_conflict_is_named_and_fails(platform: Platform, project: Path) -> None:
    readme = project / "README.md"
    readme.write_text(readme.read_text().replace("`train` works.", "`train` is ours."))
    (project / "src/flights/stages.py").unlink()
    commit(project)
    platform.files["README.md.jinja"] = platform.files["README.md.jinja"].replace(
        b"`train` works.", b"`train` is theirs."
    )
    platform.release()
    done = run("copier-mlops", "update", cwd=project, check=False)
    assert done.returncode == 1
    line = readme.read_text().splitlines().index("<<<<<<< before updating") + 1
    assert f"README.md:{line} holds an unsolved conflict: keep the right lines" in done.stdout
    assert "solve it before you commit." in done.stdout


def test_a_folder_without_a_template_is_one_sentence(project: Path) -> None:
    (project / ".copier-answers.yml").unlink()
    commit(project)
    done = run("copier-mlops", "update", cwd=project, check=False)
    assert done.returncode == 2
    assert done.stdout.startswith("copier-mlops: .copier-answers.yml is missing")


def proposed(project: Path) -> tuple[str, str]:
    """The outcome of an update as a workflow makes it, and what its pull request says."""
    text, output = project.parent / "text.md", project.parent / "output"
    text.write_text("")
    output.write_text("")
    run("copier-mlops", "update", "--text", text, "--output", output, cwd=project)
    return output.read_text(), text.read_text()


def test_a_workflow_is_told_what_to_propose(platform: Platform, project: Path) -> None:
    (project / "src/flights/stages.py").unlink()
    commit(project)
    outcome, text = proposed(project)
    assert outcome == "outcome=updated\n"
    title, *lines = text.splitlines()
    assert title == "Update the template from v1.0.0 to v2.0.0"
    assert lines[1].startswith(f"From {platform.home};")
    assert "uv run dvc repro" in lines
    assert "Solve first" not in text
    commit(project)
    assert proposed(project) == ("outcome=current\n", "")


def test_a_workflow_is_told_of_conflicts_and_of_rejects_that_git_ignores(
    platform: Platform, project: Path
) -> None:
    readme = project / "README.md"
    readme.write_text(readme.read_text().replace("`train` works.", "`train` is ours."))
    (project / ".gitignore").write_text("*.rej\n")
    commit(project)
    platform.files["README.md.jinja"] = platform.files["README.md.jinja"].replace(
        b"`train` works.", b"`train` is theirs."
    )
    platform.release()
    outcome, text = proposed(project)
    assert outcome == "outcome=conflicts\n"
    assert text.startswith("Update the template from v1.0.0 to v3.0.0: conflicts in 2 files\n")
    assert "**Not to be merged as it is, and not tried yet.**" in text
    assert "- README.md:" in text
    assert "- src/flights/stages.py.rej holds lines that an update could not place" in text


@pytest.mark.parametrize("option", ["--text", "--output"])
@pytest.mark.parametrize(
    ("place", "reason"), [("gone/file", "gone is no folder"), (".", ". is a folder")]
)
def test_a_place_that_cannot_be_written_is_told_before_anything_is_done(
    tmp_path: Path, option: str, place: str, reason: str
) -> None:
    done = run("copier-mlops", "update", option, place, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert reason in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout
