"""The libraries that models come from: which are here, in which versions, and what one lacks.

A library that is missing or broken is no reason to stop: its candidate is left out, and said so.
"""

import re
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from .errors import UserError

# Parts of an operating system that a library's wheel expects there, and what brings them.
SYSTEM_PARTS = {
    "libgomp": "'apt-get install libgomp1' (Debian, Ubuntu) or 'dnf install libgomp' (Fedora)",
    "libomp": "'brew install libomp'",
}


class LibraryError(UserError):
    """A candidate's library cannot be loaded on this machine."""


def describe_failed_import(error: ImportError | OSError) -> str:
    """Say what the library lacks, and what brings it; a name that no library has, as it is."""
    message = " ".join(str(error).split())
    for part, command in SYSTEM_PARTS.items():
        if part in message:
            return f"{part} is not installed on this machine; {command} brings it"
    part_of_another = isinstance(error, ModuleNotFoundError) and "." in (error.name or "")
    if part_of_another or message.startswith("cannot import name"):
        return message
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"the package {error.name} is not installed; 'uv add {error.name}' brings it"
    library = re.sub(r": cannot open shared object file.*", " cannot be loaded", message)
    return f"its library is broken ({library}); 'uv sync --reinstall' may fix it"


def read_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Read {name: version} of those packages that are installed."""
    versions = {}
    for name in names:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions
