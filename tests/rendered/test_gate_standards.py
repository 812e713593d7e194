"""copier-mlops check: gates, tests and lower bounds are a standard; answers stand in files."""

import subprocess
from pathlib import Path

import pytest

from copier_mlops.check import check
from copier_mlops.render import ANSWERS
from copier_mlops.template import Templates
from standards import Damage, append, list_findings, replace, write
from support import Render, commit, git, run

RELEASE = "  release:\n"


def cut_release(project: Path) -> None:
    text = (project / "dvc.yaml").read_text(encoding="utf-8")
    write(project / "dvc.yaml", text[: text.index(RELEASE)])


DAMAGES: dict[str, tuple[Damage, str, str, str]] = {
    "no stage release": (
        cut_release,
        "gates.missing",
        "dvc.yaml",
        "there is no stage release, so nothing stops a model that it would refuse",
    ),
    "gate that judges nothing": (
        lambda p: replace(p / "dvc.yaml", "cmd: mlops stage gate", "cmd: echo passed"),
        "gates.missing",
        "dvc.yaml",
        "the stage gate does not run 'mlops stage gate'",
    ),
    "gate cut off": (
        lambda p: replace(p / "dvc.yaml", "      - reports/leak.json\n", ""),
        "gates.missing",
        "dvc.yaml",
        "lacks reports/leak.json among its",
    ),
    "gate frozen": (
        lambda p: replace(
            p / "dvc.yaml", "cmd: mlops stage release", "cmd: mlops stage release\n    frozen: true"
        ),
        "gates.missing",
        "dvc.yaml",
        "the stage release is frozen",
    ),
    "tests left out by a name": (
        lambda p: write(p / "tests/conftest.py", "collect_ignore = ['test_pipeline.py']\n"),
        "tests.skipped",
        "tests/conftest.py",
        "tests/conftest.py:1: collect_ignore leaves tests out",
    ),
    "tests left out by an option": (
        lambda p: replace(p / "pyproject.toml", '"-ra"]', '"-ra", "--ignore=tests"]'),
        "tests.skipped",
        "pyproject.toml",
        "addopts has --ignore=tests",
    ),
    "settings of pytest elsewhere": (
        lambda p: write(p / "pytest.ini", "[pytest]\n"),
        "tests.skipped",
        "pytest.ini",
        "takes the place of what pyproject.toml says",
    ),
    "weaker lower bound": (
        lambda p: replace(p / "pyproject.toml", '"polars~=2.1"', '"polars>=1.0"'),
        "requirement.weaker",
        "pyproject.toml",
        "polars may be older than 2.1",
    ),
    "no lower bound": (
        lambda p: replace(p / "pyproject.toml", '"typer~=0.29"', '"typer"'),
        "requirement.weaker",
        "pyproject.toml",
        "typer may be older than 0.29",
    ),
    "another licence": (
        lambda p: replace(p / "pyproject.toml", "LicenseRef-Proprietary", "MIT"),
        "answers.contradict",
        "pyproject.toml",
        "project.license is 'MIT', and by the answer licence it is 'LicenseRef-Proprietary'",
    ),
    "another oldest Python": (
        lambda p: replace(p / "pyproject.toml", ">=3.11", ">=3.9"),
        "answers.contradict",
        "pyproject.toml",
        "requires-python is '>=3.9', and by the answer python_min it is '>=3.11'",
    ),
    "another store": (
        lambda p: replace(p / ".dvc/config", "../../flights-dvc-remote", "s3://other/flights"),
        "answers.contradict",
        ".dvc/config",
        "is 's3://other/flights', and by the answer dvc_remote",
    ),
    "another MLflow": (
        lambda p: replace(p / "params.yaml", "sqlite:///mlflow.db", "https://mlflow.other.example"),
        "answers.contradict",
        "params.yaml",
        "tracking.uri is 'https://mlflow.other.example', and by the answer mlflow it is",
    ),
}


