"""A new model as a proposal: for a schedule that reaches the journal, but not the service.

What was made stays in the files, for a pull request. Checks, owners and the deployment then take
their course.
"""

from dataclasses import dataclass
from pathlib import Path

from dvc.config_schema import RelPath
from dvc.repo import Repo

from ..core.paths import write_text
from .retraining import Successor
from .story import Outcome, Step, record_step

NOT_HERE = (
    "it is not trained here, where the table would grow in a folder that goes with this checkout: "
    "keep the data in a store that all reach, or run 'monitor watch' beside the service"
)


@dataclass(frozen=True)
class PullRequest(Successor):
    """`text` gets what a pull request is to say; its first line is the title."""

    text: Path

    def check(self) -> None:
        """Do nothing: there is no service to reach."""

    def find_obstacle(self) -> str:
        """Return why no model may be trained here; "" if nothing is in the way."""
        return NOT_HERE if goes_with_this_checkout() else ""

    def hand_over(self, version: str, reasons: list[str], steps: list[Step]) -> Outcome:
        """Write the text of the pull request."""
        reason = "; ".join(reasons)
        lines = ["A new model to replace the one in production", "", f"Why: {reason}.", ""]
        lines += [f"- {step.told}" for step in steps]
        lines += ["", "Its checks compare both models on the same rows.", ""]
        write_text(self.text, "\n".join(lines))
        record_step("proposed", f"version {version} passed all gates, and is proposed")
        return "proposed"


def goes_with_this_checkout() -> bool:
    """Tell whether the DVC remote is a folder that goes by where this checkout lies."""
    with Repo() as repo:
        remote = repo.config["remote"].get(repo.config["core"].get("remote"), {})
    return isinstance(remote.get("url"), RelPath)
