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
from typing import Any, NamedTuple, TypedDict
from urllib.parse import unquote, urlsplit

import fsspec
from fsspec.core import url_to_fs
from fsspec.utils import get_protocol
from rich.progress import Progress

from ..core.errors import UserError
from .blocks import Disk, Figures, Objects, measure_pattern

ANSWER_SECONDS = 20


class PlaceReport(TypedDict):
    """How fast a place is: `figures` has one entry for each pattern.

    `how` says what a figure means there; `fault` says why there are none, or what is left behind.
    """

    name: str
    url: str
    scheme: str
    how: str
    fault: str
    figures: list[Figures]


class Place(NamedTuple):
    """Where data is kept; `reach` connects to it: a file system of fsspec and a path in it."""

    name: str
    url: str
    reach: Callable[[], tuple[Any, str]]


def list_places(urls: list[str]) -> list[Place]:
    """List data/, the DVC remote and the URLs. Raises UserError for a URL that needs a package."""
    for url in urls:
        try:
            fsspec.get_filesystem_class(get_protocol(url))
        except (ImportError, ValueError) as error:
            raise UserError(
                f"{mask_secrets(url)}: {error}; add its package with 'uv add'."
            ) from error
    given = [Place(mask_secrets(url), url, partial(url_to_fs, url)) for url in urls]
    return [Place("local", "data", partial(url_to_fs, "data")), find_dvc_remote(), *given]


def find_dvc_remote() -> Place:
    """Find the default remote, with the settings and credentials that DVC itself would use.

    Raises UserError if DVC cannot read its settings.
    """
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


def measure_place(place: Place, seconds: float, size: int, bar: Progress) -> PlaceReport:
    """Measure each pattern at a place, in about so many seconds, with at most so many bytes."""
    report: PlaceReport = {
        "name": place.name,
        "url": mask_secrets(place.url),
        "scheme": get_protocol(place.url),
        "how": "",
        "fault": "",
        "figures": [],
    }
    try:
        with open_store(place, size) as store:
            report["how"] = store.how
            for pattern in bar.track(store.patterns, description=f"storage: {place.name}"):
                share = seconds / len(store.patterns)
                report["figures"].append(measure_pattern(store, pattern, share))
    except Exception as error:  # each library behind fsspec has errors of its own
        reason = str(error).strip().partition("\n")[0][:300] or type(error).__name__
        if isinstance(error, FileNotFoundError):
            reason = f"there is no such bucket or folder: {reason}"
        report["fault"] = mask_secrets(reason.rstrip("."), place.url)
    return report


@contextmanager
def open_store(place: Place, size: int) -> Iterator[Disk | Objects]:
    """Yield room for blocks at a place. Raises UserError if any of it is left afterwards."""
    files, path = wait_for_answer(place.reach)
    if get_protocol(place.url) in ("file", "local"):
        with tempfile.TemporaryFile(dir=find_room(Path(path), size), buffering=0) as file:
            yield Disk(file, size)
        return
    folder = f"{path.rstrip('/')}/.bench-{token_hex(8)}"
    wait_for_answer(partial(files.mkdir, folder, create_parents=False))  # or it would make a bucket
    with delay_interrupts() as check:
        try:
            yield Objects(files, folder, size, check)
        finally:
            remove_objects(files, folder)


def remove_objects(files: Any, folder: str) -> None:
    """Remove a folder and all in it. Raises UserError if that is refused."""
    try:
        files.invalidate_cache()
        files.rm(folder, recursive=True)
    except FileNotFoundError:  # it has no objects yet
        return
    except Exception as error:
        raise UserError(f"{folder} could not be removed: {error}; remove it by hand") from error


def find_room(path: Path, size: int) -> Path:
    """Find the nearest folder that exists. Raises UserError if its disk has not twice the room."""
    folder = next(up for up in (path.absolute(), *path.absolute().parents) if up.is_dir())
    free = shutil.disk_usage(folder).free
    if free < 2 * size:
        wanted = f"has {free / 1e6:,.0f} MB of room, and {2 * size / 1e6:,.0f} MB are wanted"
        raise UserError(f"the disk of {folder} {wanted}: make room, or give a smaller --size.")
    return folder


def wait_for_answer(ask: Callable[[], Any]) -> Any:
    """Return what a place answers. Raises UserError if it is silent for ANSWER_SECONDS."""
    answer: Future[Any] = Future()

    def work() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:
            answer.set_exception(error)

    Thread(target=work, daemon=True).start()  # one that waits for ever must not keep us
    try:
        return answer.result(ANSWER_SECONDS)
    except TimeoutError as error:
        raise UserError(f"it did not answer within {ANSWER_SECONDS} seconds") from error


@contextmanager
def delay_interrupts() -> Iterator[Callable[[], None]]:
    """Have Ctrl-C and SIGTERM let the request under way end, or it could outlive the clean-up.

    What is yielded raises KeyboardInterrupt once there was one; a second one does not wait.
    """
    interrupts: list[int] = []

    def note(number: int, _: object) -> None:
        check()
        interrupts.append(number)

    def check() -> None:
        if interrupts:
            raise KeyboardInterrupt

    before = {each: signal.signal(each, note) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield check
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    check()


def mask_secrets(text: str, url: str = "") -> str:
    """Hide the password and the query of addresses in a text, and the password of `url`."""
    shown = re.sub(r"(://[^:/@\s]*):[^/\s]*@", r"\1:***@", re.sub(r"\?\S+", "?***", text))
    password = urlsplit(url).password
    for secret in filter(None, (password, unquote(password or ""))):
        shown = shown.replace(secret, "***")
    return shown
