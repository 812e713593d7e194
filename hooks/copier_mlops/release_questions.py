"""Rules of a release about its questions, its settings and what is said of them."""

import re
from collections.abc import Iterator

import yaml

from .findings import Finding
from .git_place import ANSWERS
from .release import CHANGELOG, CONFIG, OLD_ANSWERS, Release
from .template import OWNERSHIP

QUESTION = {"type", "help", "default", "choices", "validator", "when", "multiselect", "multiline"}
SETTINGS = {
    "answers_file", "envops", "exclude", "message_after_copy", "message_after_update",
    "message_before_copy", "message_before_update", "min_copier_version", "preserve_symlinks",
    "skip_if_exists", "subdirectory", "templates_suffix",
}  # fmt: skip
RUNS_CODE = {"tasks", "migrations", "jinja_extensions"}
ENTRY = re.compile(r"^## .*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
LABELS = ("Managed files", "Answers", "By hand")


def check_keys(release: Release) -> Iterator[Finding]:
    """Find misspelt keys: such a rule does not hold."""
    seen = set()
    for key in re.findall(r"^(\w+):", release.text(CONFIG), re.MULTILINE):
        if key in seen:
            yield report_question(
                release, "release.keys", key, f"{key} is there twice: the first has no effect"
            )
        seen.add(key)
    for key, value in release.config.items():
        setting = key.removeprefix("_")
        if key.startswith("_") and setting in RUNS_CODE:
            yield report_question(
                release,
                "release.trust",
                key,
                f"{key} runs code, so that every copy and update needs --trust: do without",
            )
        elif key.startswith("_") and setting not in SETTINGS:
            yield report_question(
                release, "release.keys", key, f"Copier has no setting {key}: correct its name"
            )
        elif not key.startswith("_"):
            for odd in sorted(set(value) - QUESTION):
                yield report_question(
                    release,
                    "release.keys",
                    key,
                    f"question {key} has a field {odd}, unknown to Copier: correct its name",
                )


def check_explanations(release: Release) -> Iterator[Finding]:
    """Check that every question has a default, a help and an example of what it accepts."""
    for name, question in release.config.items():
        if name.startswith("_"):
            continue
        if "default" not in question:
            yield report_question(
                release,
                "release.default",
                name,
                f"question {name} has no default: --defaults would end in a traceback",
            )
        if question.get("when") is False:
            continue
        if not question.get("help", "").strip().endswith((".", "?")):
            yield report_question(
                release,
                "release.help",
                name,
                f"question {name} has no help that is a sentence: say what is asked",
            )
        if not question.get("choices") and "for example: " not in question.get("validator", ""):
            yield report_question(
                release,
                "release.example",
                name,
                f'question {name} refuses without showing how it is done: write "for example: "',
            )


def check_old_answers(release: Release) -> Iterator[Finding]:
    """Find recorded answers that are refused now: Copier silently puts the default there."""
    for version in release.earlier:
        name = f"{OLD_ANSWERS}/{version.name.removeprefix('v')}.yml"
        if name not in release.version.files:
            yield Finding(
                "release.old-answers",
                "error",
                name,
                None,
                f"it is missing: keep there what projects of {version.name} may have answered, "
                f"such as the {ANSWERS} that uvx copier copy --vcs-ref {version.name} . FOLDER "
                "writes.",
            )
    refused = set()
    for origin, old in release.old_answers():
        answers = release.version.questions.answer(old)
        for name, answer in answers.items():
            if answer.refused and name not in refused:
                refused.add(name)
                yield report_question(
                    release,
                    "release.tightened",
                    name,
                    f"question {name} refuses {old[name]!r}, an answer of {origin}, which would "
                    f"become {answer.value!r} without a word: accept it, or ask a new question",
                )


def check_changelog(release: Release) -> Iterator[Finding]:
    """Check that the newest entry names changed managed files and answers, and what is to do."""
    entry = find_newest_entry(release)
    if entry is None:
        yield report_changelog("there is no entry: start one with a line such as ## Unreleased")
        return
    parts = {label: find_part(entry, label) for label in LABELS}
    for label, text in parts.items():
        if not text:
            yield report_changelog(
                f"the newest entry does not say **{label}**: write what, or that there is none"
            )
    if release.earlier:
        yield from check_answers_named(release, parts["Answers"] or "")
        yield from check_drops_named(release, parts["By hand"] or "")


def check_answers_named(release: Release, text: str) -> Iterator[Finding]:
    """Check that each question that is new or gone is named."""
    before = set(release.earlier[-1].questions.data)
    now = release.version.questions.data
    asked = {name for name in now if now[name].get("when") is not False}
    for name in sorted((asked - before) | (before - set(now))):
        if f"`{name}`" not in text:
            what = "new" if name in now else "gone"
            yield report_changelog(
                f"question {name} is {what}, and **Answers** does not name `{name}`: name it"
            )


def check_drops_named(release: Release, text: str) -> Iterator[Finding]:
    """Check that each dropped file is named: a project keeps it, and the team removes it."""
    before = yaml.safe_load(release.earlier[-1].text(OWNERSHIP)).get("dropped", [])
    for path in release.ownership.get("dropped", []):
        name = path.lstrip("/")
        if path not in before and name not in text:
            yield report_changelog(
                f"{path} is dropped, and **By hand** does not say what to do with `{name}`: say it"
            )


def find_newest_entry(release: Release) -> str | None:
    """Find the text of the first entry in the changelog; None: there is none."""
    if CHANGELOG not in release.version.files:
        return None
    entry = ENTRY.search(release.version.text(CHANGELOG))
    return entry.group() if entry else None


def find_part(entry: str, label: str) -> str | None:
    """Find what the entry says under a label, up to the next one; None: there is no label."""
    match = re.search(rf"\*\*{label}\*\*:?\s*(.+?)(?=^- \*\*|\Z)", entry, re.MULTILINE | re.DOTALL)
    return match.group(1).strip() if match else None


def report_changelog(message: str) -> Finding:
    """Make a finding about the changelog."""
    return Finding("release.changelog", "error", CHANGELOG, None, f"{message}.")


def report_question(release: Release, rule: str, key: str, message: str) -> Finding:
    """Make a finding about a key of copier.yml, with its line."""
    lines = release.text(CONFIG).splitlines()
    at = next((n for n, line in enumerate(lines, 1) if line.startswith(f"{key}:")), None)
    return Finding(rule, "error", CONFIG, at, f"{message}.")
