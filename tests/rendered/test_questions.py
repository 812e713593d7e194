"""Each question refuses nonsense in one sentence, and matters; its form is a rule of a release."""

import keyword
import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from answers import HOSTILE, REFUSED
from support import ROOT, Answers, Render, files

CONFIG = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
ASKED = {
    name: question
    for name, question in CONFIG.items()
    if not name.startswith("_") and question.get("when") is not False
}
OWNERS = [name for name in ASKED if name.endswith(("owner", "engineer", "scientist"))]
S3 = {"dvc_remote": "s3"}
SERVER = {"mlflow": "server"}
KUBERNETES = {"deploy": "kubernetes"}

# For each question: an answer that is not the default, a file, and what must then be in it.
SHOWS = [
    ("project_name", {"project_name": "Late Trains"}, "problem.yaml", "Late Trains"),
    ("package", {"package": "trains"}, "pyproject.toml", 'trains = "mlops.cli:main"'),
    ("sample", {"sample": "flights"}, "contract.yaml", "arr_delay"),
    ("decision", {"decision": "Send a bus?"}, "problem.yaml", "Send a bus?"),
    ("organisation", {"organisation": "zeta"}, ".github/CODEOWNERS", "@zeta/data-science"),
    ("licence", {"licence": "BSD-3-Clause"}, "LICENSE", "BSD 3-Clause"),
    ("licence", {"licence": "MIT"}, "pyproject.toml", 'license = "MIT"'),
    ("licence", {"licence": "Apache-2.0"}, "LICENSE", "Apache License"),
    ("licence", {"licence": "Proprietary"}, "LICENSE", "All rights reserved"),
    ("python_min", {"python_min": "3.12"}, "pyproject.toml", 'requires-python = ">=3.12"'),
    ("python_min", {"python_min": "3.13"}, "pyproject.toml", 'target-version = "py313"'),
    ("dvc_remote", S3, "pyproject.toml", '"dvc[s3]~='),
    ("dvc_remote", {"dvc_remote": "gcs"}, ".dvc/config", "url = gs://acme-dvc/flights"),
    ("dvc_remote", {"dvc_remote": "azure"}, "pyproject.toml", '"dvc[azure]~='),
    ("dvc_remote", {"dvc_remote": "ssh"}, ".dvc/config", "url = ssh://dvc.acme.example/srv"),
    ("dvc_remote_url", {**S3, "dvc_remote_url": "s3://x1/y"}, ".dvc/config", "url = s3://x1/y\n"),
    ("mlflow", SERVER, "params.yaml", "https://mlflow.acme.example"),
    ("mlflow_uri", {**SERVER, "mlflow_uri": "http://ml:5000"}, "params.yaml", "http://ml:5000"),
    ("scale", {"scale": "dask"}, "src/mlops/cluster/dask_workers.py", "import Client"),
    ("scale", {"scale": "dask"}, "pyproject.toml", '"distributed~='),
    ("deploy", {"deploy": "compose"}, "pyproject.toml", "fastapi"),
    ("deploy", KUBERNETES, "deploy/k8s/base/deployment.yaml", "kind: Deployment"),
    ("deploy", {"deploy": "none"}, "dvc.yaml", "release:"),
    ("journal", {"journal": "postgresql"}, "pyproject.toml", '"psycopg[binary]~='),
    ("updates", {"updates": "workflow"}, ".github/dependabot.yml", "package-ecosystem: uv"),
    ("updates", {"updates": "renovate"}, "renovate.json", '"copier"'),
    *((owner, {owner: "@acme/crew"}, ".github/CODEOWNERS", "@acme/crew") for owner in OWNERS),
]

