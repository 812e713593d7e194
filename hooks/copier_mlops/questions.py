"""Answers as Copier finds them: recorded ones where they are valid, else the default."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from copier.errors import CopierError
from jinja2 import TemplateError

from .copier_internals import MISSING, AnswersMap, Question, SandboxedEnvironment, SettingsModel
from .errors import UserError, fold_lines
from .memo import Memo, find_setting_names

RECORDED = "recorded answer"
HELP = ("help", "placeholder", "qmark")  # what only a person at the prompt sees


@dataclass(frozen=True)
class Answer:
    """`refused` says why the recorded answer is not taken; `hidden` ones are not asked."""

    value: Any
    hidden: bool
    refused: str | None


class Questions:
    """The questions of one version of a template."""

    def __init__(self, data: Mapping[str, Mapping[str, Any]], environment: SandboxedEnvironment):
        self._environment = environment
        self._settings = SettingsModel()
        self.data = data
        self.needs = {
            name: find_setting_names(
                environment, {k: v for k, v in details.items() if k not in HELP}
            )
            for name, details in data.items()
        }
        self._asked = {
            name: Memo(self.needs[name] - {name} | {RECORDED}, partial(self._ask, name))
            for name in data
        }

    def answer(self, recorded: Mapping[str, Any]) -> dict[str, Answer]:
        """Answer all questions as `copier recopy --defaults` does.

        Raises UserError if a question has no valid default.
        """
        values = dict(recorded)
        answers: dict[str, Answer] = {}
        for name, ask in self._asked.items():
            own = {RECORDED: recorded[name]} if name in recorded else {}
            answers[name] = ask({**values, **own} if own else values)
            values[name] = answers[name].value
            if values[name] is MISSING:
                del values[name]
        return answers

    def list_deciding_questions(self, name: str) -> set[str]:
        """List the questions a person is asked that decide about the value of `name`."""
        asked_questions, seen, left = set(), set(), [name]
        while left:
            each = left.pop()
            if each in seen or each not in self.data:
                continue
            seen.add(each)
            if self.data[each].get("when", True) is False:
                left += self.needs[each]
            else:
                asked_questions.add(each)
        return asked_questions

    def _ask(self, name: str, own: dict[str, Any]) -> Answer:
        """Let Copier's own question answer. Raises UserError if it has no valid default."""
        last = {name: own.pop(RECORDED)} if RECORDED in own else {}
        answers = AnswersMap(last=last)
        question = Question(
            answers=answers,
            context={**own, **last},
            jinja_env=self._environment,
            settings=self._settings,
            var_name=name,
            **self.data[name],
        )
        try:
            refused = take_refused_away(question, answers)
            hidden = not question.get_when()
            if hidden:
                answers.last.pop(name, None)
            value = question.get_default()
        except (ValueError, TemplateError, CopierError) as error:
            raise UserError(f"question {name}: {fold_lines(error)}") from error
        if value is MISSING and not hidden:
            raise UserError(f"question {name} has no default")
        return Answer(value, hidden, refused)


def take_refused_away(question: Question, answers: AnswersMap) -> str | None:
    """Take an invalid recorded answer away and say why; None: it is fine, or there is none."""
    name = question.var_name
    if name not in answers.last:
        return None
    try:
        question.validate_answer(question.parse_answer(answers.last[name]))
    except (ValueError, TypeError, TemplateError, CopierError) as error:
        del answers.last[name]
        reason = fold_lines(error)
        return reason.removeprefix(f"Validation error for question '{name}': ")
    return None


def list_choices(question: Mapping[str, Any]) -> list[Any]:
    """List the answers a question offers; none, if it takes what is typed or makes them itself."""
    offered = question.get("choices") or ()
    if isinstance(offered, str):
        return []
    return list(offered.values() if isinstance(offered, dict) else offered)
