"""A waiver holds for a rule, a path and a while; what it covers is still shown."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from copier_mlops.check import check
from copier_mlops.policy import Policy
from copier_mlops.template import Templates
from standards import append, get_only_finding, list_findings, write
from support import commit

WAIVER = """\
  - rule: {rule}
    path: {path}
    reason: The driver is not in the image yet.
    owner: "@acme/devops"
    expires: {expires}
"""


def waive(
    project: Path, rule: str = "managed.changed", path: str = "/src/", expires: str = ""
) -> None:
    soon = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    append(project / ".standards.yml", WAIVER.format(rule=rule, path=path, expires=expires or soon))


@pytest.fixture
def tampered(project: Path) -> Path:
    append(project / "src/mlops/cli.py", "# ours\n")
    write(project / ".standards.yml", "waivers:\n")
    return commit(project)


def test_a_waived_finding_is_shown_and_does_not_block(tampered: Path, templates: Templates) -> None:
    waive(tampered)
    report = check(commit(tampered), templates)
    assert get_only_finding(report).rule == "managed.changed"
    assert get_only_finding(report).waived == "The driver is not in the image yet. (@acme/devops)"
    assert not report.failed


@pytest.mark.parametrize(
    ("waiver", "rule", "says"),
    [
        (
            {"expires": "2026-01-31"},
            "waiver.expired",
            "waiver 1: it expired on 2026-01-31; @acme/devops",
        ),
        (
            {"expires": "2999-01-31"},
            "waiver.refused",
            "it lasts until 2999-01-31; the policy allows",
        ),
        ({"expires": "soon"}, "waiver.malformed", "waiver 1: expires: write a day without quotes"),
        ({"expires": '"2026-01-31"'}, "waiver.malformed", "write a day without quotes"),
        ({"rule": '" "'}, "waiver.malformed", "waiver 1: rule: "),
        (
            {"path": "/deploy/"},
            "waiver.unused",
            "managed.changed for /deploy/, but nothing is found",
        ),
        ({"rule": "managed.missing"}, "waiver.unused", "waives managed.missing for /src/"),
        (
            {"rule": "pikle.file"},
            "waiver.unused",
            "there is no rule pikle.file; did you mean pickle.file?",
        ),
        ({"rule": "x"}, "waiver.unused", "there is no rule x; take the waiver out, or install"),
    ],
)
def test_a_waiver_that_does_not_hold_is_told(
    tampered: Path, templates: Templates, waiver: dict, rule: str, says: str
) -> None:
    waive(tampered, **waiver)
    report = check(commit(tampered), templates)
    assert {each for each, _ in list_findings(report)} == {"managed.changed", rule}
    assert any(says in each.message for each in report.findings), report.findings
    assert report.failed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("waivers: [", ".standards.yml is no YAML"),
        ("- rule: x", ".standards.yml holds one list, for example: waivers: [{rule:"),
        ("waiver: []", ".standards.yml holds one list"),
        ("waivers: {rule: x}", ".standards.yml holds one list"),
        ("waivers: [managed.changed]", "waiver 1: the file: "),
        ("waivers: [{rule: managed.changed}]", "waiver 1: reason: Field required"),
    ],
)
def test_a_malformed_waiver_is_one_sentence(
    tampered: Path, templates: Templates, text: str, says: str
) -> None:
    write(tampered / ".standards.yml", text)
    report = check(commit(tampered), templates)
    malformed = [each for each in report.findings if each.rule == "waiver.malformed"]
    assert says in malformed[0].message
    assert "\n" not in malformed[0].message
    assert report.failed


def test_what_the_policy_never_waives_stays_an_error(project: Path, templates: Templates) -> None:
    write(project / "key", "-----BEGIN PRIVATE KEY-----\n")
    write(project / ".standards.yml", "waivers:\n")
    waive(project, rule="secret.found", path="key")
    assert not check(commit(project), templates).failed
    report = check(project, templates, Policy(waivers={"never": ["secret.found"]}))
    assert {rule for rule, _ in list_findings(report)} == {"secret.found", "waiver.refused"}
    assert report.failed


def test_what_could_not_be_tried_cannot_be_waived(project: Path, templates: Templates) -> None:
    write(project / "pyproject.toml", "project = 3\n")
    write(project / "uv.lock", '[[package]]\nname = "x"\nsource = { editable = "." }\n')
    write(project / ".standards.yml", "waivers:\n")
    waive(project, rule="policy.broken", path='"**"')
    report = check(commit(project), templates)
    assert {rule for rule, _ in list_findings(report)} == {"policy.broken", "waiver.refused"}
    assert report.failed


def test_what_a_message_shows_as_an_example_is_allowed(project: Path, templates: Templates) -> None:
    """Under a policy that allows a week only, too."""
    policy = Policy(waivers={"max_days": 7})
    append(project / "deploy/Dockerfile", "# ours\n")
    write(project / ".standards.yml", "waivers: [{rule: managed.changed}]\n")
    report = check(commit(project), templates, policy)
    (malformed,) = (each for each in report.findings if each.rule == "waiver.malformed")
    shown = malformed.message[malformed.message.index("{") : -1]
    write(project / ".standards.yml", f"waivers: [{shown}]\n")
    assert not check(commit(project), templates, policy).failed
