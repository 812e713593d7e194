"""The team's own package beside this one, which pyproject.toml names under [tool.mlops]."""

import inspect
import re
import sys
import tokenize
import tomllib
import traceback
from collections.abc import Callable, Iterable, Iterator
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


def read_package_name() -> str:
    """Read the name of the team's package, which the command, the registered model and the service
    have too. Raises UserError if pyproject.toml does not name it.
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


def find_team_folder() -> Path:
    """Find where the team's package lies; nothing of it is run. Raises UserError if it has none."""
    name = read_package_name()
    package = find_spec(name)
    if package is None or package.origin is None:
        raise UserError(
            f"there is no package {name}, which {PYPROJECT} names under [tool.mlops]: write the "
            "name of the folder in src/ there, then run 'uv sync'."
        )
    return Path(package.origin).parent


def load_team_module(name: str) -> Any:
    """Load a module of the team's package, such as "candidates".

    Raises UserError, naming file and line, if it cannot be loaded.
    """
    folder = find_team_folder()
    for file in sorted(folder.rglob("*.py")):
        refuse_unreadable(file)
    with team_code(place=f"{shorten_path(folder / f'{name}.py')}:1"):
        return import_module(f"{read_package_name()}.{name}")


def refuse_unreadable(file: Path) -> None:
    """Raise TeamError if the file is no text that Python reads, as one in UTF-16 is none."""
    try:
        with tokenize.open(file) as stream:
            lines = stream.readlines()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise TeamError(
            f"{shorten_path(file)}:1: it is not UTF-8 text: save it as UTF-8."
        ) from error
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise TeamError(
                f"{shorten_path(file)}:{number}: it holds a null byte, which Python files "
                "cannot: save it as UTF-8 text."
            )


def load_team_list(module: str, name: str, kind: type[Listed]) -> tuple[Listed, ...]:
    """Load a list of one of the team's modules; it is empty if the team has no such module.

    Raises UserError if the module lacks the list, it is none, or it holds something else.
    """
    if not (find_team_folder() / f"{module}.py").exists():
        return ()
    items = getattr(load_team_module(module), name, None)
    if not isinstance(items, tuple | list):
        raise TeamError(
            f"{locate_list(module, name)}: {name} must be a tuple, such as {name} = ()."
        )
    for item in items:
        if not isinstance(item, kind):
            raise TeamError(
                f"{locate_list(module, name)}: {name} holds {shorten_repr(item)}, which is not a "
                f"{kind.__name__}."
            )
    return tuple(items)


def locate_list(module: str, name: str) -> str:
    """Locate as FILE:LINE where a module of the team's begins its list, or else begins itself."""
    file = find_team_folder() / f"{module}.py"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    begin = re.search(rf"^{name}\b", text, re.MULTILINE)
    return f"{shorten_path(file)}:{text.count(chr(10), 0, begin.start()) + 1 if begin else 1}"


def list_loaded_team_files() -> list[Path]:
    """List the files of the team's package that this process has imported, its root included."""
    name = read_package_name()
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
        line = locate_error(error) or place
        if not line:
            raise
        raise TeamError(f"{line}: {_describe(error)}.") from error


def shorten_path(file: Path) -> str:
    """Write a path as it is seen from here."""
    here = Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else str(file)


def locate_error(error: BaseException) -> str:
    """Locate as FILE:LINE the team's line that ran last, or could not be read; "" if none was."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [(frame.filename, frame.lineno) for frame in frames]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
    return _locate_last(places)


def locate_running_code() -> str:
    """Locate as FILE:LINE the team's line that is running now; "" if none is."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_stack(None)]
    return _locate_last(reversed(frames))


def locate_function(function: Any) -> str:
    """Locate as FILE:LINE where a function of the team's begins, whatever it is wrapped in; "" if
    it is none of theirs.
    """
    inner = inspect.unwrap(function)
    while isinstance(inner, partial):
        inner = inspect.unwrap(inner.func)
    if not hasattr(inner, "__code__"):
        inner = type(inner).__call__
    code = getattr(inner, "__code__", None)
    return _locate_last([(code.co_filename, code.co_firstlineno)]) if code else ""


def is_library_missing(error: ImportError | OSError) -> bool:
    """Tell whether a function failed because a library that it imports is missing or broken.

    A module of the team's own, a name that a library does not have, and a file that could not be
    opened are no such library.
    """
    if isinstance(error, ModuleNotFoundError) and error.name:
        return "." not in error.name and not _is_own_module(error)
    frames = traceback.extract_tb(error.__traceback__)
    modules = [frame.filename for frame in frames if frame.name == "<module>"]
    return bool(modules) and not _locate_last([(modules[-1], 1)])


def shorten_repr(thing: Any) -> str:
    """Write a thing as Python does, in one line short enough for a sentence."""
    text = " ".join(repr(thing).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def require_text(text: Any, what: str) -> None:
    """Raise UserError if what a team's file gives is no line of text."""
    if not isinstance(text, str) or not text.strip() or len(text.splitlines()) > 1:
        raise UserError(f"{what} is {shorten_repr(text)}, which is not a line of text.")


def require_name(text: Any, what: str) -> None:
    """Raise UserError if what a team's file gives is no name that MLflow keeps figures by."""
    if not isinstance(text, str) or not NAME.fullmatch(text):
        raise UserError(
            f"{what} is {shorten_repr(text)}; a name has letters, digits, '_', '-', '.' and "
            "blanks, begins with a letter, a digit or '_', and ends with no blank."
        )


def require_function(function: Any, what: str) -> None:
    """Raise UserError if what a team's file gives cannot be called."""
    require_kind(function, Callable, what, "not a function")


def require_kind(thing: Any, kind: Any, what: str, otherwise: str) -> None:
    """Raise UserError, saying what it is instead, if what a team's file gives is not of a kind."""
    if not isinstance(thing, kind):
        raise UserError(f"{what} is {shorten_repr(thing)}, which is {otherwise}.")


def _locate_last(places: Iterable[tuple[str, int | None]]) -> str:
    try:
        folder = find_team_folder()
    except UserError:
        return ""
    ours = [(Path(file), line) for file, line in places if Path(file).is_relative_to(folder)]
    return f"{shorten_path(ours[-1][0])}:{ours[-1][1]}" if ours else ""


def _is_own_module(error: ModuleNotFoundError) -> bool:
    return (find_team_folder() / f"{error.name}.py").exists() or error.name == read_package_name()


def _describe(error: BaseException) -> str:
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
