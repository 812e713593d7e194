"""Rules of a release about its questions, its settings and what is said of them."""

import re
from collections.abc import Iterator

import yaml

from .findings import Finding
from .release import CHANGELOG, CONFIG, OLD_ANSWERS, Release
from .render import ANSWERS
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


def known_keys(release: Release) -> Iterator[Finding]:
    """A key that is misspelt is a rule that does not hold."""
    seen = set()
    for key in re.findall(r"^(\w+):", release.text(CONFIG), re.MULTILINE):
        if key in seen:
            yield wrong(
                release, "release.keys", key, f"{key} is there twice: the first has no effect"
            )
        seen.add(key)
    for key, value in release.config.items():
        setting = key.removeprefix("_")
        if key.startswith("_") and setting in RUNS_CODE:
            yield wrong(
                release, "release.trust", key,
                f"{key} runs code, so that every copy and update needs --trust: do without",
            )  # fmt: skip
        elif key.startswith("_") and setting not in SETTINGS:
            yield wrong(
                release, "release.keys", key, f"Copier has no setting {key}: correct its name"
            )
        elif not key.startswith("_"):
            for odd in sorted(set(value) - QUESTION):
                yield wrong(
                    release, "release.keys", key,
                    f"question {key} has a field {odd}, unknown to Copier: correct its name",
                )  # fmt: skip


def explained_questions(release: Release) -> Iterator[Finding]:
    """Every question that is asked has a default, says what it means, and shows what it accepts."""
    for name, question in release.config.items():
        if name.startswith("_"):
            continue
        if "default" not in question:
            yield wrong(
                release, "release.default", name,
                f"question {name} has no default: --defaults would end in a traceback",
            )  # fmt: skip
        if question.get("when") is False:
            continue
        if not question.get("help", "").strip().endswith((".", "?")):
            yield wrong(
                release, "release.help", name,
                f"question {name} has no help that is a sentence: say what is asked",
            )  # fmt: skip
        if not question.get("choices") and "for example: " not in question.get("validator", ""):
            yield wrong(
                release, "release.example", name,
                f'question {name} refuses without showing how it is done: write "for example: "',
            )  # fmt: skip


def old_answers(release: Release) -> Iterator[Finding]:
    """Copier silently puts the default where a tightened validator refuses what is recorded."""
    for version in release.earlier:
        name = f"{OLD_ANSWERS}/{version.name.removeprefix('v')}.yml"
        if name not in release.version.files:
            yield Finding(
                "release.old-answers", "error", name, None,
                f"it is missing: keep there what projects of {version.name} may have answered, "
                f"such as the {ANSWERS} that uvx copier copy --vcs-ref {version.name} . FOLDER "
                "writes.",
            )  # fmt: skip
    told = set()
    for origin, old in release.old_answers():
        answers = release.version.questions.answer(old)
        for name, answer in answers.items():
            if answer.refused and name not in told:
                told.add(name)
                yield wrong(
                    release, "release.tightened", name,
                    f"question {name} refuses {old[name]!r}, an answer of {origin}, which would "
                    f"become {answer.value!r} without a word: accept it, or ask a new question",
                )  # fmt: skip


def changelog(release: Release) -> Iterator[Finding]:
    """The newest entry says which managed files change, which answers, and what is left to do."""
    entry = newest_entry(release)
    if entry is None:
        yield said("there is no entry: start one with a line such as ## Unreleased")
        return
    parts = {label: part(entry, label) for label in LABELS}
    for label, text in parts.items():
        if not text:
            yield said(
                f"the newest entry does not say **{label}**: write what, or that there is none"
            )
    if release.earlier:
        yield from answers_told(release, parts["Answers"] or "")
        yield from drops_told(release, parts["By hand"] or "")


def answers_told(release: Release, text: str) -> Iterator[Finding]:
    """A question that is new or gone is named."""
    before = set(release.earlier[-1].questions.data)
    now = release.version.questions.data
    asked = {name for name in now if now[name].get("when") is not False}
    for name in sorted((asked - before) | (before - set(now))):
        if f"`{name}`" not in text:
            what = "new" if name in now else "gone"
            yield said(
                f"question {name} is {what}, and **Answers** does not name `{name}`: name it"
            )


def drops_told(release: Release, text: str) -> Iterator[Finding]:
    """What a project keeps though the template has dropped it is the team's to remove."""
    before = yaml.safe_load(release.earlier[-1].text(OWNERSHIP)).get("dropped", [])
    for path in release.ownership.get("dropped", []):
        name = path.lstrip("/")
        if path not in before and name not in text:
            yield said(
                f"{path} is dropped, and **By hand** does not say what to do with `{name}`: say it"
            )


def newest_entry(release: Release) -> str | None:
    if CHANGELOG not in release.version.files:
        return None
    entry = ENTRY.search(release.version.text(CHANGELOG))
    return entry.group() if entry else None


def part(entry: str, label: str) -> str | None:
    """What the entry says under a label, up to the next one."""
    found = re.search(rf"\*\*{label}\*\*:?\s*(.+?)(?=^- \*\*|\Z)", entry, re.MULTILINE | re.DOTALL)
    return found.group(1).strip() if found else None


def said(message: str) -> Finding:
    return Finding("release.changelog", "error", CHANGELOG, None, f"{message}.")


def wrong(release: Release, rule: str, key: str, message: str) -> Finding:
    """About a key of copier.yml, with its line."""
    lines = release.text(CONFIG).splitlines()
    at = next((n for n, line in enumerate(lines, 1) if line.startswith(f"{key}:")), None)
    return Finding(rule, "error", CONFIG, at, f"{message}.")
