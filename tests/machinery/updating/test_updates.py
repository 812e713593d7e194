"""What an update leaves to people is said, file by file, before anybody takes it for done."""

import json
import subprocess
from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.updating import updates

CONFLICT = "<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """One that was made from a template that is here, and then moved on."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet"], check=True)
    Path("template").mkdir()
    answers("v1.0.0", "template")
    return tmp_path


def answers(version, address):
    Path(".copier-answers.yml").write_text(f"_commit: {version}\n_src_path: {address}\n")


def newer(monkeypatch, **files):
    """Copier, with a version that brings these files."""

    def copier(command, *_):
        if command == "check-update":
            return json.dumps({"update_available": True})
        answers("v2.0.0", "template")
        for name, text in files.items():
            Path(name).write_text(text)
        return ""

    monkeypatch.setattr(updates, "copier", copier)


def test_an_update_says_what_to_do_next(project, monkeypatch):
    newer(monkeypatch, news="News\n")
    said = updates.update(Path("text.md"), Path("output"))
    assert said[0] == "Update the template from v1.0.0 to v2.0.0"
    assert "uv run pytest" in said
    assert Path("output").read_text() == "outcome=updated\n"
    assert Path("text.md").read_text().startswith(f"{said[0]}\n\nFrom template;")


def test_conflicts_and_rejects_are_named(project, monkeypatch):
    newer(monkeypatch, **{"a b.txt": CONFLICT, "dvc.yaml.rej": "@@ -1 +1 @@\n"})
    Path(".gitignore").write_text("*.rej\n")
    with pytest.raises(UserError, match=r"v2\.0\.0: conflicts in 2 files.*`a b\.txt`.*yaml\.rej`"):
        updates.update()
    newer(monkeypatch)  # an earlier update had left them
    updates.update(Path("text.md"), Path("output"))
    assert Path("output").read_text() == "outcome=conflicts\n"
    text = Path("text.md").read_text()
    assert "Not to be merged as it is" in text
    assert "- `a b.txt`: both sides changed the same lines; choose\n" in text


def test_a_text_about_markers_is_no_conflict(project, monkeypatch):
    newer(monkeypatch, manual="Look for <<<<<<< before updating\n>>>>>>> after updating\n")
    updates.update(output=Path("output"))
    assert Path("output").read_text() == "outcome=updated\n"


def test_what_is_the_newest_stays(project, monkeypatch):
    nothing = json.dumps({"update_available": False})
    monkeypatch.setattr(updates, "copier", lambda *_: nothing)
    assert updates.update(Path("text.md")) == ["v1.0.0 is the newest version of the template"]
    assert not Path("text.md").exists()


def test_a_template_on_another_machine_is_said_to_be_there(project):
    answers("v1.0.0", "/nowhere/template")
    [said] = updates.update(Path("text.md"), Path("output"))
    assert said.startswith("The template is at /nowhere/template, where only the machine")
    assert Path("output").read_text() == "outcome=unreachable\n"
    assert not Path("text.md").exists()


def test_what_copier_refuses_is_one_sentence(project, monkeypatch):
    done = subprocess.CompletedProcess([], 1, "", "Asked:\nDestination repository is dirty.\n")
    monkeypatch.setattr(updates, "find_spec", lambda name: name)
    monkeypatch.setattr(updates.subprocess, "run", lambda *_, **more: done)
    with pytest.raises(UserError, match="not be brought in: Destination repository is dirty"):
        updates.update()


def test_without_copier_it_is_said_how_to_have_it(project, monkeypatch):
    monkeypatch.setattr(updates, "find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r"uv run --group template \w+ project update', or 'uvx copier update"
    ):
        updates.update()
