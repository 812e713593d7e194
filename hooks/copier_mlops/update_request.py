"""What is asked of `copier-mlops update`, looked at first.

Copier itself says nothing of a question that does not exist, and of the rest in a traceback.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .answers import recorded_answers
from .errors import UserError
from .nearest import nearest
from .questions import Questions, choices
from .template import Template, Templates
from .trees import FolderTree

SHOWN = 5  # releases that a sentence names


def copiers_options(
    project: Path, to: str | None, data: Sequence[str], ask: bool, templates: Templates
) -> list[str]:
    """Those of `copier update` that do as asked.

    `to` is a release, and `data` are answers as NAME=VALUE. Raises UserError if the template has no
    such release, question or answer.
    """
    recorded = recorded_answers(FolderTree(project))
    template = templates.get(recorded["_src_path"])
    release = to or template.newest or "HEAD"
    if not template.knows(release):
        raise UserError(f"The template has no release {release}: it has {releases(template)}.")
    check_answers(template.version(release).questions, recorded, dict(map(answer, data)), release)
    options = [*(["--vcs-ref", to] if to else []), *([] if ask else ["--defaults"])]
    return options + [part for text in data for part in ("--data", text)]


def releases(template: Template) -> str:
    """The newest of them."""
    before = ["earlier ones"] if len(template.releases) > SHOWN else []
    return ", ".join([*before, *template.releases[-SHOWN:]]) or "none"


def answer(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise UserError(f"--data {text} says no answer: write NAME=VALUE, such as licence=MIT.")
    return name, value


def check_answers(
    questions: Questions, recorded: Mapping[str, Any], new: Mapping[str, str], release: str
) -> None:
    asked = [name for name, each in questions.data.items() if each.get("when") is not False]
    for name in new:
        if name not in asked:
            near = nearest(name, asked)
            meant = f"did you mean {near}?" if near else f"it asks {', '.join(asked)}."
            raise UserError(f"{name} is no question of {release}: {meant}")
    answers = questions.answer({**recorded, **new})
    for name, value in new.items():
        found, offered = answers[name], choices(questions.data[name])
        if found.refused and offered and value not in map(str, offered):
            listed = ", ".join(map(str, offered))
            raise UserError(f'{name} cannot be "{value}": choose one of {listed}.')
        if found.refused:
            raise UserError(f'{name} cannot be "{value}": {found.refused.rstrip(".")}.')
        if found.hidden:
            raise UserError(
                f"{name} is not asked with these answers: leave it out, or change the answer that "
                "it depends on, too."
            )
