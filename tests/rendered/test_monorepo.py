"""Two projects side by side in one larger repository, whose default branch is trunk."""

import shutil
from pathlib import Path

import pytest

from actions import act
from copier_mlops.check import check
from copier_mlops.fleet.predict import predict
from copier_mlops.fleet.repositories import find_repositories
from copier_mlops.template import Templates
from standards import append, get_only_finding, list_findings, replace
from support import Render, commit, git, run

PROJECTS = ("flights", "services/sold")
HOOKS = ("uv", "run", "--project", "flights", "pre-commit", "run")
TABLE = "id,size,colour,sold\n" + "".join(
    f"{row},{row % 17},{'red' if row % 3 else 'blue'},{'yes' if row % 17 > 8 else 'no'}\n"
    for row in range(400)
)


@pytest.fixture(scope="module")
def original(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of others that both projects have joined; one has a table."""
    root = tmp_path_factory.mktemp("monorepo") / "larger"
    (root / ".github").mkdir(parents=True)
    (root / ".github/CODEOWNERS").write_text("* @acme/all\n")
    git(root, "init", "--quiet", "--initial-branch", "trunk")
    commit(root, "Before any project")
    for folder in PROJECTS:
        answers = {"sample": "empty", "project_name": folder.rpartition("/")[2]}
        shutil.copytree(render(answers), root / folder)
        run("uv", "run", "mlops", "setup", "--in-repository", cwd=root / folder)
    (root / "sold.csv").write_text(TABLE)
    sold = root / "services/sold"
    run("uv", "run", "mlops", "data", "add", root / "sold.csv", "--target", "sold", cwd=sold)
    (root / "sold.csv").unlink()
    return commit(root, "Two projects")


@pytest.fixture
def larger(original: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "larger"
    shutil.copytree(original, copy, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    return copy


def test_setup_asks_which_repository_is_meant(larger: Path) -> None:
    (larger / "third").mkdir()
    shutil.copytree(larger / "flights", larger / "third", dirs_exist_ok=True)
    done = run("uv", "run", "mlops", "setup", cwd=larger / "third", check=False)
    assert done.returncode == 1
    assert "--in-repository" in done.stdout
    assert "--own-repository" in done.stdout
    assert git(larger, "status", "--porcelain") == "?? third/\n"


@pytest.mark.parametrize("folder", PROJECTS)
@pytest.mark.parametrize("at", [None, "HEAD"])
def test_each_keeps_the_standards(
    larger: Path, templates: Templates, folder: str, at: str | None
) -> None:
    report = check(larger / folder, templates, at=at)
    assert list_findings(report) == []


def test_the_workflows_of_both_are_sound(larger: Path) -> None:
    names = [path.name for path in sorted((larger / ".github/workflows").iterdir())]
    own = [path.name for path in sorted((larger / "flights/.github/workflows").iterdir())]
    assert names == [
        *(f"flights-{name}" for name in own),
        *(f"services-sold-{name}" for name in own),
    ]
    run("zizmor", "--offline", "--pedantic", "--quiet", ".github", cwd=larger)
    written = sorted((larger / ".github/workflows").glob("*.yml"))
    run("actionlint", *written, cwd=larger)
    run("check-jsonschema", "--builtin-schema=vendor.github-workflows", *written, cwd=larger)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda root: (root / ".github/workflows/flights-ci.yml").unlink(), "has no effect in"),
        (lambda root: append(root / ".github/workflows/flights-ci.yml", "# mine\n"), "was edited"),
        (lambda root: (root / ".github/CODEOWNERS").unlink(), "has no effect in flights/"),
        (
            lambda root: replace(root / ".pre-commit-config.yaml", "mypy (flights)", "mypy"),
            "was edited",
        ),
    ],
)
def test_a_root_that_is_not_as_the_project_has_it_is_a_finding(
    larger: Path, templates: Templates, damage, says: str
) -> None:
    damage(larger)
    for at in (None, commit(larger) and "HEAD"):
        finding = get_only_finding(check(larger / "flights", templates, at=at))
        assert (finding.rule, finding.severity) == ("root.changed", "error")
        assert says in finding.message
        assert "run 'uv run mlops project root-files'" in finding.message
    assert list_findings(check(larger / "services/sold", templates, at=None)) == (
        [("root.changed", ".github/CODEOWNERS")] if "CODEOWNERS" in finding.message else []
    )
    run("uv", "run", "mlops", "project", "root-files", cwd=larger / "flights")
    assert list_findings(check(larger / "flights", templates, at=None)) == []


def test_a_fleet_finds_both(larger: Path) -> None:
    found = find_repositories([larger.parent])
    assert [each.path for each in found] == [larger / folder for folder in PROJECTS]


def test_a_hook_of_git_runs_the_hooks_of_the_project(larger: Path) -> None:
    git(larger, "checkout", "--quiet", "-b", "change")
    (larger / "services/sold/own.yml").write_text("a: [\n")
    (larger / "services/sold/own.bin").write_text("x" * 2_000_000)
    git(larger, "add", "--all")
    change = ("git", "commit", "--quiet", "--message", "Change")
    done = run(*change, cwd=larger / "services/sold", check=False)
    assert done.returncode == 1
    assert "services/sold/own.bin (1954 KB) exceeds 1000 KB" in done.stdout
    assert "services/sold/own.yml" in done.stdout
    (larger / "services/sold/own.bin").unlink()
    (larger / "services/sold/own.yml").write_text("a: []\n")
    git(larger, "add", "--all")
    run(*change, cwd=larger / "services/sold")


def test_every_hook_passes_and_leaves_the_files(larger: Path) -> None:
    changes = git(larger, "status", "--porcelain")
    run(*HOOKS, "--all-files", cwd=larger)
    assert git(larger, "status", "--porcelain") == changes


@pytest.mark.parametrize(
    ("file", "text", "hook"),
    [
        ("src/sold/own.py", "import os\n", "ruff-check"),
        ("src/sold/own.py", "x: int = 'a'\n", "mypy"),
        ("own.txt", "key = 'AKIA" + "ABCDEFGHIJKLMNOP'\n", "detect-secrets"),
        ("problem.yaml", "name: 7\n", "settings"),
        (".github/workflows/own.yml", "on: push\njobs: {a: {}}\n", "actionlint"),
        ("deploy/Dockerfile", "FROM python\nRUN cd /x\n", "hadolint"),
        ("own.bin", "x" * 2_000_000, "check-added-large-files"),
        ("own.txt", "blanks  \n", "trailing-whitespace"),
    ],
    ids=lambda value: value[:40],
)
def test_a_hook_looks_at_the_files_of_its_project_only(
    larger: Path, file: str, text: str, hook: str
) -> None:
    (larger / "services/sold" / file).write_text(text)
    git(larger, "add", "--all")
    own = f"services/sold/{file}"
    assert run(*HOOKS, hook, "--files", own, cwd=larger, check=False).returncode == 1
    others = git(larger, "ls-files", "-z", "flights").split("\0")[:-1]
    run(*HOOKS, hook, "--files", *others, cwd=larger)


@pytest.mark.slow
def test_ci_of_one_is_green(larger: Path) -> None:
    ran = act(larger, "push", "flights-ci.yml", trunk="trunk")
    standards = ran.conclusions.pop("standards")  # this machine has the template's folder
    assert standards in {"success", "skipped"}, ran.log
    expected = dict.fromkeys(("lint", "test", "data", "security"), "success")
    assert ran.conclusions == {**ran.conclusions, **expected, "model": "skipped"}, ran.log


@pytest.mark.slow
def test_an_update_of_one_leaves_the_other_alone(
    larger: Path, template: Path, templates: Templates, tmp_path: Path
) -> None:
    own = tmp_path / "template"
    shutil.copytree(template, own)
    for folder in PROJECTS:
        answers = larger / folder / ".copier-answers.yml"
        answers.write_text(answers.read_text().replace(str(template), str(own)))
    commit(larger, "The template's place")
    append(own / "template/.github/workflows/ci.yml", "# newer\n")
    commit(own, "Newer", tag="v99.0.0")
    assert predict(larger / "flights", str(own), "v99.0.0").clean
    (larger / "services/sold/notes.md").write_text("Somebody is at work in the other project.\n")
    run("copier-mlops", "update", "flights", cwd=larger)
    changed = git(larger, "status", "--porcelain").splitlines()
    assert all("flights/" in line or "services/sold/notes.md" in line for line in changed)
    assert any("flights/.github/workflows/ci.yml" in line for line in changed)
    fresh = Templates(str(own))
    assert [rule for rule, _ in list_findings(check(larger / "flights", fresh, at=None))] == [
        "root.changed"
    ]
    run("uv", "run", "mlops", "project", "root-files", cwd=larger / "flights")
    assert list_findings(check(larger / "flights", fresh, at=None)) == []
