"""Keep one issue on GitHub that says what is wrong with the model, for as long as it is.

All is done by GitHub's own command `gh`.
"""

import tempfile
from pathlib import Path
from typing import Any

from ..core.formatting import count, listed, sentence
from ..core.github_command import run_gh
from ..core.paths import MONITORING, read_json
from ..core.repository_place import find_place

LABEL, TITLE = "monitoring", "The model in production needs attention"


def update_issue() -> list[str]:
    """Open the issue, bring it up to date, or close it, by what `monitor report` found last.

    Returns the lines to print. Raises UserError if there is no report, or GitHub refuses.
    """
    report = read_json(MONITORING)
    failed = [check for check in report["checks"] if not check["passed"]]
    folder = find_place().folder
    label = f"{LABEL} {folder}".strip()
    ours = ("--label", label, "--state", "open")
    number = run_gh(
        "issue", "list", *ours, "--limit", "1", "--json", "number", "--jq", ".[].number"
    )
    if not failed:
        if number:
            comment = f"{report['headline']} All checks pass again."
            run_gh("issue", "close", number, "--comment", comment)
            return [f"all checks pass: issue {number} is closed"]
        return ["all checks pass: there is no issue"]
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder, "body.md")
        body.write_text(write_body(report, failed), encoding="utf-8")
        if number:
            run_gh("issue", "edit", number, "--body-file", str(body))
            return [f"{count(len(failed), 'check')} failed: issue {number} says what to do"]
        run_gh("label", "create", label, "--force", "--description", "What the monitoring found")
        title = f"{TITLE} ({folder})" if folder else TITLE
        new = ("--title", title, "--label", label, "--body-file", str(body))
        return [f"{count(len(failed), 'check')} failed: {run_gh('issue', 'create', *new)}"]


def write_body(report: dict[str, Any], failed: list[dict[str, Any]]) -> str:
    """Return in Markdown what failed, owner by owner, the gravest first."""
    lines = [report["headline"], ""]
    for owner in dict.fromkeys(check["owner"] for check in failed):
        lines += [f"## For {owner}", ""]
        for check in failed:
            if check["owner"] == owner:
                text = sentence(f"{check['meaning']}. {check['what_to_do']}")
                lines.append(f"- **{check['name']}**: {text}")
        lines.append("")
    passed = [check["name"] for check in report["checks"] if check["passed"]]
    if passed:
        lines += [f"Nothing is wrong with {listed(passed)}.", ""]
    lines.append("It closes by itself once all checks pass. `monitor report` shows all figures.")
    return "\n".join([*lines, ""])
