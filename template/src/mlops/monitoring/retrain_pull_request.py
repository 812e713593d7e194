"""A new model as a proposal: for a schedule that reaches the journal, but not the service.

`monitor watch` has a better model take the place of the old one; this leaves what it made in the
files, for a pull request. Checks, owners and the deployment then take their course.
"""

from pathlib import Path

from dvc.config_schema import RelPath
from dvc.repo import Repo

from ..core.formatting import listed
from ..core.params import Params
from ..core.paths import replacing
from .exporter import Exporter
from .grow import grow
from .look import look
from .retrain import trained
from .story import Step, last, tell
from .truths import journal_url
from .watch import rests

NOT_HERE = (
    "it is not trained here, where the table would grow in a folder that goes with this checkout: "
    "keep the data in a store that all reach, or run 'monitor watch' beside the service"
)


def renew(text: Path) -> list[str]:
    """Where the rules call for a new model: the table grows by what has come true, and the pipeline
    runs. `text` then gets what a pull request is to say; the first line is its title.

    Returns the lines to print. Raises UserError if there is no journal, or the pipeline fails.
    """
    params, journal = Params.read(), journal_url()
    seen = look(journal, Exporter(None))
    if not seen.why:
        return [seen.told()]
    if passing():
        return [seen.told(), NOT_HERE]
    if rests(params.monitoring.watch):
        return [seen.told(), "a new model is trained once that is due"]
    steps = [tell("looked", seen.told()), tell("began", "a new model is trained, to be proposed")]
    if params.monitoring.watch.grow:
        added = grow(journal, params.monitoring.truth_days, last("grew"))
        steps.append(tell("grew", "; ".join(added)))
    if (version := trained()) is None:
        return ["there is no new model"]
    with replacing(text) as scratch:
        scratch.write_text(proposal(seen.why, steps), encoding="utf-8")
    return [f"version {version} passed all gates, and is proposed"]


def passing() -> bool:
    """Whether the DVC remote is a folder that goes by where this checkout lies."""
    with Repo() as repo:
        remote = repo.config["remote"].get(repo.config["core"].get("remote"), {})
    return isinstance(remote.get("url"), RelPath)


def proposal(why: list[str], steps: list[Step]) -> str:
    lines = ["A new model for the one at work", "", f"It is called for: {listed(why)}.", ""]
    lines += [f"- {step.told}" for step in steps[1:]]
    return "\n".join([*lines, "", "Its checks compare both models on the same rows.", ""])
