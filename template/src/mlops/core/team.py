"""The team's own package beside this one, which pyproject.toml names under [tool.mlops]."""

import sys
import tomllib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from .errors import BlockedError, UserError
from .libraries import describe_failed_import

Listed = TypeVar("Listed")

PYPROJECT = Path("pyproject.toml")
# Those of the team's files that make a model; gates.py only judges it.
MAKE_A_MODEL = ("candidates", "features", "metrics")


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
            f'{PYPROJECT} does not name the team\'s package: write package = "NAME" under '
            "[tool.mlops], where src/NAME is its folder."
        ) from error


def team_folder() -> Path:
    """Where the team's package lies. Raises UserError if there is none of that name."""
    name = package_name()
    try:
        found = import_module(name)
    except ModuleNotFoundError as error:
        raise UserError(
            f"there is no package {name}, which {PYPROJECT} names under [tool.mlops]: write the "
            "name of the folder in src/ there, then run 'uv sync'."
        ) from error
    return Path(str(found.__file__)).parent


def team_module(name: str) -> Any:
    """A module of the team's package, such as "candidates".

    Raises UserError, naming file and line, if it cannot be loaded.
    """
    team_folder()
    with team_code():
        return import_module(f"{package_name()}.{name}")


def listed_by_team(module: str, name: str, kind: type[Listed]) -> tuple[Listed, ...]:
    """What a list of one of the team's modules holds; nothing if the team has no such module.

    Raises UserError if the module lacks the list, it is none, or it holds something else.
    """
    file = team_folder() / f"{module}.py"
    if not file.exists():
        return ()
    found = getattr(team_module(module), name, None)
    if not isinstance(found, tuple | list):
        raise UserError(f"{shown(file)}: {name} is to be a tuple, such as {name} = ().")
    for each in found:
        if not isinstance(each, kind):
            raise UserError(f"{shown(file)}: {name} holds {each!r}, which is no {kind.__name__}.")
    return tuple(found)


def team_files() -> list[Path]:
    """The team's files that make a model, as far as they are there."""
    files = (team_folder() / f"{name}.py" for name in MAKE_A_MODEL)
    return [file for file in files if file.exists()]


def loaded_team_files() -> list[Path]:
    """The files of the team's package that this process has imported, but for its root."""
    inside = f"{package_name()}."
    modules = (module for name, module in sys.modules.items() if name.startswith(inside))
    return sorted(Path(module.__file__).resolve() for module in modules if module.__file__)


@contextmanager
def team_code(but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn an error in the team's files, `but` some, into one sentence that names file and line.

    Raises UserError.
    """
    try:
        yield
    except Exception as error:
        meant = isinstance(error, (UserError, BlockedError, *but))
        if not meant and (place := blamed(error)):
            raise UserError(f"{place}: {_described(error)}.") from error
        raise


def shown(file: Path) -> str:
    """A path as it is seen from here."""
    here = Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else str(file)


def blamed(error: Exception) -> str:
    """FILE:LINE of the team's line that was run last, or could not be read; "" if none was."""
    try:
        module = sys.modules.get(package_name())
    except UserError:
        return ""
    if module is None or module.__file__ is None:
        return ""
    folder = Path(module.__file__).parent
    if isinstance(error, SyntaxError) and error.filename:
        places = [(error.filename, error.lineno)]
    else:
        frames = traceback.extract_tb(error.__traceback__)
        places = [(frame.filename, frame.lineno) for frame in frames]
    ours = [(Path(file), line) for file, line in places if Path(file).is_relative_to(folder)]
    return f"{shown(ours[-1][0])}:{ours[-1][1]}" if ours else ""


def _described(error: Exception) -> str:
    if isinstance(error, ImportError):
        return describe_failed_import(error)
    words = " ".join(str(error).split()) or "no reason given"
    return f"{type(error).__name__}: {words}"