@pytest.mark.parametrize("case", DAMAGES.values(), ids=DAMAGES)
def test_a_way_round_is_found_and_named(
    project: Path, templates: Templates, case: tuple[Damage, str, str, str]
) -> None:
    damage, rule, path, says = case
    damage(project)
    report = check(project, templates, at=None)
    assert set(list_findings(report)) == {(rule, path)}, report.findings
    assert any(says in each.message for each in report.findings), report.findings


def test_what_a_team_may_do_is_no_way_round(project: Path, templates: Templates) -> None:
    replace(project / "dvc.yaml", "      - src/flights/gates.py\n", "      - src/flights/judge\n")
    append(
        project / "dvc.yaml", "\n  ours:\n    cmd: python -m flights.ours\n    deps: [data/raw]\n"
    )
    replace(project / "pyproject.toml", '"polars~=2.1"', '"polars>=2.2,<3"')
    replace(project / ".dvc/config", "../../flights-dvc-remote", "/mnt/store/flights")
    write(project / "tests/conftest.py", "import pytest\n")
    assert list_findings(check(project, templates, at=None)) == []


@pytest.fixture
def kubernetes(render: Render, tmp_path: Path) -> Path:
    """A project whose team has written into a runbook, and removed two seeded files."""
    project = render({"deploy": "kubernetes"}, tmp_path / "flights")
    commit(project)
    append(project / "docs/runbooks/DataOld.md", "## Our own phone tree\n")
    (project / "prices.yaml").unlink()
    (project / "deploy/k8s/overlays/staging/kustomization.yaml").unlink()
    return commit(project, "Ours")


def test_what_a_plain_update_takes_and_brings_back_is_named(
    kubernetes: Path, templates: Templates
) -> None:
    run("copier", "update", "--defaults", "--data", "deploy=none", cwd=kubernetes)
    report = check(kubernetes, templates, at=None)
    found = {(each.rule, each.message.split()[0]) for each in report.findings}
    assert ("update.lost", "docs/runbooks/DataOld.md") in found
    assert ("update.returned", "prices.yaml") in found
    lost = next(each.message for each in report.findings if each.rule == "update.lost")
    command = lost.split(": ", 1)[1].split(" brings")[0]
    subprocess.run(command.split(), cwd=kubernetes, check=True)
    assert "phone tree" in (kubernetes / "docs/runbooks/DataOld.md").read_text()
    git(kubernetes, "restore", "--staged", "--worktree", ".")
    committed = check(commit(kubernetes), templates)
    assert not committed.failed


def test_a_plain_update_that_was_committed_is_a_warning(
    kubernetes: Path, templates: Templates
) -> None:
    run("copier", "update", "--defaults", "--data", "deploy=none", cwd=kubernetes)
    report = check(commit(kubernetes), templates)
    warned = {each.rule for each in report.findings if each.severity == "warning"}
    assert {"update.lost", "update.returned"} <= warned
    report = check(commit(kubernetes, "Next"), templates)
    assert not {"update.lost", "update.returned"} & {each.rule for each in report.findings}


def test_our_command_keeps_removed_files_removed(kubernetes: Path) -> None:
    done = run("copier-mlops", "update", "--data", "licence=MIT", cwd=kubernetes)
    assert "prices.yaml stays removed, as the team has it" in done.stdout
    assert not (kubernetes / "prices.yaml").exists()
    assert not (kubernetes / "deploy/k8s/overlays/staging").exists()


def test_a_new_package_takes_the_teams_files_along(project: Path, templates: Templates) -> None:
    append(project / "src/flights/features.py", "OURS = 1\n")
    write(project / "src/flights/own.py", "import flights\nfrom flights.features import OURS\n")
    write(
        project / "tests/test_own.py",
        "import flights.own as own\n\n\ndef test() -> None:\n    own\n",
    )
    commit(project)
    run("copier-mlops", "update", "--data", "package=trains", cwd=project)
    assert not (project / "src/flights").exists()
    assert (project / "src/trains/features.py").read_text().endswith("OURS = 1\n")
    own = (project / "src/trains/own.py").read_text()
    assert own == "import trains as flights\nfrom trains.features import OURS\n"
    assert (project / "tests/test_own.py").read_text().startswith("import trains.own as own\n")
    assert "flights" not in (project / "tests/test_features.py").read_text().split("def ")[0]
    assert list_findings(check(commit(project), templates)) == []


