"""All rules of a release, in the order in which they are best mended."""

from pathlib import Path

from . import release_files, release_questions
from .findings import Finding
from .release import Release

OF_THE_CONFIG = (release_questions.check_keys, release_questions.check_explanations)
OF_WHAT_IT_RENDERS = (
    release_files.check_settings,
    release_files.check_left_out,
    release_files.check_owners,
    release_files.check_dropped,
    release_files.check_mergeable,
    release_files.check_repeated_blocks,
    release_files.check_ignored,
    release_questions.check_old_answers,
    release_questions.check_changelog,
)


def check_release(template: Path, since: str | None = None) -> list[Finding]:
    """Find what stands in the way of a release. Raises UserError if it cannot be read.

    Nothing is rendered until the questions are in order.
    """
    release = Release(template, since)
    for rules in (OF_THE_CONFIG, OF_WHAT_IT_RENDERS):
        findings = [finding for rule in rules for finding in rule(release)]
        if findings:
            return findings
    return []