# Answers that are refused, whatever the reason.
WRONG: dict[str, list[str]] = {
    "project_name": REFUSED,
    "package": [
        "mlops",
        "",
        "x",
        "1st",
        "Upper",
        "a-b",
        "trailing_",
        "class",
        "numpy",
        "json",
        "a" * 31,
    ],
    "sample": ["trains"],
    "decision": ["-", "a\nb", "{{ x }}", "x" * 201],
    "organisation": ["", "a b", "a_b", "-a", "a--b", "@acme", "a" * 40],
    "licence": ["GPL"],
    "python_min": ["3.10", "2"],
    "dvc_remote": ["ftp"],
    "dvc_remote_url": [
        "",
        "/srv/dvc",
        "gs://wrong/scheme",
        "s3://",
        "s3://key:secret@b",
        "s3://a b",
    ],
    "mlflow": ["cloud"],
    "scale": ["spark"],
    "deploy": ["lambda"],
    "journal": ["mysql"],
    "updates": ["by hand"],
    "mlflow_uri": ["", "mlflow.db", "https://me:secret@host", "http://a b", "ftp://host"],
    **{owner: ["", "acme/data", "@", "@a/b c", "jo@", "jo doe@acme.example"] for owner in OWNERS},
}
NEEDS: dict[str, Answers] = {"dvc_remote_url": S3, "mlflow_uri": SERVER}


def test_every_question_is_covered_here() -> None:
    assert {shown[0] for shown in SHOWS} == set(ASKED) == set(WRONG)


@pytest.mark.parametrize(("name", "answers", "path", "text"), SHOWS)
def test_an_answer_changes_what_is_rendered(
    render: Render, name: str, answers: Answers, path: str, text: str
) -> None:
    assert text in (render(answers) / path).read_text(encoding="utf-8"), name


def test_an_empty_project_holds_no_sample(render: Render) -> None:
    empty, full = files(render({"sample": "empty"})), files(render())
    gone = {name for name in full if name not in empty}
    assert gone >= {"contract.yaml"}
    assert any(name.startswith("data/raw/") for name in gone)
    assert not any(name.startswith("data/raw/") for name in empty)


def test_a_server_leaves_no_trace_of_the_embedded_store(render: Render) -> None:
    rendered = files(render(SERVER))
    # What CI registers to judge a change stays with that run.
    theirs = (".github/", "src/", "tests/")
    assert not [name for name, content in rendered.items() if b"sqlite:///mlflow" in content
                and not name.startswith(theirs)]  # fmt: skip


def test_one_machine_knows_nothing_of_a_cluster(render: Render) -> None:
    dask = files(render({"scale": "dask"}))
    single = files(render({"scale": "single"}))
    gained = set(dask) - set(single)
    assert set(dask) > set(single)
    assert {name for name in gained if not name.startswith("deploy/k8s/dask/")} == {
        "src/mlops/cluster/__init__.py",
        "src/mlops/cluster/dask_workers.py",
    }
    for name in ("pyproject.toml", "params.yaml", "deploy/README.md", "dvc.yaml"):
        assert b"dask" not in single[name].lower(), name


def test_a_project_that_is_not_deployed_has_no_service(render: Render) -> None:
    none, compose = files(render({"deploy": "none"})), files(render({"deploy": "compose"}))
    gone = set(compose) - set(none)
    assert not set(none) - set(compose)
    assert {"src/mlops/serving/app.py", "src/mlops/serving/latency.py"} < gone
    rooms = [f"src/mlops/{room}/" for room in ("serving", "deployment", "monitoring")]
    rooms += ["deploy/", "docs/guide/service.md", "docs/runbooks/"]
    rooms += [f".github/workflows/{name}.yml" for name in ("cd", "monitor", "rollback")]
    assert not [name for name in gone if not name.startswith(tuple(rooms))]
    assert not [name for name in none if name.startswith(tuple(rooms))]
    for name in ("pyproject.toml", "params.yaml", "dvc.yaml", "README.md", ".github/CODEOWNERS"):
        for word in (b"serving", b"serve ", b"latency", b"fastapi", b"deploy/", b"kubectl"):
            assert word not in none[name].lower(), name


