"""Objects of cloud storage, brought here by fsspec, as far as this machine may read them."""

from pathlib import Path, PurePosixPath
from typing import Any

from fsspec.core import url_to_fs
from fsspec.registry import known_implementations

from ..core.errors import UserError
from .addresses import redact
from .foreign_formats import describe_unreadable, is_readable


def download_tables(address: str, folder: Path) -> list[Path]:
    """Download an object, or the tables right under a prefix, in order of their names.

    Raises UserError if a package is missing, nothing is there, or it may not be read.
    """
    protocol = address.partition("://")[0]
    try:
        system, place = url_to_fs(address)
        objects = list_objects(system, place)
        folder.mkdir()
        return [download_object(system, each, folder) for each in objects]
    except UserError:
        raise
    except ImportError as error:
        package = known_implementations[protocol]["class"].partition(".")[0]
        raise UserError(
            f"{protocol}:// is read by the package {package}, which is not installed: 'uv add "
            f"{package}' brings it."
        ) from error
    except Exception as error:  # each library behind fsspec has errors of its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"{redact(address)} cannot be fetched ({reason[:200]}): check the address, and that "
            "this machine is allowed to read it."
        ) from error


def list_objects(system: Any, place: str) -> list[str]:
    """List the object itself, or the tables under a prefix. Raises UserError if there is none."""
    if system.isfile(place):
        return [place]
    inside = sorted(entry for entry in system.ls(place, detail=False))
    tables = [entry for entry in inside if is_readable(PurePosixPath(entry).name)]
    if not tables:
        raise describe_unreadable(place, [PurePosixPath(entry).name for entry in inside])
    return tables


def download_object(system: Any, entry: str, folder: Path) -> Path:
    """Download one object, under the last part of its name."""
    path = folder / PurePosixPath(entry).name
    system.get_file(entry, str(path))
    return path
