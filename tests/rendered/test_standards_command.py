"""The command copier-mlops, and what its documentation promises."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from repo_review.processor import process

from copier_mlops import review
from copier_mlops.check import check
from copier_mlops.policy import Policy, TemplateRules, WaiverRules
from copier_mlops.rules import RULES
from copier_mlops.template import Templates
from standards import append, list_findings, replace, write
from support import ROOT, VERSION, Render, commit, git, run


def command(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run("copier-mlops", *arguments, cwd=cwd, check=False)


def test_the_command_says_what_it_found(project: Path, template: Path) -> None:
    clean = command("check", "--at", "HEAD", cwd=project)
    assert clean.returncode == 0
    append(project / "src/mlops/cli.py", "# ours\n")
    shown = command("check", "--template", template, cwd=project)
    assert shown.returncode == 1
    assert f"{project} at {VERSION}: " in shown.stdout
    assert "error    managed.edited: src/mlops/cli.py is being edited" in shown.stdout
    bad = command("check", "--policy", "nothing.yml", cwd=project)
    assert (bad.returncode, bad.stdout) == (
        2,
        "copier-mlops: The policy nothing.yml cannot be read: No such file or directory.\n",
    )
    assert command("check", "nowhere", cwd=project).returncode == 2
    unreachable = command("check", "--template", "nope", cwd=project)
    assert unreachable.returncode == 2
    assert unreachable.stdout.startswith("copier-mlops: The template nope is no repository")


def test_machines_read_the_same(project: Path) -> None:
    append(project / "src/mlops/cli.py", "# ours\n")
    (project / "LICENSE").unlink()
    printed = command("check", "--format", "json", cwd=project).stdout
    (report,) = json.loads(printed)
    assert report["failed"] is True
    assert {each["rule"] for each in report["findings"]} == {
        "managed.edited",
        "shared.missing",
        "lock.missing",
    }
    write(project.parent / "s.sarif", command("check", "--format", "sarif", cwd=project).stdout)
    sarif = json.loads((project.parent / "s.sarif").read_text())
    results = {each["ruleId"]: each["level"] for each in sarif["runs"][0]["results"]}
    assert results == {
        "managed.edited": "error",
        "shared.missing": "warning",
        "lock.missing": "warning",
    }
    suite = ElementTree.fromstring(  # noqa: S314 - our own
        command("check", "--format", "junit", cwd=project).stdout
    )[0]
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["managed.edited"]
    assert {case.get("name") for case in suite} >= set(RULES)


def test_restore_puts_a_file_back(project: Path, templates: Templates) -> None:
    append(project / "src/mlops/cli.py", "# ours\n")
    (project / "src/mlops/core/formatting.py").chmod(0o755)
    (project / "LICENSE").unlink()
    refused = command("restore", "LICENSE", "params.yaml", cwd=project)
    assert refused.returncode == 2
    assert "params.yaml is the team's" in refused.stdout
    assert not (project / "LICENSE").exists()
    unknown = command("restore", "Dockerfile", cwd=project)
    assert unknown.returncode == 2
    assert unknown.stdout.endswith("renders; did you mean deploy/Dockerfile?\n")
    done = command(
        "restore", "LICENSE", "src/mlops/cli.py", "src/mlops/core/formatting.py", cwd=project
    )
    assert done.returncode == 0, done.stdout
    assert list_findings(check(project, templates, at=None)) == []
    assert not git(project, "status", "--porcelain")


DOCS = (ROOT / "docs" / "standards.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)


def test_the_rules_are_those_of_the_documentation() -> None:
    rows = re.findall(r"^\| `([a-z.]+)` \| (\w+) \| (.+) \|$", DOCS, re.MULTILINE)
    assert rows == sorted((name, rule.severity, rule.asks) for name, rule in RULES.items())


def test_each_rule_has_a_test_that_breaks_it() -> None:
    tests = (ROOT / "tests/rendered").glob("test_*.py")
    broken = "".join(path.read_text(encoding="utf-8") for path in tests)
    assert [rule for rule in RULES if f'"{rule}"' not in broken] == []


def test_the_documented_waiver_and_policy_hold(
    project: Path, templates: Templates, tmp_path: Path
) -> None:
    waiver, policy, _ = blocks("yaml")
    append(project / "deploy/Dockerfile", "# ours\n")
    write(project / ".standards.yml", waiver)
    report = check(commit(project), templates)
    assert {rule for rule, _ in list_findings(report)} == {"managed.changed", "waiver.malformed"}
    last = datetime.now(UTC).date() + timedelta(days=WaiverRules().max_days)
    write(project / ".standards.yml", waiver.replace("YYYY-MM-DD", str(last)))
    assert not check(commit(project), templates).failed
    write(tmp_path / "policy.yml", policy)
    asked = Policy.load(tmp_path / "policy.yml").model_copy(update={"template": TemplateRules()})
    write(project / ".standards.yml", "")
    report = check(commit(project), templates, asked)
    assert ("lock.missing", "error") in {(each.rule, each.severity) for each in report.findings}
    assert list_findings(report) == [("managed.changed", "deploy/Dockerfile")]


def test_an_organisation_adds_a_policy_in_a_few_lines(project: Path, tmp_path: Path) -> None:
    """The plugin of the documentation, installed beside the package."""
    (code,), (entry,) = blocks("python"), blocks("toml")
    write(tmp_path / "plugin/acme_standards.py", code)
    points = entry.replace("[project.entry-points.", "[").replace('"', "")
    write(tmp_path / "plugin/acme-1.0.dist-info/entry_points.txt", points)
    write(tmp_path / "plugin/acme-1.0.dist-info/METADATA", "Name: acme\nVersion: 1.0\n")
    replace(project / "problem.yaml", "unit: EUR", "unit: USD")
    python = [sys.executable, "-m", "copier_mlops", "check", "--format", "json"]
    shown = subprocess.run(
        python,
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "plugin")},
        capture_output=True,
        text=True,
        check=False,
    )
    findings = {each["rule"]: each for each in json.loads(shown.stdout)[0]["findings"]}
    assert findings["acme.euros"]["path"] == "problem.yaml"
    assert "counts in USD: Acme counts in EUR" in findings["acme.euros"]["message"]
    assert shown.returncode == 1


class Breaks:
    family = "acme"

    @staticmethod
    def check() -> str:
        raise ZeroDivisionError("oh")


class Needs:
    family = "acme"

    @staticmethod
    def check(fragile: str) -> str:
        return fragile


def no_checks() -> dict:
    raise ZeroDivisionError("oh")


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda: {"acme.breaks": Breaks()}, "The policy acme.breaks could not be tried"),
        (lambda: {"acme.needs": Needs()}, "The policy acme.needs could not be tried"),
        (no_checks, "A plugin of policies could not be tried"),
        (
            review.load_plugin(EntryPoint("acme", "no_such_module:checks", "repo_review.checks")),
            "A plugin of policies could not be tried (ModuleNotFoundError",
        ),
    ],
    ids=["check", "fixture", "checks", "import"],
)
def test_a_plugin_that_breaks_is_a_finding_and_stops_no_other(
    project: Path, templates: Templates, monkeypatch: pytest.MonkeyPatch, function: Any, says: str
) -> None:
    fixtures, functions = review.load_plugins()
    fixtures = fixtures | {"fragile": Breaks.check}
    monkeypatch.setattr(review, "load_plugins", lambda: (fixtures, [function, *functions]))
    write(project / "model.pkl", b"\x80\x04N.")
    report = check(project, templates, at=None)
    assert list_findings(report) == [("policy.broken", None), ("pickle.file", "model.pkl")]
    [message] = [each.message for each in report.findings if each.rule == "policy.broken"]
    assert message.startswith(says)
    assert "oh" in message or "no_such_module" in message
    assert report.failed


def test_repo_review_itself_runs_the_checks(project: Path) -> None:
    write(project / "key", "-----BEGIN PRIVATE KEY-----\n")
    report = process(project)
    failed = {result.name for result in report.results if result.result is False}
    assert failed == {"secret.found", "lock.missing"}


@pytest.mark.slow
def test_it_is_a_hook_of_pre_commit(template: Path, project: Path, tmp_path: Path) -> None:
    """Installed from a clone of this repository, as the documentation writes it."""
    hooks = blocks("yaml")[2].replace("ADDRESS", str(template)).replace("VERSION", VERSION)
    write(tmp_path / "hooks.yaml", hooks)
    kept = {"PRE_COMMIT_HOME": str(tmp_path / "home")}
    hook = ["pre-commit", "run", "--all-files", "--verbose", "--config", tmp_path / "hooks.yaml"]

    def tried() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            hook,
            cwd=project,
            env=os.environ | kept,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    passed = tried()
    assert passed.returncode == 0, passed.stdout
    append(project / "src/mlops/cli.py", "# ours\n")
    git(project, "add", "--all")
    refused = tried()
    assert refused.returncode == 1
    assert "managed.edited: src/mlops/cli.py is being edited" in refused.stdout


@pytest.mark.slow
def test_the_workflow_of_a_project_finds_an_edit(set_up: Render, template: Path) -> None:
    """The two commands of its jobs, in a project whose template can be reached."""
    project = set_up({})
    jobs = yaml.safe_load((project / ".github/workflows/ci.yml").read_text())["jobs"]
    where = next(step for step in jobs["lint"]["steps"] if step.get("id") == "template")
    checks = jobs["standards"]["steps"][-1]
    assert where["run"] == 'uv run --locked mlops project template --output "$GITHUB_OUTPUT"'
    assert checks["run"] == 'uvx --from "$TEMPLATE" copier-mlops check'
    output = project.parent / "output"
    run("uv", "run", "mlops", "project", "template", "--output", output, cwd=project)
    address = output.read_text().strip().removeprefix("template=")
    assert address == f"git+{template.as_uri()}@{VERSION}"
    copy = project.parent / "edited"
    git(project.parent, "clone", "--quiet", str(project), str(copy))
    check_it = ["uvx", "--from", address, "copier-mlops", "check"]
    passed = run(*check_it, cwd=copy, check=False)
    assert passed.returncode == 0, passed.stdout
    append(copy / ".github/workflows/ci.yml", "# ours\n")
    refused = run(*check_it, cwd=commit(copy), check=False)
    assert refused.returncode == 1
    assert "managed.changed: .github/workflows/ci.yml is not as v0.1.0 renders it" in refused.stdout
