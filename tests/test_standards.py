"""copier-mlops check: every damage is found and named, and what is in order raises no alarm."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from answers import PAIRWISE
from conftest import VERSION, Render, commit, files, git
from copier import run_copy, run_recopy, run_update
from copier_mlops.check import check
from copier_mlops.findings import Finding, Report
from copier_mlops.git import Objects
from copier_mlops.policy import Policy
from copier_mlops.render import ANSWERS, blob_hash
from copier_mlops.template import Template, Templates
from test_render import name_of

Damage = Callable[[Path], object]
UNLOCKED = ("lock.missing", None)
SHA = "a" * 40


@pytest.fixture(scope="module")
def templates(template: Path) -> Templates:
    return Templates(str(template))


@pytest.fixture(scope="module")
def clean(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as it was rendered, committed."""
    folder = tmp_path_factory.mktemp("standards") / "flights"
    shutil.copytree(render({}), folder)
    return commit(folder)


@pytest.fixture
def project(clean: Path, tmp_path: Path) -> Path:
    """One to damage."""
    shutil.copytree(clean, tmp_path / "flights")
    return tmp_path / "flights"


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def found(report: Report) -> list[tuple[str, str | None]]:
    assert report.broken is None
    return [(each.rule, each.path) for each in report.findings if each.rule != "lock.missing"]


def only(report: Report) -> Finding:
    """The one finding there is."""
    assert len(found(report)) == 1, found(report)
    return next(each for each in report.findings if each.rule != "lock.missing")


# --- Rendering in memory ---


@pytest.mark.parametrize("answers", PAIRWISE, ids=name_of)
def test_rendering_in_memory_equals_copiers(template: Path, render: Render, answers: dict) -> None:
    project = render(answers)
    version = Template(template).version(VERSION)
    expected = files(project)
    recorded = yaml.safe_load(expected[ANSWERS])
    rendered = version.render(recorded)
    assert set(rendered.files) == set(expected)
    with Objects(template) as objects:
        for path, content in expected.items():
            file = rendered.files[path]
            assert version.content(file.source, rendered.values, objects) == content, path
            assert file.blob == blob_hash(content), path
            executable = bool((project / path).stat().st_mode & 0o100)
            assert executable == (file.mode == "100755"), path


STRANGE_ANSWERS = {
    "invalid": {"package": "Not A Package", "business_owner": "nobody"},
    "no choice": {"deploy": "mainframe", "licence": "GPL"},
    "hidden": {"dvc_remote": "local", "dvc_remote_url": "s3://acme/flights"},
    "unknown": {"colour": "red", "with_service": False},
    "another type": {"python_min": 3.12, "package": 7, "deploy": None, "decision": ["a", "list"]},
    "contradictory": {"deploy": "kubernetes", "journal": "sqlite"},
}


@pytest.mark.parametrize("strange", STRANGE_ANSWERS.values(), ids=STRANGE_ANSWERS)
def test_strange_answers_are_taken_as_copier_takes_them(
    template: Path, project: Path, strange: dict
) -> None:
    path = project / ANSWERS
    recorded = yaml.safe_load(path.read_text(encoding="utf-8")) | strange
    path.write_text(yaml.safe_dump(recorded), encoding="utf-8")
    rendered = Template(template).version(VERSION).render(recorded)
    shutil.copytree(project, project.parent / "recopied" / "flights")
    again = project.parent / "recopied" / "flights"
    run_recopy(again, defaults=True, overwrite=True, quiet=True, skip_answered=False)
    assert {
        path: file.blob for path, file in rendered.files.items() if (again / path).is_file()
    }.items() >= {
        path: blob_hash((again / path).read_bytes())
        for path in (ANSWERS, "pyproject.toml", "LICENSE", ".github/CODEOWNERS", ".dvc/config")
    }.items()
    asked = {name: each for name, each in rendered.answers.items() if not each.hidden}
    kept = yaml.safe_load(path.read_text(encoding="utf-8"))
    refused = {name for name, each in asked.items() if each.refused}
    assert all(name in strange for name in refused)
    assert kept.keys() >= refused


# --- No false alarm ---


