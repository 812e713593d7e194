"""What an organisation asks of every repository."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from .errors import UserError, fold_lines

OPERATORS = ("<=", ">=")


def check_floor(text: str) -> str:
    """Check a bound such as `<= 0.02`. Raises ValueError if it is none."""
    sign, _, number = text.partition(" ")
    if sign not in OPERATORS:
        raise ValueError("write <= or >=, a blank and a number, for example: <= 0.02")
    float(number)
    return text


Floor = Annotated[str, AfterValidator(check_floor)]


class Strict(BaseModel):
    """Settings of which none may be misspelt."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TemplateRules(Strict):
    """`addresses`: of templates that may be used, as .copier-answers.yml writes them (empty: any).
    `max_behind`: releases that a repository may lag behind (None: any number).
    """

    addresses: tuple[str, ...] = ()
    max_behind: Annotated[int, Field(ge=0)] | None = None


class WaiverRules(Strict):
    """`never`: rules that nobody may waive. `max_days`: for how long at most."""

    never: tuple[str, ...] = ()
    max_days: Annotated[int, Field(ge=1)] = 366


class Policy(Strict):
    """`floors`: bounds of settings in params.yaml, by their dotted names.

    `severities`: of rules, where it is not the usual one.
    """

    template: TemplateRules = TemplateRules()
    floors: dict[str, Floor] = Field(default_factory=dict)
    severities: dict[str, Literal["error", "warning", "note", "off"]] = Field(default_factory=dict)
    waivers: WaiverRules = WaiverRules()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a policy. Raises UserError if the file is missing or is not understood."""
        try:
            return cls.parse(path.read_bytes(), str(path))
        except OSError as error:
            raise UserError(f"The policy {path} cannot be read: {error.strerror}.") from error

    @classmethod
    def parse(cls, content: bytes, name: str) -> Self:
        """Parse YAML. Raises UserError, which calls it `name`, for what is not understood."""
        try:
            settings: Any = yaml.safe_load(content)
            return cls.model_validate(settings or {})
        except yaml.YAMLError as error:
            raise UserError(f"{name} is no YAML: {fold_lines(error)}.") from error
        except ValidationError as error:
            raise UserError(f"{name}: {describe_first(error)}") from error


def describe_first(error: ValidationError) -> str:
    """Describe the first thing that is wrong, and where."""
    wrong = error.errors()[0]
    place = ".".join(str(part) for part in wrong["loc"]) or "the file"
    if wrong["type"] == "extra_forbidden":
        return f"there is no setting {place}; take it out, or check how it is written."
    return f"{place}: {wrong['msg'].removeprefix('Value error, ')}."
