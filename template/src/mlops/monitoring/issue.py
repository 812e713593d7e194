"""One issue on GitHub that says what is wrong with the model at work, for as long as it is.

All is done by GitHub's own command `gh`.
"""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ..core.errors import UserError
from ..core.formatting import count, listed, sentence
from ..core.paths import REPORTS, read_json

LABEL, TITLE = "monitoring", "The model at work needs a look"
REPORT = REPORTS / "monitoring.json"


def issue() -> list[str]:
    """Open it, bring it up to date, or close it, by what `monitor report` found last.

    Returns the lines to print. Raises UserError if there is no report, or GitHub refuses.
    """
    found = read_json(REPORT)
    failed = [check for check in found["checks"] if not check["passed"]]
    mine = ("--label", LABEL, "--state", "open")
    number = gh("issue", "list", *mine, "--limit", "1", "--json", "number", "--jq", ".[].number")
    if not failed:
        if number:
            gh("issue", "close", number, "--comment", f"{found['headline']} All checks pass again.")
            return [f"all checks pass: issue {number} is closed"]
        return ["all checks pass: there is no issue"]
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder, "body.md")
        body.write_text(text(found, failed), encoding="utf-8")
        if number:
            gh("issue", "edit", number, "--body-file", str(body))
            return [f"{count(len(failed), 'check')} failed: issue {number} says what to do"]
        gh("label", "create", LABEL, "--force", "--description", "What the monitoring found")
        new = ("--title", TITLE, "--label", LABEL, "--body-file", str(body))
        return [f"{count(len(failed), 'check')} failed: {gh('issue', 'create', *new)}"]


def text(found: dict[str, Any], failed: list[dict[str, Any]]) -> str:
    """In Markdown: what was found, owner by owner, the gravest first."""
    lines = [found["headline"], ""]
    for owner in dict.fromkeys(check["owner"] for check in failed):
        lines += [f"## For {owner}", ""]
        for check in failed:
            if check["owner"] == owner:
                told = sentence(f"{check['meaning']}. {check['what_to_do']}")
                lines.append(f"- **{check['name']}**: {told}")
        lines.append("")
    well = [check["name"] for check in found["checks"] if check["passed"]]
    if well:
        lines += [f"Nothing is wrong with {listed(well)}.", ""]
    lines.append("It closes by itself once all checks pass. `monitor report` shows all figures.")
    return "\n".join([*lines, ""])


def gh(*command: str) -> str:
    """What it prints. Raises UserError with what it says if it fails."""
    try:
        done = subprocess.run(["gh", *command], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise UserError("There is no command 'gh' here: install GitHub's.") from error
    if done.returncode:
        said = " ".join(done.stderr.split()) or "it says nothing"
        raise UserError(f"'gh {' '.join(command[:2])}' failed: {said}")
    return done.stdout.strip()
