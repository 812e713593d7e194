"""The team's own package beside this one, which pyproject.toml names under [tool.mlops]."""

import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

from .errors import UserError

PYPROJECT = Path("pyproject.toml")


def package_name() -> str:
    """Also the name of the command, of the registered model and of the service.

    Raises UserError if pyproject.toml does not name it.
    """
    try:
        settings = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
        return str(settings["tool"]["mlops"]["package"])
    except FileNotFoundError as error:
        raise UserError(
            f"{PYPROJECT} is not here: run the command in the project's root."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{PYPROJECT} cannot be read: {error}.") from error
    except (KeyError, TypeError) as error:
        raise UserError(
            f'{PYPROJECT} does not name the team\'s package: write package = "NAME", the folder in '
            "src/, under [tool.mlops]."
        ) from error


def team_module(name: str) -> Any:
    """A module of the team's package, such as "candidates"."""
    return import_module(f"{package_name()}.{name}")


def team_files() -> list[Path]:
    """The team's files that make a model."""
    modules = [team_module(name) for name in ("candidates", "features")]
    return [Path(module.__file__) for module in modules]
