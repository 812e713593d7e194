"""copier update, without --trust: the platform's news arrives and no line of the team is lost."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from copier import run_copy, run_update

from answers import HOSTILE
from support import ROOT, Render, commit, files, git, run

SAMPLE = "data/raw/0001-more.csv"
FEATURES = "src/{{ package }}/features.py"
Release = Callable[..., None]


@pytest.fixture
def platform(template: Path, tmp_path: Path) -> Path:
    """A template of our own to release new versions of, with one more sample and seeded file."""
    platform = tmp_path / "platform"
    shutil.copytree(template, platform)
    write(platform / "template", {SAMPLE: "a,b\n1,2\n", FEATURES: "FIRST = 1\n"})
    return commit(platform, tag="v1.0.0")


@pytest.fixture
def release(platform: Path) -> Release:
    """Release a next version in which some files of the template have changed."""

    def change(changes: dict[str, str], tag: str = "v2.0.0") -> None:
        write(platform / "template", changes)
        commit(platform, tag=tag)

    return change


@pytest.fixture
def project(platform: Path, tmp_path: Path) -> Path:
    """A project made from v1.0.0 and committed by its team."""
    run_copy(str(platform), tmp_path / "project", defaults=True, quiet=True)
    return commit(tmp_path / "project")


def write(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def append(path: Path, text: str) -> str:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def update(project: Path, **answers: str) -> None:
    """Commit the team's work, then update."""
    commit(project)
    run_update(project, data=answers, defaults=True, overwrite=True, quiet=True)


def test_an_untouched_project_becomes_what_a_new_one_would_be(
    platform: Path, release: Release, project: Path, tmp_path: Path
) -> None:
    ignore = platform / "template" / ".dvcignore"
    release({"tests/news.txt": "News\n", ".dvcignore": ignore.read_text() + "news\n"})
    update(project)
    fresh = run_copy(str(platform), tmp_path / "fresh", defaults=True, quiet=True)
    assert files(project) == files(Path(fresh.subproject.local_abspath))
    assert (project / "tests" / "news.txt").read_text() == "News\n"


def test_shared_files_keep_both_sides(platform: Path, release: Release, project: Path) -> None:
    shared = platform / "template" / ".gitignore.jinja"
    release({".gitignore.jinja": "# From the platform\n" + shared.read_text(encoding="utf-8")})
    append(project / ".gitignore", "# From the team\n")
    pyproject = append(project / "pyproject.toml", "\n[tool.team]\nkeep = true\n")
    update(project)
    ignored = (project / ".gitignore").read_text(encoding="utf-8")
    assert ignored.startswith("# From the platform\n")
    assert ignored.endswith("# From the team\n")
    assert (project / "pyproject.toml").read_text(encoding="utf-8") == pyproject


def test_seeded_files_are_the_teams(release: Release, project: Path) -> None:
    release({FEATURES: "SECOND = 2\n", SAMPLE: "a,b\n3,4\n"})
    features = append(project / "src" / "flights" / "features.py", "OURS = 3\n")
    update(project)
    assert (project / "src" / "flights" / "features.py").read_text() == features
    assert (project / SAMPLE).read_text() == "a,b\n1,2\n"
    assert not git(project, "diff", "--name-only", "--", "src", "data").strip()


@pytest.mark.parametrize(
    ("answers", "path"),
    [
        ({"package": "trains"}, "src/flights/features.py"),
        ({"deploy": "none"}, "deploy/k8s/base/resources.yaml"),
    ],
)
def test_no_answer_takes_a_seeded_file_away(
    platform: Path, tmp_path: Path, answers: dict[str, str], path: str
) -> None:
    """Copier would remove what the new answers do not render, whatever the team wrote there."""
    home = tmp_path / "project"
    run_copy(str(platform), home, data={"deploy": "kubernetes"}, defaults=True, quiet=True)
    kept = append(home / path, "# Ours\n")
    update(home, **answers)
    assert (home / path).read_text(encoding="utf-8") == kept


def test_a_new_seeded_file_arrives(release: Release, project: Path) -> None:
    candidates = project / "src" / "flights" / "candidates.py"
    candidates.unlink(missing_ok=True)
    release({"src/{{ package }}/candidates.py": "NEW = 1\n"})
    update(project)
    assert candidates.read_text() == "NEW = 1\n"