def test_a_package_that_a_plain_update_left_behind_is_named(
    project: Path, templates: Templates
) -> None:
    run("copier", "update", "--defaults", "--data", "package=trains", cwd=project)
    report = check(project, templates, at=None)
    assert list_findings(report) == [("answers.contradict", ANSWERS)]
    assert "src/flights has the files of the team's package" in report.findings[0].message


def test_the_way_out_of_an_invalid_answer_works(project: Path, templates: Templates) -> None:
    replace(project / ANSWERS, "licence: Proprietary", "licence: GPL")
    says = check(commit(project), templates).findings
    message = next(each.message for each in says if each.rule == "answers.invalid")
    assert 'licence cannot be "GPL"' in message
    assert "write the answer there that the project was made with" in message
    done = run("copier-mlops", "update", "--data", "licence=MIT", cwd=project, check=False)
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1
    assert message in done.stdout
    replace(project / ANSWERS, "licence: GPL", "licence: Proprietary")
    commit(project)
    run("copier", "update", "--defaults", "--data", "licence=MIT", cwd=project)
    assert (project / "LICENSE").read_text().startswith("MIT")


def test_an_update_that_was_stopped_is_told_and_undone(project: Path, templates: Templates) -> None:
    nothing = run("copier-mlops", "update", "--undo", cwd=project, check=False)
    assert "No update was stopped half-way" in nothing.stdout
    (project / ".git/copier-mlops-update").write_text("")
    append(project / "README.md", "half\n")
    write(project / "news.txt", "half\n")
    done = run("copier-mlops", "update", cwd=project, check=False)
    assert done.returncode == 2
    assert "was stopped half-way: 'copier-mlops update --undo' brings back" in done.stdout
    assert ("update.unfinished", ANSWERS) in list_findings(check(project, templates, at=None))
    run("copier-mlops", "update", "--undo", cwd=project)
    assert git(project, "status", "--porcelain") == ""
    git(project, "stash", "pop")
    assert (project / "news.txt").read_text() == "half\n"


LETTERS = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA"  # put together here, so that no file holds one
HELD = {
    "a.py": f'password = "{LETTERS[:12]}"\n',
    "b.cfg": f"JOURNAL_URL=postgresql://flights:{LETTERS[:9]}@db.acme.net\n",
    "prod.env": f"PGPASSWORD={LETTERS[:10]}\n",
    "c.txt": f"sk-proj-{LETTERS * 2}\n",
    "d.txt": f"hf_{LETTERS}{LETTERS[:4]}\n",
    ".dvc/config.shared": f"secret_access_key = '{LETTERS}'\n",
    "e.ini": f"secret_access_key = {LETTERS}\n",
    "f.yaml": f'api_key: "{LETTERS}"\n',
    "g.txt": f"glrt-{LETTERS[:20]}\n",
}
NO_SECRETS = """\
password = os.environ["DB_PASSWORD"]
password = "${DB_PASSWORD}"
api_key = "your-api-key-1"
secret_key: "<fill in 1>"
TOKEN_URL = "https://acme.example/token1"
password_file = "/run/secrets/db1"
url = "postgresql://user:password@localhost/db"
image = "host:8080/name@sha256"
"""


def test_each_secret_is_found_and_what_is_none_is_not(project: Path, templates: Templates) -> None:
    for name, text in HELD.items():
        write(project / name, text)
    write(project / "none.py", NO_SECRETS)
    write(project / "none.cfg", NO_SECRETS)
    git(project, "add", "--force", "prod.env")
    report = check(project, templates, at=None)
    assert {each.path for each in report.findings if each.rule == "secret.found"} == set(HELD)
