"""Policies, waivers and locks: what an organisation asks, and for how long not."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from copier_mlops.check import check
from copier_mlops.errors import UserError
from copier_mlops.policy import Policy
from copier_mlops.render import ANSWERS
from copier_mlops.template import Templates
from standards import (
    append,
    get_only_finding,
    list_findings,
    lock_stages,
    replace,
    template_of_its_own,
    write,
)
from support import Render, commit, run


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "max_loss: 0.0 ",
            "max_loss: 0.5 ",
            "gates.max_loss is 0.5, and the policy asks for <= 0.02",
        ),
        ("max_loss: 0.0 ", "max_loss: null ", "gates.max_loss is null, so nothing blocks"),
        ("max_loss: 0.0 ", "max_loss: yes ", "gates.max_loss is True"),
        (
            "min_lift: 0.01 ",
            "min_lift: -1 ",
            "gates.min_lift is -1, and the policy asks for >= 0.0",
        ),
    ],
)
def test_a_gate_below_the_floor_is_found(
    project: Path, templates: Templates, old: str, new: str, says: str
) -> None:
    policy = Policy(floors={"gates.max_loss": "<= 0.02", "gates.min_lift": ">= 0.0"})
    assert list_findings(check(project, templates, policy)) == []
    replace(project / "params.yaml", old, new)
    report = check(project, templates, policy, at=None)
    lines = (project / "params.yaml").read_text().splitlines()
    finding = get_only_finding(report)
    assert (finding.rule, finding.path) == ("gates.weakened", "params.yaml")
    assert finding.line == next(number for number, line in enumerate(lines, 1) if new in line)
    assert says in finding.message
    assert list_findings(check(project, templates, Policy(), at=None)) == []


def test_a_setting_that_is_taken_out_counts_as_the_template_has_it(
    project: Path, templates: Templates
) -> None:
    replace(project / "params.yaml", "  max_parity_gap: 0.001", "  # max_parity_gap: 0.001")
    kept = Policy(floors={"gates.max_parity_gap": "<= 0.001"})
    assert list_findings(check(project, templates, kept, at=None)) == []
    report = check(
        project, templates, Policy(floors={"gates.max_parity_gap": "<= 0.0001"}), at=None
    )
    assert "gates.max_parity_gap is 0.001" in get_only_finding(report).message


def test_the_policy_of_the_newest_release_holds_for_all(project: Path, template: Path) -> None:
    platform = template_of_its_own(project, template)
    write(platform / "hooks/policy.yml", "floors: {gates.min_lift: '>= 0.1'}\n")
    commit(platform, tag="v0.2.0")
    report = check(project, Templates())
    assert {rule for rule, _ in list_findings(report)} == {"gates.weakened", "version.behind"}
    assert list_findings(check(project, Templates(), Policy())) == [("version.behind", ANSWERS)]


def test_a_template_the_policy_does_not_name_is_not_even_fetched(
    project: Path, tmp_path: Path
) -> None:
    policy = Policy(template={"addresses": ["https://git.acme.example/mlops.git"]})
    replace(project / ANSWERS, "_src_path: ", "_src_path: https://nowhere.invalid/x.git #")
    report = check(project, Templates(cache=tmp_path / "cache"), policy, at=None)
    assert get_only_finding(report).rule == "template.foreign"
    assert "https://nowhere.invalid/x.git" in get_only_finding(report).message
    assert not (tmp_path / "cache").exists()


def test_severities_are_the_organisations(project: Path, templates: Templates) -> None:
    (project / "LICENSE").unlink()
    raised = check(project, templates, Policy(severities={"shared.missing": "error"}), at=None)
    assert raised.failed
    silent = check(project, templates, Policy(severities={"shared.missing": "off"}), at=None)
    assert list_findings(silent) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("floor: {}", "there is no setting floor"),
        ("floors: {gates.max_loss: 0.02}", "floors.gates.max_loss"),
        ("floors: {gates.max_loss: '< 0.02'}", "write <= or >=, a blank and a number"),
        ("floors: [", "is no YAML"),
        ("severities: {lock.missing: fatal}", "severities.lock.missing"),
    ],
)
def test_a_bad_policy_is_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    write(tmp_path / "policy.yml", text)
    with pytest.raises(UserError, match=re.escape(says)) as raised:
        Policy.load(tmp_path / "policy.yml")
    assert "policy.yml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_repository_cannot_excuse_itself(project: Path, templates: Templates) -> None:
    """Plain repo-review would heed this; a waiver would need a reason and a day."""
    append(project / "pyproject.toml", '\n[tool.repo-review]\nignore = ["secret.found"]\n')
    write(project / "key", "-----BEGIN PRIVATE KEY-----\n")
    assert get_only_finding(check(project, templates, at=None)).rule == "secret.found"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("<<<<<<< ours\n[project]\n=======\n[tool]\n>>>>>>> theirs\n", "file.unreadable"),
        ("project = 3\n", "policy.broken"),
        ("tool = 3\n", None),
    ],
)
def test_a_bad_pyproject_switches_no_policy_off(
    project: Path, templates: Templates, text: str, rule: str | None
) -> None:
    write(project / "pyproject.toml", text)
    write(project / "uv.lock", '[[package]]\nname = "x"\nsource = { editable = "." }\n')
    write(project / "model.pkl", b"\x80\x04N.")
    rules = {each for each, _ in list_findings(check(project, templates, at=None))}
    assert "pickle.file" in rules
    assert rule is None or rule in rules


@pytest.fixture(scope="module")
def locked(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With markers, extras and groups to lock."""
    folder = tmp_path_factory.mktemp("locked") / "flights"
    shutil.copytree(render({"scale": "dask", "dvc_remote": "s3"}), folder)
    run("uv", "lock", "--quiet", cwd=folder)
    return commit(folder)


@pytest.mark.parametrize(
    "case",
    [
        ('"polars~=2.1"', '"polars~=2.1,<4"', "dependencies of pyproject.toml about polars"),
        ('    "polars~=2.1",\n', "", "dependencies of pyproject.toml about polars"),
        ('"dvc[s3]~=3.67"', '"dvc[gs]~=3.67"', "about dvc"),
        ('"ruff~=0.17"', '"ruff~=0.17", "rope>=1"', "group dev of pyproject.toml about rope"),
        ("[dependency-groups]\n", '[dependency-groups]\nteam = ["six"]\n', "group team"),
    ],
)
def test_a_stale_lock_is_found(
    locked: Path, templates: Templates, tmp_path: Path, case: tuple[str, str, str]
) -> None:
    old, new, says = case
    assert check(locked, templates).findings == []
    shutil.copytree(locked, tmp_path / "flights")
    replace(tmp_path / "flights" / "pyproject.toml", old, new)
    (stale,) = check(commit(tmp_path / "flights"), templates).findings
    assert (stale.rule, stale.path) == ("lock.stale", "uv.lock")
    assert says in stale.message
    assert "run uv lock" in stale.message


def test_a_pipeline_that_was_not_run_since_is_found(project: Path, templates: Templates) -> None:
    write(project / "dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": lock_stages(project)}))
    assert list_findings(check(project, templates, at=None)) == []
    replace(project / "dvc.yaml", "      - data/raw\n", "")
    assert (
        "its stage ingest is not that of dvc.yaml: run uv run mlops project lock --tidy"
        in get_only_finding(check(project, templates, at=None)).message
    )
    append(project / "dvc.yaml", "\n  ours:\n    cmd: echo\n")
    messages = [each.message for each in check(project, templates, at=None).findings]
    assert any("lacks the stage ours of dvc.yaml: run dvc repro" in each for each in messages)
