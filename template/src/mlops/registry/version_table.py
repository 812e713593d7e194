"""The versions in the registry as tables to print: all of them, or two side by side."""

import math
from typing import TYPE_CHECKING

from ..core.formatting import score
from .succession import WHY
from .tracking import connect
from .versions import find_version, list_versions

if TYPE_CHECKING:
    from mlflow import MlflowClient

TAGS_TO_COMPARE = ("passed", "candidate", "sha256", "git_commit", "data_version")


def format_versions() -> list[str]:
    """Write all versions in lines to print, newest first."""
    with connect() as client:
        lines = [
            f"{number:>4}  {tags.get('candidate', ''):24}{tags.get('score', ''):22}"
            f"{' '.join(aliases):26}{'failed: ' + ', '.join(failed) if failed else 'passed'}"
            f"{'; ' + tags[WHY] if tags.get(WHY) else ''}"
            for number, _, aliases, tags, failed in list_versions(client)
        ]
    return lines or ["no version is registered yet"]


def compare_versions(first: int, second: int) -> list[str]:
    """Write two versions side by side, in lines to print. Raises UserError if one is not there."""
    with connect() as client:
        both = [describe_version(client, number) for number in (first, second)]
    names = dict.fromkeys(name for facts in both for name in facts)
    return [
        f"{name:20}" + "".join(f"{facts.get(name, ''):>22}" for facts in both) for name in names
    ]


def describe_version(client: "MlflowClient", number: int) -> dict[str, str]:
    """Describe a version by what it is, where it is from, and each metric that was measured.

    Raises UserError if there is no such version.
    """
    version = find_version(client, number)
    run = client.get_run(version.run).data
    metrics = {name: figure for name, figure in run.metrics.items() if not math.isnan(figure)}
    return {
        "version": str(version.number),
        "alias": " ".join(version.aliases),
        **{name: run.tags.get(name, "")[:16] for name in TAGS_TO_COMPARE},
        **{name: score(metrics[name]) for name in sorted(metrics)},
    }
