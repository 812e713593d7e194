"""The commands that open the pull requests: printed for a person to run, and never run here."""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..git import git
from ..git_place import find_root
from .summary import Row

ADDRESS = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/\s]*@)?([\w-]+\.[\w.-]+)(?::\d+)?/"
    r"|(?:[\w.-]+@)?([\w-]+\.[\w.-]+):)"
    r"((?!-)[\w.-]+(?:/(?!-)[\w.-]+)+)/?"
)
"""The address of a repository at a code host: the host, in either form, and owner/name."""


@dataclass(frozen=True)
class Host:
    """A code host as both tools know it; the public ones need no `address`."""

    platform: str
    address: str | None

    @classmethod
    def of(cls, name: str) -> "Host":
        """Tell the platform by the name of the host."""
        platform, path = ("gitlab", "api/v4/") if "gitlab" in name else ("github", "api/v3/")
        return cls(platform, None if name == f"{platform}.com" else f"https://{name}/{path}")


def build_commands(tool: str, rows: Iterable[Row]) -> tuple[list[str], list[str]]:
    """Build a command for each host and release to update to; and list what is left, with why.

    Left to a person are repositories whose update will not go through, or that no code host keeps.
    """
    write = {"renovate": _renovate, "multi-gitter": _multi_gitter}[tool]
    groups: dict[tuple[Host, str], list[str]] = defaultdict(list)
    left = []
    for row in rows:
        if not row.behind or not row.newest:
            continue
        address = _read_origin(Path(row.path))
        match = ADDRESS.fullmatch(address)
        if row.prediction and not row.prediction.clean:
            left.append(f"{row.name}: {row.prediction.title}.")
        elif folder := find_root(Path(row.path))[1]:
            update = f"run 'copier-mlops update {folder.rstrip('/')}' in a clone"
            left.append(f"{row.name}: it lies in a larger repository: {update}.")
        elif not match:
            known = "is at no code host" if address else "is missing"
            left.append(f"{row.name}: its remote named origin {known}.")
        else:
            groups[Host.of(match[1] or match[2]), row.newest].append(match[3].removesuffix(".git"))
    return [_join_words(write(*key, sorted(names))) for key, names in groups.items()], left


def _renovate(host: Host, newest: str, names: list[str]) -> list[str]:
    """List the words for Renovate, whose manager of Copier takes the newest release by itself."""
    return [
        "npx --yes renovate",
        f"--platform={host.platform}",
        *([f"--endpoint={host.address}"] if host.address else []),
        "--enabled-managers=copier",
        "--onboarding=false",
        "--require-config=optional",
        *(shlex.quote(name) for name in names),
    ]


def _multi_gitter(host: Host, newest: str, names: list[str]) -> list[str]:
    """List the words for multi-gitter, with the whole history: Copier compares with it."""
    update = f"uvx copier update --defaults --skip-answered --vcs-ref {newest}"
    option = {"github": "--repo", "gitlab": "--project"}[host.platform]
    return [
        f"multi-gitter run {shlex.quote(update)}",
        f"--platform={host.platform}",
        *([f"--base-url={host.address}"] if host.address else []),
        f"--branch={shlex.quote(f'template-{newest}')}",
        f"--commit-message={shlex.quote(f'Update the template to {newest}')}",
        "--fetch-depth=0",
        *(f"{option}={shlex.quote(name)}" for name in names),
    ]


def _join_words(words: list[str]) -> str:
    """Join for a shell, a word a line, so that a person can take one out."""
    return " \\\n  ".join(words)


def _read_origin(repository: Path) -> str:
    try:
        return git("config", "--get", "remote.origin.url", cwd=repository).strip()
    except UserError:
        return ""
