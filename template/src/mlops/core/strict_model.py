"""The team's files as strict frozen models: a wrong key or value is one clear sentence."""

from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import UserError

Share = Annotated[float, Field(ge=0, le=1)]


def read_yaml(path: str) -> Any:
    """Read a YAML file. Raises UserError if it is absent or is not YAML."""
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} is not here: run the command in the project's root.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        if line := _find_conflict(path):
            raise UserError(
                f"{path}:{line}: two sides changed the same lines: choose between them, and remove "
                "the markers (<<<<<<<, =======, >>>>>>>)."
            ) from error
        detail = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read as YAML: {detail}") from error


def _find_conflict(path: str) -> int:
    """Find the line of the first marker that git, or an update, left there; 0 if there is none."""
    lines = Path(path).read_bytes().splitlines()
    return next((number for number, line in enumerate(lines, 1) if line[:8] == b"<<<<<<< "), 0)


def explain_fault(error: Any) -> str:
    """Say what pydantic found, in the words of the file's owner."""
    if error["type"] == "extra_forbidden":
        return "this key is not known; check its spelling"
    if error["type"] == "missing":
        return "this key is missing; add it"
    if error["input"] is None:
        return "this is empty; fill it in"
    rule = error["msg"].removeprefix("Value error, ")
    return f"{rule[0].lower()}{rule[1:]}, but it is {error['input']!r}"


class StrictModel(BaseModel):
    """The base of each: frozen, without unknown keys, and without conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @classmethod
    def load(cls, path: str) -> Self:
        """Read a YAML file. Raises UserError naming the file, the key and the rule broken."""
        try:
            return cls.model_validate(read_yaml(path))
        except ValidationError as error:
            # A misspelt key first: that another key is missing often follows from it.
            first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
            where = ".".join(str(part) for part in first["loc"]) or "the top level"
            raise UserError(f"{path}: {where}: {explain_fault(first)}.") from error
