"""Templates: where they are, which releases they have, and each of their versions once."""

import hashlib
import re
import tempfile
from functools import cached_property
from pathlib import Path

import yaml
from copier._vcs import get_repo
from filelock import FileLock
from packaging.version import InvalidVersion
from packaging.version import Version as Number
from platformdirs import user_cache_path

from .errors import UserError
from .git import Objects, git
from .patterns import matches
from .policy import Policy
from .render import ANSWERS, Version

OWNERSHIP = "hooks/ownership.yml"
POLICY = "hooks/policy.yml"
OWNERS = ("seeded", "shared", "managed")
DESCRIBED = re.compile(r"(?P<tag>.+)-(?P<count>\d+)-g(?P<commit>[0-9a-f]{4,})")


class Template:
    """A template that lies on this machine, as a clone or a bare repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._versions: dict[str, Version | UserError] = {}
        self._ownerships: dict[str, dict[str, tuple[str, ...]]] = {}
        self._behind: dict[str, int | None] = {}

    @cached_property
    def tags(self) -> set[str]:
        return set(git("tag", "--list", cwd=self.folder).split())

    @cached_property
    def releases(self) -> list[str]:
        """Its release tags, the oldest first: those that Copier would update to."""
        numbers = {tag: number(tag) for tag in self.tags}
        known = {tag: found for tag, found in numbers.items() if found and not found.is_prerelease}
        return sorted(known, key=lambda tag: known[tag])

    @property
    def newest(self) -> str | None:
        return self.releases[-1] if self.releases else None

    def behind(self, version: str) -> int | None:
        """How many releases came after that version; None: the template does not know it."""
        if version not in self._behind:
            self._behind[version] = self._count_behind(version)
        return self._behind[version]

    def _count_behind(self, version: str) -> int | None:
        named = version in self.tags or DESCRIBED.fullmatch(version)  # a hash may be all digits
        at = number(version) if named else None
        if at is not None:
            return sum(1 for tag in self.releases if (number(tag) or at) > at)
        commit = self._commit(version)
        if commit is None:
            return None
        older = git("tag", "--list", "--merged", commit, cwd=self.folder).split()
        return len(set(self.releases) - set(older))

    def version(self, name: str) -> Version:
        """By tag or commit. Raises UserError if there is none, or one that cannot be rendered."""
        if name not in self._versions:
            try:
                self._versions[name] = self._read(name)
            except UserError as error:
                self._versions[name] = error  # the next repository at that version need not wait
        found = self._versions[name]
        if isinstance(found, UserError):
            raise found
        return found

    def _read(self, name: str) -> Version:
        commit = self._commit(name)
        if commit is None:
            raise UserError(f"The template {self.folder} has no version {name}.")
        with Objects(self.folder) as objects:
            return Version(name, commit, objects)

    def knows(self, name: str) -> bool:
        return name in self._versions or self._commit(name) is not None

    def owner(self, version: Version, path: str) -> str | None:
        """Whose a file is at that version: seeded, shared or managed; None: nobody's."""
        if version.name not in self._ownerships:
            self._ownerships[version.name] = ownership(version)
        owners = self._ownerships[version.name].items()
        return next((owner for owner, patterns in owners if matches(patterns, path)), None)

    @cached_property
    def policy(self) -> Policy:
        """That of its newest release: what the platform asks of everybody today."""
        newest = self.version(self.newest or "HEAD")
        if POLICY not in newest.files:
            return Policy()
        return Policy.parse(newest.text(POLICY).encode(), f"{POLICY} of {newest.name}")

    def _commit(self, name: str) -> str | None:
        wanted = f"{name}^{{commit}}"
        try:
            return git(
                "rev-parse", "--verify", "--end-of-options", wanted, cwd=self.folder
            ).split()[-1]
        except UserError:
            return None


def number(version: str) -> Number | None:
    """A tag, or what `git describe` says of a commit after it, as something to compare."""
    if described := DESCRIBED.fullmatch(version):
        version = f"{described['tag']}.post{described['count']}"
    try:
        return Number(version)
    except InvalidVersion:
        return None


def ownership(version: Version) -> dict[str, tuple[str, ...]]:
    """Whose files are which, by the patterns that the template itself has at that version."""
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
        """Raises UserError if it cannot be reached."""
        address = self._only or address
        if address not in self._known:
            try:
                self._known[address] = Template(self._folder(address))
            except UserError as error:
                self._known[address] = error
        found = self._known[address]
        if isinstance(found, UserError):
            raise found
        return found

    def _folder(self, address: str) -> Path:
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
        """A bare copy, brought up to date by one process at a time; made under another name."""
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
