"""From every release to what lies here: a project that is updated is one made today, and works."""

import shutil
from pathlib import Path

import pytest
from copier import run_copy, run_update

from answers import PAIRWISE
from copier_mlops.template import Template
from support import ROOT, Answers, commit, files, git, run

RELEASES = Template(ROOT).releases
FIRST, NEXT = "v0.0.1", "v9999"
SOME = 3  # rows of answers that are tried each time; the rest when deep


@pytest.fixture(scope="module")
def history(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every release, and the working tree as the next one.

    Where nothing is released yet, the working tree is the first, and the next one changes it.
    """
    history = tmp_path_factory.mktemp("history") / "template"
    git(ROOT, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(history))
    for path in history.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(template, history, ignore=shutil.ignore_patterns(".git"), dirs_exist_ok=True)
    if not RELEASES:
        commit(history, tag=FIRST)
        change(history / "template")
    return commit(history, tag=NEXT)


def change(template: Path) -> None:
    """A file of each kind: a managed one more, and lines in a shared and in a seeded one."""
    (template / "tests" / "test_news.py").write_text("def test_news():\n    assert True\n")
    for name in ("README.md.jinja", "params.yaml.jinja"):
        text = (template / name).read_text(encoding="utf-8")
        comment = "<!-- News -->\n" if name.startswith("README") else "# News\n"
        (template / name).write_text(text + comment, encoding="utf-8")


def project_of(history: Path, release: str, answers: Answers, home: Path) -> Path:
    run_copy(str(history), home, data=answers, vcs_ref=release, defaults=True, quiet=True)
    return commit(home)


@pytest.mark.parametrize("release", RELEASES or [FIRST])
@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(row, marks=[] if number < SOME else pytest.mark.deep)
        for number, row in enumerate(PAIRWISE)
    ],
    ids=range(len(PAIRWISE)),
)
def test_a_project_that_is_updated_is_one_made_today(
    history: Path, tmp_path: Path, release: str, answers: Answers
) -> None:
    """But for seeded files, which nobody touches, and for those that were dropped."""
    project = project_of(history, release, answers, tmp_path / "project")
    before = files(project)
    run_update(project, defaults=True, overwrite=True, quiet=True)
    run_copy(str(history), tmp_path / "fresh", data=answers, defaults=True, quiet=True)
    after, fresh = files(project), files(tmp_path / "fresh")
    template = Template(history)
    newest = template.version(NEXT)
    for path in fresh:
        seeded = template.owner(newest, path) == "seeded" and path in before
        assert after[path] == (before if seeded else fresh)[path], path
    assert set(after) - set(fresh) <= set(before)
    assert all(template.owner(newest, path) is None for path in set(after) - set(fresh))


@pytest.mark.slow
@pytest.mark.parametrize("release", (RELEASES or [FIRST])[:1])
def test_a_project_of_the_first_release_runs_after_the_update(
    history: Path, tmp_path: Path, release: str
) -> None:
    """With work of its team in it, in files of each owner."""
    project = project_of(history, release, {}, tmp_path / "project")
    for name in ("README.md", "src/flights/features.py"):
        text = (project / name).read_text(encoding="utf-8")
        (project / name).write_text(f"# Ours\n{text}", encoding="utf-8")
    commit(project)
    run_update(project, defaults=True, overwrite=True, quiet=True)
    assert not run("git", "diff", "--check", cwd=project).stdout
    for name in ("README.md", "src/flights/features.py"):
        assert "# Ours\n" in (project / name).read_text(encoding="utf-8")
    run("uv", "run", "flights", "setup", cwd=project)
    run("uv", "run", "dvc", "repro", cwd=project)
    assert '"passed": true' in (project / "reports" / "gate.json").read_text(encoding="utf-8")
