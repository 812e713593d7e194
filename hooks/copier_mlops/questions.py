"""Answers as Copier finds them: recorded ones where they are valid, else the default."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from copier._jinja_ext import SandboxedEnvironment
from copier._settings import SettingsModel
from copier._types import MISSING
from copier._user_data import AnswersMap, Question
from copier.errors import CopierError
from jinja2 import TemplateError

from .errors import UserError
from .memo import Memo, names_of

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
            name: names_of(environment, {k: v for k, v in details.items() if k not in HELP})
            for name, details in data.items()
        }
        self._asked = {
            name: Memo(self.needs[name] - {name} | {RECORDED}, partial(self._ask, name))
            for name in data
        }

    def answer(self, recorded: Mapping[str, Any]) -> dict[str, Answer]:
        """Answers to all questions, as `copier recopy --defaults` takes them."""
        values = dict(recorded)
        found: dict[str, Answer] = {}
        for name, ask in self._asked.items():
            own = {RECORDED: recorded[name]} if name in recorded else {}
            found[name] = ask({**values, **own} if own else values)
            values[name] = found[name].value
            if values[name] is MISSING:
                del values[name]
        return found

    def asked_for(self, name: str) -> set[str]:
        """The questions a person is asked that decide about the value of `name`."""
        asked, seen, left = set(), set(), [name]
        while left:
            each = left.pop()
            if each in seen or each not in self.data:
                continue
            seen.add(each)
            if self.data[each].get("when", True) is False:
                left += self.needs[each]
            else:
                asked.add(each)
        return asked

    def _ask(self, name: str, own: dict[str, Any]) -> Answer:
        """What Copier's own question answers. Raises UserError if it has no valid default."""
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
            refused = refusal(question, answers)
            hidden = not question.get_when()
            if hidden:
                answers.last.pop(name, None)
            value = question.get_default()
        except (ValueError, TemplateError, CopierError) as error:
            raise UserError(f"question {name}: {' '.join(str(error).split())}") from error
        if value is MISSING and not hidden:
            raise UserError(f"question {name} has no default")
        return Answer(value, hidden, refused)


def refusal(question: Question, answers: AnswersMap) -> str | None:
    """Why the recorded answer is invalid, and takes it away; None: it is fine, or there is none."""
    name = question.var_name
    if name not in answers.last:
        return None
    try:
        question.validate_answer(question.parse_answer(answers.last[name]))
    except (ValueError, TypeError, TemplateError, CopierError) as error:
        del answers.last[name]
        said = " ".join(str(error).split())
        return said.removeprefix(f"Validation error for question '{name}': ")
    return None


def choices(question: Mapping[str, Any]) -> list[Any]:
    """The answers that a question offers; none, if it takes what is typed or makes them itself."""
    offered = question.get("choices") or ()
    if isinstance(offered, str):
        return []
    return list(offered.values() if isinstance(offered, dict) else offered)