def test_only_kubernetes_has_its_manifests(render: Render) -> None:
    compose, kubernetes = files(render({"deploy": "compose"})), files(render(KUBERNETES))
    gained, lost = set(kubernetes) - set(compose), set(compose) - set(kubernetes)
    theirs = ("deploy/k8s/", "src/mlops/deployment/kubernetes/")
    assert not [name for name in gained if not name.startswith(theirs)]
    assert {name.split("/")[0] for name in lost} == {"deploy", "src"}
    assert not [name for name in compose if name.startswith(theirs)]
    assert "kubectl" not in compose["deploy/README.md"].decode()


def test_the_journal_of_a_pod_is_a_database(render: Render, tmp_path: Path) -> None:
    """It is not asked where there is one answer; the other is refused, and none is left over."""
    project = render({"deploy": "kubernetes"})
    assert "psycopg" in (project / "pyproject.toml").read_text(encoding="utf-8")
    assert "journal" not in (project / ".copier-answers.yml").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"journal.*lost with the pod.*for example: postgresql"):
        render({"deploy": "kubernetes", "journal": "sqlite"}, into=tmp_path / "project")
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("journal", ["sqlite", "postgresql"])
def test_the_driver_of_postgresql_comes_with_its_journal(render: Render, journal: str) -> None:
    pyproject = tomllib.loads((render({"journal": journal}) / "pyproject.toml").read_text())
    serving = " ".join(pyproject["dependency-groups"]["serving"])
    assert ("psycopg" in serving) == (journal == "postgresql")


@pytest.mark.parametrize(
    ("name", "answer"), [(name, answer) for name in WRONG for answer in WRONG[name]]
)
def test_a_wrong_answer_is_refused_in_one_sentence(
    render: Render, tmp_path: Path, name: str, answer: str
) -> None:
    with pytest.raises(ValueError, match=name) as refusal:
        render({**NEEDS.get(name, {}), name: answer}, into=tmp_path / "project")
    message = str(refusal.value)
    assert message.startswith(("Validation error for question", "Invalid choice for"))
    assert "\n" not in message
    assert "for example: " in message or " is not in [" in message
    assert not (tmp_path / "project").exists()


ENVIRONMENT = SandboxedEnvironment(
    loader=FileSystemLoader(ROOT),
    extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def ask(name: str, field: str, **known: str) -> str:
    """What Copier would compute for one field of a question, without rendering a project."""
    values = {"refused": CONFIG["refused"]["default"], "taken": taken_names()}
    return ENVIRONMENT.from_string(CONFIG[name][field]).render(values | known).strip()


def taken_names() -> str:
    return (ROOT / "hooks" / "taken-names.txt").read_text(encoding="utf-8")


@given(st.text(max_size=110))
def test_the_derived_package_of_any_accepted_name_is_valid(name: str) -> None:
    if not ask("project_name", "validator", project_name=name):
        package = ask("package", "default", project_name=name)
        assert not ask("package", "validator", package=package)
        assert package.isidentifier()


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("Late Trains", "late_trains"),
        ("2024 Sales!", "sales"),
        ("numpy", "numpy_ml"),
        ("X", "x_ml"),
        ("Kündigungs-Wächter", "kuendigungs_waechter"),
        ("日本", "ml_project"),
        ("N" * 100, "n" * 30),
    ],
)
def test_the_package_follows_from_the_name(name: str, package: str) -> None:
    assert ask("package", "default", project_name=name) == package


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_accepted(name: str) -> None:
    assert not ask("project_name", "validator", project_name=name)


def test_names_of_python_and_of_the_dependencies_are_taken(render: Render) -> None:
    taken, beside = set(taken_names().split()), render() / "src"
    platform = {path.name for path in beside.iterdir()} - {"flights"}
    importable = {name for name in sys.stdlib_module_names if re.fullmatch("[a-z][a-z0-9_]+", name)}
    pyproject = tomllib.loads((render() / "pyproject.toml").read_text(encoding="utf-8"))
    needed = [
        *pyproject["project"]["dependencies"],
        *chain(*pyproject["dependency-groups"].values()),
    ]
    packages = {re.split(r"[\[~>=<]", need)[0].replace("-", "_") for need in needed}
    assert importable | packages | platform | set(map(str.lower, keyword.kwlist)) <= taken