@pytest.mark.parametrize("changed", [True, False])
def test_a_removed_sample_stays_removed(release: Release, project: Path, changed: bool) -> None:
    """The team has brought its own table: the sample's file is gone, the contract is another."""
    (project / SAMPLE).unlink()
    write(project, {"contract.yaml": "ours: true\n", "data/raw/0001-ours.csv": "x\n1\n"})
    news = {SAMPLE: "a,b\n3,4\n", "data/raw/0002-next.csv": "c\n5\n"} if changed else {}
    release({**news, "tests/news.txt": "News\n"})
    update(project)
    assert (project / "tests" / "news.txt").exists()
    assert not (project / SAMPLE).exists()
    assert not (project / "data/raw/0002-next.csv").exists()
    assert (project / "contract.yaml").read_text() == "ours: true\n"
    assert (project / "data/raw/0001-ours.csv").read_text() == "x\n1\n"


def test_the_sample_is_not_taken_away_by_an_update(release: Release, project: Path) -> None:
    """Changing the answer later neither removes the table nor brings one over the team's own."""
    release({"tests/news.txt": "News\n"})
    before = {name for name in files(project) if name.startswith(("data/", "contract"))}
    update(project, sample="empty")
    assert before == {name for name in files(project) if name.startswith(("data/", "contract"))}


def test_an_empty_project_gets_no_sample_later(platform: Path, tmp_path: Path) -> None:
    (platform / "template" / SAMPLE).rename(platform / "template" / "data/raw/0001-more.csv")
    commit(platform, tag="v1.1.0")
    target = tmp_path / "empty"
    run_copy(str(platform), target, data={"sample": "empty"}, defaults=True, quiet=True)
    assert not (target / SAMPLE).exists()
    commit(platform, tag="v2.0.0")
    update(target, sample="flights")
    assert not (target / SAMPLE).exists()
    assert not (target / "contract.yaml").exists()


def test_a_managed_file_the_team_removed_stays_removed(release: Release, project: Path) -> None:
    (project / ".pre-commit-config.yaml").unlink()
    release({".pre-commit-config.yaml": "repos: []\n"})
    update(project)
    assert not (project / ".pre-commit-config.yaml").exists()


def test_a_conflict_is_found_by_the_command_the_message_names(
    platform: Path, release: Release, project: Path
) -> None:
    release({".dvcignore": "# The platform's line\n"})
    write(project, {".dvcignore": "# The team's line\n"})
    commit(project)
    shown = run("copier", "update", "--defaults", cwd=project).stdout
    assert 'uvx --from "$(uv run mlops project template)" copier-mlops check' in shown
    assert "uv run dvc repro" in shown, "dvc.lock is of the code before"
    check = run("copier-mlops", "check", cwd=project, check=False)
    assert check.returncode == 1
    assert "error    update.conflict: .dvcignore:1 holds an unsolved conflict" in check.stdout
    text = (project / ".dvcignore").read_text()
    assert "# The platform's line" in text
    assert "# The team's line" in text


def test_a_clean_update_passes_the_check(release: Release, project: Path) -> None:
    release({"tests/news.txt": "News\n"})
    update(project)
    assert "error" not in run("copier-mlops", "check", cwd=project).stdout


def test_an_answer_can_be_changed(release: Release, project: Path) -> None:
    release({"tests/news.txt": "News\n"})
    update(project, licence="MIT", ml_engineer="@acme/crew")
    assert (project / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert "@acme/crew" in (project / ".github" / "CODEOWNERS").read_text(encoding="utf-8")


def test_hostile_answers_survive_an_update(
    platform: Path, release: Release, tmp_path: Path
) -> None:
    answers = {"project_name": HOSTILE[7], "decision": f"Is it {HOSTILE[5]}?"}
    run_copy(str(platform), tmp_path / "odd", data=answers, defaults=True, quiet=True)
    release({"tests/news.txt": "News\n"})
    update(tmp_path / "odd")
    kept = yaml.safe_load((tmp_path / "odd" / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers.items() <= kept.items()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests" / "old_answers").glob("*.yml")), ids=lambda p: p.name
)
def test_answers_to_older_versions_are_still_valid(render: Render, path: Path) -> None:
    """Copier would silently replace an answer that a tightened validator refuses."""
    old = yaml.safe_load(path.read_text(encoding="utf-8"))
    project = render({name: text for name, text in old.items() if not name.startswith("_")})
    new = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert {name: new.get(name) for name in old if not name.startswith("_")} == {
        name: text for name, text in old.items() if not name.startswith("_")
    }


def test_a_question_that_is_new_takes_its_default(release: Release, project: Path) -> None:
    answers = project / ".copier-answers.yml"
    lines = answers.read_text(encoding="utf-8").splitlines(keepends=True)
    answers.write_text("".join(line for line in lines if "licence" not in line), encoding="utf-8")
    release({"tests/news.txt": "News\n"})
    update(project)
    assert yaml.safe_load(answers.read_text(encoding="utf-8"))["licence"] == "Proprietary"
