"""Templates: where they are, which releases they have, and each of their versions once."""

import hashlib
import re
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import yaml
from filelock import FileLock
from packaging.version import InvalidVersion
from packaging.version import Version as Number
from platformdirs import user_cache_path

from .copier_internals import get_repo
from .errors import UserError
from .git import Objects, git
from .git_place import ANSWERS
from .patterns import matches
from .policy import Policy
from .render import Version

OWNERSHIP = "hooks/ownership.yml"
POLICY = "hooks/policy.yml"
OWNERS = ("seeded", "shared", "managed")
DESCRIBED = re.compile(r"(?P<tag>.+)-(?P<count>\d+)-g(?P<commit>[0-9a-f]{4,})")


Kept = TypeVar("Kept")


def get_or_make(kept: dict[str, Kept | UserError], name: str, make: Callable[[str], Kept]) -> Kept:
    """Return what is kept under a name, made at its first use.

    A UserError is kept and raised again, so that the next repository need not wait for it.
    """
    if name not in kept:
        try:
            kept[name] = make(name)
        except UserError as error:
            kept[name] = error
    result = kept[name]
    if isinstance(result, UserError):
        raise result
    return result


class Template:
    """A template that lies on this machine, as a clone or a bare repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._versions: dict[str, Version | UserError] = {}
        self._ownerships: dict[str, dict[str, tuple[str, ...]]] = {}
        self._behind: dict[str, int | None] = {}

    @cached_property
    def tags(self) -> set[str]:
        """All tags, of releases or not."""
        return set(git("tag", "--list", cwd=self.folder).split())

    @cached_property
    def releases(self) -> list[str]:
        """Its release tags, the oldest first: those that Copier would update to."""
        numbers = {tag: parse_version(tag) for tag in self.tags}
        known = {
            tag: version
            for tag, version in numbers.items()
            if version and not version.is_prerelease
        }
        return sorted(known, key=lambda tag: known[tag])

    @property
    def newest(self) -> str | None:
        """The newest release; None: there is none yet."""
        return self.releases[-1] if self.releases else None

    def behind(self, version: str) -> int | None:
        """Count the releases after that version; None: the template does not know it."""
        if version not in self._behind:
            self._behind[version] = self._count_behind(version)
        return self._behind[version]

    def _count_behind(self, version: str) -> int | None:
        named = version in self.tags or DESCRIBED.fullmatch(version)  # a hash may be all digits
        at = parse_version(version) if named else None
        if at is not None:
            return sum(1 for tag in self.releases if (parse_version(tag) or at) > at)
        commit = self._find_commit(version)
        if commit is None:
            return None
        older = git("tag", "--list", "--merged", commit, cwd=self.folder).split()
        return len(set(self.releases) - set(older))

    def version(self, name: str) -> Version:
        """Read a version by tag or commit, once.

        Raises UserError if there is none, or one that cannot be rendered.
        """
        return get_or_make(self._versions, name, self._read)

    def _read(self, name: str) -> Version:
        commit = self._find_commit(name)
        if commit is None:
            raise UserError(f"The template {self.folder} has no version {name}.")
        with Objects(self.folder) as objects:
            return Version(name, commit, objects)

    def knows(self, name: str) -> bool:
        """Tell whether there is a version of that tag or commit."""
        return name in self._versions or self._find_commit(name) is not None

    def owner(self, version: Version, path: str) -> str | None:
        """Look up whose a file is: seeded, shared or managed; None: nobody's.

        Raises UserError if the version names no owners.
        """
        if version.name not in self._ownerships:
            self._ownerships[version.name] = read_ownership(version)
        owners = self._ownerships[version.name].items()
        return next((owner for owner, patterns in owners if matches(patterns, path)), None)

    @cached_property
    def policy(self) -> Policy:
        """The policy of its newest release: what the platform asks of everybody today."""
        newest = self.version(self.newest or "HEAD")
        if POLICY not in newest.files:
            return Policy()
        return Policy.parse(newest.text(POLICY).encode(), f"{POLICY} of {newest.name}")

    def _find_commit(self, name: str) -> str | None:
        wanted = f"{name}^{{commit}}"
        try:
            return git(
                "rev-parse", "--verify", "--end-of-options", wanted, cwd=self.folder
            ).split()[-1]
        except UserError:
            return None


def parse_version(version: str) -> Number | None:
    """Parse a tag, or what `git describe` says of a commit after it; None: it is no version."""
    if described := DESCRIBED.fullmatch(version):
        version = f"{described['tag']}.post{described['count']}"
    try:
        return Number(version)
    except InvalidVersion:
        return None


def read_ownership(version: Version) -> dict[str, tuple[str, ...]]:
    """Read the patterns by which each owner's files are named at that version.

    Raises UserError if there are none.
    """
    if OWNERSHIP not in version.files:
        raise UserError(
            f"{OWNERSHIP} is missing in the template's {version.name}: no owner is known."
        )
    patterns = yaml.safe_load(version.text(OWNERSHIP))
    return {owner: tuple(patterns[owner]) for owner in OWNERS}


class Templates:
    """Every template that repositories were made from, fetched once.

    `only` is the folder or address of the one to compare with, whatever a repository says.
    """

    def __init__(self, only: str | None = None, cache: Path | None = None) -> None:
        self._only = only
        self._cache = cache or user_cache_path("copier-mlops") / "templates"
        self._known: dict[str, Template | UserError] = {}

    def get(self, address: str) -> Template:
        """Read the template of an address, once. Raises UserError if it cannot be reached."""
        return get_or_make(self._known, self._only or address, self._open)

    def _open(self, address: str) -> Template:
        return Template(self._find_folder(address))

    def _find_folder(self, address: str) -> Path:
        local = Path(address).expanduser()
        if (local / ".git").exists() or (local / "HEAD").is_file():
            return local
        url = get_repo(address)
        if url is None or url.startswith("-"):
            raise UserError(
                f"The template {address} is no repository that this machine has: "
                "pass --template with the address or folder of a clone, or write it into "
                f"{ANSWERS} as _src_path."
            )
        return self._mirror(url)

    def _mirror(self, url: str) -> Path:
        """Bring a bare copy up to date, one process at a time. It is made under another name."""
        folder = self._cache / hashlib.sha256(url.encode()).hexdigest()[:16]
        self._cache.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if folder.exists():
                refs = "+refs/*:refs/*"
                git("fetch", "--quiet", "--prune", "--force", "origin", refs, cwd=folder)
                return folder
            with tempfile.TemporaryDirectory(dir=self._cache) as scratch:
                git("clone", "--quiet", "--mirror", "--", url, "clone", cwd=Path(scratch))
                Path(scratch, "clone").rename(folder)
        return folder
