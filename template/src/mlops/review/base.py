"""The commit that a change is held against, read from git without a checkout."""

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from ..core.errors import UserError
from ..core.git_command import git
from ..core.paths import MODEL, RAW
from ..data.contract import CONTRACT, Contract

LOCK = "dvc.lock"
SECONDS = 300  # that a remote may take to hand a model over
NOBODY = "0" * 40  # what a code host calls the commit before the first one

Outs = dict[str, tuple[str, int]]


@dataclass(frozen=True)
class Base:
    """`ref` as it was asked for, and the `commit` that it means."""

    ref: str
    commit: str

    @classmethod
    def find(cls, ref: str) -> "Base | None":
        """Look a name of a commit up in git.

        Returns None where there is nothing before: no commit at all, or a host's word for that.
        Raises UserError if git does not know the name.
        """
        if ref == NOBODY or not git("rev-list", "--all", "--max-count=1"):
            return None
        try:
            return cls(ref, git("rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}"))
        except UserError as error:
            raise UserError(
                f"git knows no commit {ref!r}: fetch it ('git fetch origin'), or name a branch, a "
                "tag or a commit that 'git log --all' shows."
            ) from error

    def __str__(self) -> str:
        return self.ref if self.commit.startswith(self.ref) else f"{self.ref} ({self.commit[:7]})"

    def text(self, path: Path | str) -> str:
        """Return what the file holds there; "" if the commit has none of that name."""
        name = Path(path).as_posix()
        known = git("ls-tree", "--name-only", self.commit, "--", name)
        return git("show", f"{self.commit}:./{name}") if known else ""

    def json(self, path: Path) -> Any:
        """Return what the JSON file holds there; {} if the commit has no such file."""
        return json.loads(self.text(path) or "{}")

    def yaml(self, path: str) -> Any:
        """Return what the YAML file holds there; {} if the commit has no such file."""
        return yaml.safe_load(self.text(path)) or {}

    @cached_property
    def outs(self) -> Outs:
        """What it delivers and makes; see `read_outs`."""
        return read_outs(self.yaml(LOCK))

    @cached_property
    def contract(self) -> Contract | None:
        """The contract there; None if there is none, or none that can be read by now."""
        with TemporaryDirectory() as scratch:
            copy = Path(scratch) / CONTRACT.name
            copy.write_text(self.text(CONTRACT), encoding="utf-8")
            try:
                return Contract.load(copy)
            except UserError:
                return None

    @cached_property
    def changed(self) -> list[str]:
        """The files that differ from where the two went apart; new ones too, ignored ones not."""
        try:
            since = git("merge-base", self.commit, "HEAD")
        except UserError:  # a shallow clone, or another history
            since = self.commit
        tracked = git("diff", "--name-only", "-z", "--relative", since).split("\0")
        fresh = git("ls-files", "-z", "--others", "--exclude-standard").split("\0")
        return sorted({*filter(None, (*tracked, *fresh))})

    def model(self) -> bytes | None:
        """Fetch its packaged model from DVC's cache or remote; None if neither has it."""
        if MODEL.exists() and self.outs.get(MODEL.as_posix()) == read_outs_here().get(
            MODEL.as_posix()
        ):
            return MODEL.read_bytes()
        with TemporaryDirectory() as scratch:
            copy = Path(scratch) / MODEL.name
            words = ["get", ".", MODEL.as_posix(), "--rev", self.commit, "--out", str(copy)]
            try:
                subprocess.run(
                    [sys.executable, "-m", "dvc", *words],
                    capture_output=True,
                    timeout=SECONDS,
                    check=True,
                )
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                return None
            return copy.read_bytes()


def read_outs(lock: Any) -> Outs:
    """Return {path: (checksum, bytes)} of what is delivered, and of what the stages of a dvc.lock
    make.
    """
    stages = lock.get("stages", {})
    delivered = [dep for dep in stages.get("ingest", {}).get("deps", ()) if dep["path"] == str(RAW)]
    made = [out for stage in stages.values() for out in stage.get("outs", ())]
    return {out["path"]: (out["md5"], out["size"]) for out in (*delivered, *made)}


def read_outs_here() -> Outs:
    """Return those of the working tree; none before the pipeline has run."""
    lock = Path(LOCK)
    return read_outs(yaml.safe_load(lock.read_text(encoding="utf-8"))) if lock.exists() else {}
