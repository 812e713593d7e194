"""One issue: opened with what was found, brought up to date, and closed once all is well."""

import json
from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.monitoring import issue

DRIFT = {
    "name": "drift",
    "passed": False,
    "meaning": "among the inputs distance drifted",
    "what_to_do": "See what has changed.",
    "owner": "@acme/data-science",
}
TRAFFIC = DRIFT | {"name": "traffic", "passed": True, "what_to_do": "", "owner": "@acme/devops"}


@pytest.fixture(autouse=True)
def asked(tmp_path, monkeypatch):
    """What was asked of GitHub, and the text that came with it; `open`: the number of an issue."""
    monkeypatch.chdir(tmp_path)
    github = {"open": "", "asked": [], "body": ""}

    def gh(*command):
        github["asked"].append(" ".join(command[:3]))
        if "--body-file" in command:
            github["body"] = Path(command[command.index("--body-file") + 1]).read_text()
        return github["open"] if command[1] == "list" else "https://github.example/issues/7"

    monkeypatch.setattr(issue, "run_gh", gh)
    return github


def report(*checks):
    Path("reports").mkdir(exist_ok=True)
    content = {"headline": "What comes in has changed.", "checks": checks}
    Path("reports/monitoring.json").write_text(json.dumps(content))


def test_findings_open_one_issue_for_their_owners(asked):
    report(DRIFT, TRAFFIC)
    [line] = issue.update_issue()
    assert line == "1 check failed: https://github.example/issues/7"
    assert [words.split(" --")[0] for words in asked["asked"]] == [
        "issue list",
        "label create monitoring",
        "issue create",
    ]
    assert "## For @acme/data-science\n\n- **drift**: Among the inputs" in asked["body"]
    assert "@acme/devops" not in asked["body"]
    assert "Nothing is wrong with traffic." in asked["body"]


def test_what_is_open_is_brought_up_to_date(asked):
    asked["open"] = "7"
    report(DRIFT, TRAFFIC)
    assert issue.update_issue() == ["1 check failed: issue 7 says what to do"]
    assert asked["asked"][1:] == ["issue edit 7"]


def test_it_is_closed_once_all_is_well(asked):
    report(TRAFFIC)
    assert issue.update_issue() == ["all checks pass: there is no issue"]
    asked["open"] = "7"
    assert issue.update_issue() == ["all checks pass: issue 7 is closed"]
    assert asked["asked"][-1] == "issue close 7"


def test_without_a_report_nothing_is_asked(asked):
    with pytest.raises(UserError, match=r"monitoring\.json"):
        issue.update_issue()
    assert not asked["asked"]
