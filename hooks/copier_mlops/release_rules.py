"""All rules of a release, in the order in which they are best mended."""

from pathlib import Path

from . import release_files, release_questions
from .findings import Finding
from .release import Release

OF_THE_CONFIG = (release_questions.known_keys, release_questions.explained_questions)
OF_WHAT_IT_RENDERS = (
    release_files.settings,
    release_files.left_out,
    release_files.owners,
    release_files.dropped,
    release_files.mergeable,
    release_files.told_apart,
    release_files.committed,
    release_questions.old_answers,
    release_questions.changelog,
)


def found(template: Path, since: str | None = None) -> list[Finding]:
    """What stands in the way of a release. Raises UserError if the template cannot be read.

    Nothing is rendered until the questions are in order.
    """
    release = Release(template, since)
    for rules in (OF_THE_CONFIG, OF_WHAT_IT_RENDERS):
        findings = [finding for rule in rules for finding in rule(release)]
        if findings:
            return findings
    return []
