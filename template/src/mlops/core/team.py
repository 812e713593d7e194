"""The team's own package beside this one, which pyproject.toml names under [tool.mlops]."""

import inspect
import re
import sys
import tokenize
import tomllib
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from .errors import TeamError, UserError
from .libraries import describe_failed_import

Listed = TypeVar("Listed")

PYPROJECT = Path("pyproject.toml")
NAME = re.compile(r"\w([\w .-]{0,98}[\w.-])?")
LONGEST = 80  # characters that a sentence shows of what is wrong


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
    """Where the team's package lies; nothing of it is run. Raises UserError if there is none."""
    name = package_name()
    package = find_spec(name)
    if package is None or package.origin is None:
        raise UserError(
            f"there is no package {name}, which {PYPROJECT} names under [tool.mlops]: write the "
            "name of the folder in src/ there, then run 'uv sync'."
        )
    return Path(package.origin).parent


def team_module(name: str) -> Any:
    """A module of the team's package, such as "candidates".

    Raises UserError, naming file and line, if it cannot be loaded.
    """
    folder = team_folder()
    for file in sorted(folder.rglob("*.py")):
        refuse_unreadable(file)
    with team_code(place=f"{shown(folder / f'{name}.py')}:1"):
        return import_module(f"{package_name()}.{name}")


def refuse_unreadable(file: Path) -> None:
    """Raises TeamError if the file is no text that Python reads, as one in UTF-16 is none."""
    try:
        with tokenize.open(file) as stream:
            lines = stream.readlines()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise TeamError(f"{shown(file)}:1: it is not UTF-8 text: save it as UTF-8.") from error
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise TeamError(
                f"{shown(file)}:{number}: it holds a null byte, which Python files cannot: save it "
                "as UTF-8 text."
            )


def listed_by_team(module: str, name: str, kind: type[Listed]) -> tuple[Listed, ...]:
    """What a list of one of the team's modules holds; nothing if the team has no such module.

    Raises UserError if the module lacks the list, it is none, or it holds something else.
    """
    if not (team_folder() / f"{module}.py").exists():
        return ()
    items = getattr(team_module(module), name, None)
    if not isinstance(items, tuple | list):
        raise TeamError(f"{list_line(module, name)}: {name} must be a tuple, such as {name} = ().")
    for item in items:
        if not isinstance(item, kind):
            raise TeamError(
                f"{list_line(module, name)}: {name} holds {one_line(item)}, which is not a "
                f"{kind.__name__}."
            )
    return tuple(items)


def list_line(module: str, name: str) -> str:
    """FILE:LINE where a module of the team's begins its list of that name, or begins itself."""
    file = team_folder() / f"{module}.py"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    begin = re.search(rf"^{name}\b", text, re.MULTILINE)
    return f"{shown(file)}:{text.count(chr(10), 0, begin.start()) + 1 if begin else 1}"


def loaded_team_files() -> list[Path]:
    """The files of the team's package that this process has imported, its root included."""
    name = package_name()
    modules = [module for each, module in sys.modules.items() if each.partition(".")[0] == name]
    return sorted(Path(module.__file__).resolve() for module in modules if module.__file__)


@contextmanager
def team_code(but: tuple[type[Exception], ...] = (), place: str = "") -> Iterator[None]:
    """Turn what ends the team's code, `but` some errors, into one sentence with file and line.

    `place` is where that code is written, for an error that none of its lines was running at; an
    error at none of the team's lines is left as it is without a place. An exit is an error too:
    a stage that ended so would pass. Raises TeamError.
    """
    left: tuple[type[BaseException], ...] = (KeyboardInterrupt, GeneratorExit, TeamError, *but)
    try:
        yield
    except left:
        raise
    except BaseException as error:
        line = error_line(error) or place
        if not line:
            raise
        raise TeamError(f"{line}: {_described(error)}.") from error


def shown(file: Path) -> str:
    """A path as it is seen from here."""
    here = Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else str(file)


def error_line(error: BaseException) -> str:
    """FILE:LINE of the team's line that was run last, or could not be read; "" if none was."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [(frame.filename, frame.lineno) for frame in frames]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
    return _last_line(places)


def running_line() -> str:
    """FILE:LINE of the team's line that is running now; "" if none is."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_stack(None)]
    return _last_line(reversed(frames))


def function_line(function: Any) -> str:
    """FILE:LINE where a function of the team's begins, whatever it is wrapped in; "" if it is none
    of theirs.
    """
    inner = inspect.unwrap(function)
    while isinstance(inner, partial):
        inner = inspect.unwrap(inner.func)
    if not hasattr(inner, "__code__"):
        inner = type(inner).__call__
    code = getattr(inner, "__code__", None)
    return _last_line([(code.co_filename, code.co_firstlineno)]) if code else ""


def is_library_missing(error: ImportError | OSError) -> bool:
    """Whether a function failed because a library that it imports is missing or broken.

    A module of the team's own, a name that a library does not have, and a file that could not be
    opened are no such library.
    """
    if isinstance(error, ModuleNotFoundError) and error.name:
        return "." not in error.name and not _is_own_module(error)
    frames = traceback.extract_tb(error.__traceback__)
    imported = [frame.filename for frame in frames if frame.name == "<module>"]
    return bool(imported) and not _last_line([(imported[-1], 1)])


def one_line(thing: Any) -> str:
    """What a thing looks like in Python, short enough for a sentence."""
    text = " ".join(repr(thing).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def require_text(text: Any, what: str) -> None:
    """Raises UserError if what a team's file gives is no line of text."""
    if not isinstance(text, str) or not text.strip() or len(text.splitlines()) > 1:
        raise UserError(f"{what} is {one_line(text)}, which is not a line of text.")


def require_name(text: Any, what: str) -> None:
    """Raises UserError if what a team's file gives is no name that MLflow keeps figures by."""
    if not isinstance(text, str) or not NAME.fullmatch(text):
        raise UserError(
            f"{what} is {one_line(text)}; a name has letters, digits, '_', '-', '.' and blanks, "
            "begins with a letter, a digit or '_', and ends with no blank."
        )


def require_function(function: Any, what: str) -> None:
    """Raises UserError if what a team's file gives cannot be called."""
    if not callable(function):
        raise UserError(f"{what} is {one_line(function)}, which is not a function.")


def _last_line(places: Iterable[tuple[str, int | None]]) -> str:
    try:
        folder = team_folder()
    except UserError:
        return ""
    ours = [(Path(file), line) for file, line in places if Path(file).is_relative_to(folder)]
    return f"{shown(ours[-1][0])}:{ours[-1][1]}" if ours else ""


def _is_own_module(error: ModuleNotFoundError) -> bool:
    return (team_folder() / f"{error.name}.py").exists() or error.name == package_name()


def _described(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and _is_own_module(error):
        return f"{error}: a module of your own is imported by 'from .{error.name} import ...'"
    if isinstance(error, ImportError):
        return describe_failed_import(error)
    message = " ".join(str(error).split())
    if isinstance(error, UserError):
        return message.rstrip(".")
    if isinstance(error, SystemExit):
        message = f"it ends the program, by SystemExit({error.code!r})"
        return f"{message}: return or raise an error instead"
    return f"{type(error).__name__}: {message or 'no reason given'}"