@pytest.mark.parametrize("answers", PAIRWISE, ids=name_of)
def test_a_fresh_project_keeps_all_standards(
    render: Render, templates: Templates, tmp_path: Path, answers: dict
) -> None:
    shutil.copytree(render(answers), tmp_path / "project")
    project = commit(tmp_path / "project")
    git(project, "clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    for place, at in ((project, "HEAD"), (project, None), (tmp_path / "bare.git", "HEAD")):
        report = check(place, templates, at=at)
        assert found(report) == []
        assert (report.version, report.newest, report.behind) == (VERSION, VERSION, 0)


def test_a_teams_everyday_work_raises_no_alarm(project: Path, templates: Templates) -> None:
    """Its own code, tests, data, notes and settings, lines of its own in shared files."""
    append(project / "README.md", "\n# Ours\n\n=======\n\nA line of seven equals signs.\n")
    append(project / ".gitignore", "notes/\n")
    append(project / "src/flights/model/features.py", "\nOURS = 1\n")
    write(
        project / "src/flights/ours.py",
        "import joblib\nimport pickle\n\nprint(pickle.DEFAULT_PROTOCOL)\n",
    )
    write(project / "tests/test_ours.py", "def test_ours() -> None:\n    assert True\n")
    write(project / "data/raw/0002-more.bin", b"\x80\x04 no pickle")
    write(
        project / ".github/workflows/ours.yml",
        f"- uses: acme/action@{SHA} # v1.2.3\n- uses: ./here\n",
    )
    write(project / "compose.env.example", "URL=postgresql://user:password@localhost/db\n")
    write(project / "datei-ü und blank.txt", "ü\n")
    replace(project / "params.yaml", "max_slice_gap: 0.1 ", "max_slice_gap: 0.2 ")
    replace(project / "problem.yaml", "months: 24", "months: 12")
    for at in (None, "HEAD"):
        assert found(check(commit(project), templates, at=at)) == []


def test_after_an_update_there_is_no_alarm(template: Path, tmp_path: Path) -> None:
    """Neither before it, but for being behind, nor after: seeded samples are not missed."""
    platform = tmp_path / "platform"
    shutil.copytree(template, platform)
    run_copy(str(platform), tmp_path / "project", defaults=True, quiet=True)
    project = commit(tmp_path / "project")
    write(platform / "template/.dvcignore", "# News\n")
    write(platform / "template/tests/news.txt", "News\n")
    commit(platform, tag="v0.2.0")
    before = check(project, Templates())
    assert (before.behind, before.newest) == (1, "v0.2.0")
    assert only(before).rule == "version.behind"
    assert "one release behind v0.2.0: run uvx copier update" in only(before).message
    assert not before.failed
    run_update(project, defaults=True, overwrite=True, quiet=True)
    after = check(commit(project), Templates())
    assert (found(after), after.behind, after.version) == ([], 0, "v0.2.0")


# --- Each damage is found ---

OLD_ACTION = "on: push\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n"
TOKEN = "ghp_" + "a1B2" * 9
DAMAGES: dict[str, tuple[Damage, str, str | None, str]] = {
    "managed file gone": (
        lambda p: (p / ".dvcignore").unlink(),
        "managed.missing",
        ".dvcignore",
        ".dvcignore is gone: put it back with copier-mlops restore .dvcignore",
    ),
    "managed file changed": (
        lambda p: append(p / "src/flights/cli.py", "# ours\n"),
        "managed.changed",
        "src/flights/cli.py",
        f"is not as {VERSION} renders it: put it back with copier-mlops restore",
    ),
    "managed file executable": (
        lambda p: (p / "src/flights/cli.py").chmod(0o755),
        "managed.changed",
        "src/flights/cli.py",
        "is executable",
    ),
    "managed file a link": (
        lambda p: ((p / ".dvcignore").unlink(), (p / ".dvcignore").symlink_to("README.md")),
        "managed.changed",
        ".dvcignore",
        "is not as",
    ),
    "answers edited": (
        lambda p: append(p / ANSWERS, "# a note\n"),
        "managed.changed",
        ANSWERS,
        "change answers with copier update --data NAME=VALUE",
    ),
    "shared file gone": (
        lambda p: (p / "LICENSE").unlink(),
        "shared.missing",
        "LICENSE",
        "restore it with copier-mlops restore LICENSE",
    ),
    "problem statement gone": (
        lambda p: (p / "problem.yaml").unlink(),
        "required.missing",
        "problem.yaml",
        "problem.yaml is missing",
    ),
    "settings gone": (
        lambda p: (p / "params.yaml").unlink(),
        "required.missing",
        "params.yaml",
        "restore it from the history",
    ),
    "contract gone": (
        lambda p: (p / "contract.yaml").unlink(),
        "required.missing",
        "contract.yaml",
        "contract.yaml is missing",
    ),
    "conflict in a shared file": (
        lambda p: append(
            p / "README.md",
            "<<<<<<< before updating\nours\n=======\ntheirs\n>>>>>>> after updating\n",
        ),
        "update.conflict",
        "README.md",
        "holds an unsolved conflict",
    ),
    "reject": (
        lambda p: write(p / "README.md.rej", "@@\n"),
        "update.reject",
        "README.md.rej",
        "lines that an update could not place",
    ),
    "answer nobody asked for": (
        lambda p: append(p / ANSWERS, "colour: red\n"),
        "answers.unknown",
        ANSWERS,
        '"colour", which is no question',
    ),
    "answer that is invalid": (
        lambda p: replace(
            p / ANSWERS, "data_engineer: '@acme/data-engineering'", "data_engineer: me"
        ),
        "answers.invalid",
        ANSWERS,
        'data_engineer cannot be "me" (An owner is a team',
    ),
    "another package": (
        lambda p: replace(p / ANSWERS, "package: flights", "package: trains"),
        "answers.contradict",
        ANSWERS,
        'says the package is "trains", but there is src/flights',
    ),
    "folder the answers leave out": (
        lambda p: write(p / "deploy/k8s/base/deployment.yaml", "kind: Deployment\n"),
        "answers.contradict",
        "deploy/k8s/base/deployment.yaml",
        'should not be there when deploy is "compose"',
    ),
    "no answers": (
        lambda p: (p / ANSWERS).unlink(),
        "answers.missing",
        ANSWERS,
        "adopt it with copier copy",
    ),
    "answers without origin": (
        lambda p: write(p / ANSWERS, "package: flights\n"),
        "answers.missing",
        ANSWERS,
        "does not say _commit and _src_path",
    ),
    "unknown commit": (
        lambda p: replace(p / ANSWERS, f"_commit: {VERSION}", "_commit: v9.9.9"),
        "version.unknown",
        ANSWERS,
        "v9.9.9, which the template does not have",
    ),
    "no decision": (
        lambda p: replace(p / "problem.yaml", 'decision: "Should', 'decision: "" # "Should'),
        "problem.incomplete",
        "problem.yaml",
        "problem.yaml:5: decision is not said",
    ),
    "blank owner": (
        lambda p: replace(
            p / "problem.yaml", 'ml_engineer: "@acme/ml-engineering"', 'ml_engineer: ""'
        ),
        "owners.missing",
        "problem.yaml",
        "owners.ml_engineer names nobody",
    ),
    "owner CODEOWNERS does not know": (
        lambda p: replace(p / "problem.yaml", "@acme/business", "@acme/sales"),
        "owners.disagree",
        ".github/CODEOWNERS",
        "problem.yaml is asked of @acme/business, but problem.yaml names @acme/sales as business_owner",
    ),
    "no CODEOWNERS": (
        lambda p: write(p / ".github/CODEOWNERS", "# nobody\n"),
        "owners.disagree",
        ".github/CODEOWNERS",
        "is asked of nobody",
    ),
    "action by tag": (
        lambda p: write(p / ".github/workflows/ours.yml", OLD_ACTION),
        "actions.unpinned",
        ".github/workflows/ours.yml",
        "ours.yml:5: actions/checkout@v4 can change under your feet",
    ),
    "token": (
        lambda p: write(p / "notebooks/try.py", f"\nTOKEN = '{TOKEN}'\n"),
        "secret.found",
        "notebooks/try.py",
        "notebooks/try.py:2: this looks like a GitHub token: revoke it",
    ),
    "password in an address": (
        lambda p: append(p / "README.md", "\npostgresql://jo:hunter22@db.acme/flights\n"),
        "secret.found",
        "README.md",
        "this looks like a password",
    ),
    "private key": (
        lambda p: write(p / "key", "-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        "secret.found",
        "key",
        "this looks like a private key",
    ),
    "pickle by name": (
        lambda p: write(p / "models/model.pkl", "x"),
        "pickle.file",
        "models/model.pkl",
        "store ONNX, Parquet or JSON",
    ),
    "pickle by content": (
        lambda p: write(p / "models/model.dat", b"\x80\x04K\x01."),
        "pickle.file",
        "models/model.dat",
        "is a pickle",
    ),
    "code that unpickles": (
        lambda p: write(p / "src/flights/ours.py", "import joblib as j\n\nMODEL = j.load('m')\n"),
        "pickle.code",
        "src/flights/ours.py",
        "src/flights/ours.py:3: joblib.load runs whatever code is in the file",
    ),
    "settings that are no YAML": (
        lambda p: write(p / "params.yaml", "gates: [\n"),
        "file.unreadable",
        "params.yaml",
        "params.yaml: cannot be read",
    ),
    "stage unknown to dvc.yaml": (
        lambda p: write(p / "dvc.lock", "schema: '2.0'\nstages: {gone: {cmd: x}}\n"),
        "lock.stale",
        "dvc.lock",
        "holds a stage gone that dvc.yaml does not have: run dvc repro",
    ),
}


@pytest.mark.parametrize(("damage", "rule", "path", "says"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_found_and_named(
    project: Path, templates: Templates, damage: Damage, rule: str, path: str | None, says: str
) -> None:
    """In the last commit, and in the folder before it is committed."""
    damage(project)
    edited = check(project, templates, at=None)
    committed = check(commit(project), templates)
    for report in (edited, committed):
        hits = [each for each in report.findings if each.rule in (rule, "managed.edited")]
        assert hits, found(report)
        assert any(each.path == path for each in hits), found(report)
        others = {each.rule for each in report.findings} - {rule, "lock.missing", "managed.edited"}
        assert not others or rule in ("lock.stale", "owners.disagree"), others
    assert any(says in each.message for each in committed.findings), [
        each.message for each in committed.findings
    ]
    assert committed.failed == (rule not in ("shared.missing", "answers.unknown"))
