"""What is asked of `copier-mlops update`, looked at first.

Copier itself says nothing of a question that does not exist, and of the rest in a traceback.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .answers import describe_invalid_answer, read_answers
from .errors import UserError
from .questions import Questions, list_choices
from .render import Version
from .spelling import find_nearest
from .template import Template, Templates
from .trees import FolderTree

SHOWN = 5  # releases that a sentence names


def build_copier_options(
    project: Path, to: str | None, data: Sequence[str], ask: bool, templates: Templates
) -> list[str]:
    """Build the options of `copier update` that do as asked.

    `to` is a release, and `data` are answers as NAME=VALUE. Raises UserError if the template has no
    such release, question or answer.
    """
    recorded = read_answers(FolderTree(project))
    template = templates.get(recorded["_src_path"])
    release = to or template.newest or "HEAD"
    if not template.knows(release):
        raise UserError(
            f"The template has no release {release}: it has {list_newest_releases(template)}."
        )
    check_recorded_answers(template.version(recorded["_commit"]), recorded)
    check_answers(
        template.version(release).questions, recorded, dict(map(parse_answer, data)), release
    )
    options = [*(["--vcs-ref", to] if to else []), *([] if ask else ["--defaults"])]
    return options + [part for text in data for part in ("--data", text)]


def list_newest_releases(template: Template) -> str:
    """List the newest releases in one phrase."""
    before = ["earlier ones"] if len(template.releases) > SHOWN else []
    return ", ".join([*before, *template.releases[-SHOWN:]]) or "none"


def parse_answer(text: str) -> tuple[str, str]:
    """Parse NAME=VALUE. Raises UserError if there is no sign between."""
    name, sign, value = text.partition("=")
    if not sign:
        raise UserError(f"--data {text} says no answer: write NAME=VALUE, such as licence=MIT.")
    return name, value


def check_recorded_answers(version: Version, recorded: Mapping[str, Any]) -> None:
    """Raise UserError for an answer that the project's own version does not take: Copier, which
    renders that version to compare with, would end in a traceback whatever is answered anew.
    """
    for name, answer in version.questions.answer(recorded).items():
        if answer.refused:
            raise UserError(describe_invalid_answer(name, recorded[name], answer.refused))


def check_answers(
    questions: Questions, recorded: Mapping[str, Any], new: Mapping[str, str], release: str
) -> None:
    """Check new answers against the questions of a release, with the others as recorded.

    Raises UserError for the first that it does not take: Copier would put its default there.
    """
    asked = [name for name, each in questions.data.items() if each.get("when") is not False]
    for name in new:
        if name not in asked:
            near = find_nearest(name, asked)
            meant = f"did you mean {near}?" if near else f"it asks {', '.join(asked)}."
            raise UserError(f"{name} is not a question of {release}: {meant}")
    answers = questions.answer({**recorded, **new})
    for name, answer in answers.items():
        if answer.refused and name not in new:
            raise UserError(
                f'{name} "{recorded[name]}" is no longer valid in {release} '
                f"({answer.refused.rstrip('.')}): add --data {name}=VALUE."
            )
    for name, value in new.items():
        answer, offered_choices = answers[name], list_choices(questions.data[name])
        if answer.refused and offered_choices and value not in map(str, offered_choices):
            listed = ", ".join(map(str, offered_choices))
            raise UserError(f'{name} cannot be "{value}": choose one of {listed}.')
        if answer.refused:
            raise UserError(f'{name} cannot be "{value}": {answer.refused.rstrip(".")}.')
        if answer.hidden:
            raise UserError(
                f"{name} is not asked with these answers: leave it out, or change the answer that "
                "it depends on, too."
            )
