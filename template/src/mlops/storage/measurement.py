"""How fast the places are that keep data: this machine's disk, the DVC remote, any URL of fsspec.

A disk is measured in a file without a name, which is gone however the process ends. Elsewhere the
objects lie under a name that no other run has, and are removed.
"""

import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from secrets import token_hex
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import fsspec
from fsspec.core import url_to_fs
from fsspec.utils import get_protocol
from rich.progress import Progress

from ..core.errors import UserError
from .blocks import Disk, Objects, measured

ANSWER_SECONDS = 20
Report = dict[str, Any]


class Place(NamedTuple):
    """`reach` connects to the place: a file system of fsspec and a path in it."""

    name: str
    url: str
    reach: Callable[[], tuple[Any, str]]


def places(urls: list[str]) -> list[Place]:
    """data/, the DVC remote and the URLs. Raises UserError for a URL that needs another package."""
    for url in urls:
        try:
            fsspec.get_filesystem_class(get_protocol(url))
        except (ImportError, ValueError) as error:
            raise UserError(f"{masked(url)}: {error}; add its package with 'uv add'.") from error
    given = [Place(masked(url), url, partial(url_to_fs, url)) for url in urls]
    return [Place("local", "data", partial(url_to_fs, "data")), dvc_remote(), *given]


def dvc_remote() -> Place:
    """The default remote, with the settings and credentials that DVC itself would use."""
    from dvc.config import Config  # noqa: PLC0415  (half a second)
    from dvc.exceptions import DvcException  # noqa: PLC0415
    from dvc.fs import get_cloud_fs  # noqa: PLC0415

    try:
        config = Config.from_cwd()
    except DvcException as error:
        raise UserError(f"DVC: {error}; correct .dvc/config.") from error
    name = config["core"].get("remote", "")

    def reach() -> tuple[Any, str]:
        if not name:
            raise UserError("DVC has no default remote; name one with 'uv run dvc remote default'")
        files, settings, path = get_cloud_fs(config, name=name)
        return files(**settings).fs, path

    return Place("remote", config["remote"].get(name, {}).get("url", ""), reach)


def measure(place: Place, seconds: float, size: int, bar: Progress) -> Report:
    """What a place does in about so many seconds, with at most so many bytes.

    `figures` has one for each pattern; `fault` says why there are none, or what is left behind.
    """
    shown = {"name": place.name, "url": masked(place.url), "scheme": get_protocol(place.url)}
    report: Report = {**shown, "how": "", "fault": "", "figures": []}
    try:
        with opened(place, size) as store:
            report["how"] = store.how
            for pattern in bar.track(store.patterns, description=f"storage: {place.name}"):
                share = seconds / len(store.patterns)
                report["figures"].append(measured(store, pattern, share))
    except Exception as error:  # each library behind fsspec has errors of its own
        absent = "there is no such bucket or folder: " * isinstance(error, FileNotFoundError)
        said = str(error).strip().partition("\n")[0][:300] or type(error).__name__
        report["fault"] = masked(absent + said.rstrip("."), place.url)
    return report


@contextmanager
def opened(place: Place, size: int) -> Iterator[Disk | Objects]:
    """Room for blocks at a place; nothing of it is left afterwards, or UserError says what."""
    files, path = answer(place.reach)
    if get_protocol(place.url) in ("file", "local"):
        with tempfile.TemporaryFile(dir=roomy(Path(path), size), buffering=0) as file:
            yield Disk(file, size)
        return
    folder = f"{path.rstrip('/')}/.bench-{token_hex(8)}"
    answer(partial(files.mkdir, folder, create_parents=False))  # or it would make a bucket
    with stoppable() as check:
        try:
            yield Objects(files, folder, size, check)
        finally:
            remove(files, folder)


def remove(files: Any, folder: str) -> None:
    try:
        files.invalidate_cache()
        files.rm(folder, recursive=True)
    except FileNotFoundError:  # it has no objects yet
        return
    except Exception as error:
        told = f"{folder} could not be removed: {error}; remove it by hand"
        raise UserError(told) from error


def roomy(path: Path, size: int) -> Path:
    """The nearest folder that is there. Raises UserError if its disk has not twice the room."""
    folder = next(up for up in (path.absolute(), *path.absolute().parents) if up.is_dir())
    free = shutil.disk_usage(folder).free
    if free < 2 * size:
        wanted = f"has {free / 1e6:,.0f} MB of room, and {2 * size / 1e6:,.0f} MB are wanted"
        raise UserError(f"the disk of {folder} {wanted}: make room, or give a smaller --size.")
    return folder


def answer(ask: Callable[[], Any]) -> Any:
    """What a place says. Raises UserError if it says nothing for ANSWER_SECONDS."""
    said: Future[Any] = Future()

    def work() -> None:
        try:
            said.set_result(ask())
        except Exception as error:
            said.set_exception(error)

    Thread(target=work, daemon=True).start()  # one that waits for ever must not keep us
    try:
        return said.result(ANSWER_SECONDS)
    except TimeoutError as error:
        raise UserError(f"it did not answer within {ANSWER_SECONDS} seconds") from error


@contextmanager
def stoppable() -> Iterator[Callable[[], None]]:
    """Ctrl-C and SIGTERM let the request under way end, or it could outlive the clean-up.

    What is yielded raises KeyboardInterrupt once there was one; a second one does not wait.
    """
    asked: list[int] = []

    def ask(number: int, _: object) -> None:
        check()
        asked.append(number)

    def check() -> None:
        if asked:
            raise KeyboardInterrupt

    before = {each: signal.signal(each, ask) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield check
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    check()


def masked(text: str, url: str = "") -> str:
    """Without the password and the query of addresses, and without the password of `url`."""
    shown = re.sub(r"(://[^:/@\s]*):[^/\s]*@", r"\1:***@", re.sub(r"\?\S+", "?***", text))
    password = urlsplit(url).password
    for secret in filter(None, (password, unquote(password or ""))):
        shown = shown.replace(secret, "***")
    return shown
