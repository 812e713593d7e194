"""Machines as strangers have them: Debian's smallest system with git, Python and pip, no more.

There, pip refuses to install into the system's Python (PEP 668), and there is no venv, no libgomp,
no locale, and no identity of git's. Such a machine is a folder that chroot enters, with mounts and
processes of its own, which are gone when a command ends.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from engine import CACHE, CERTIFICATES, debian_system
from lacking import lacking
from support import git, run

USER = "jo"
HOME = f"/home/{USER}"
PACKAGES = "ca-certificates,git,python3,python3-pip"
HOOKS = [f'chroot "$1" useradd --create-home {USER}', f'cp {CERTIFICATES} "$1{CERTIFICATES}"']
ENTER = """
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
root=$1 user=$2
shift 2
exec chroot --userspec="$user:$user" "$root" env -i "$@"
"""
# How this machine reaches package indexes is all that the other one is told of it.
WAYS = ("SSL_CERT_FILE", "PIP_CERT", "HTTPS_PROXY", "UV_DEFAULT_INDEX", "PIP_INDEX_URL")


@dataclass(frozen=True)
class Machine:
    """`settings`: what its environment holds beyond a home and a path."""

    root: Path
    settings: dict[str, str] = field(default_factory=dict)

    def shell(self, script: str, folder: str = HOME, check: bool = True) -> str:
        """Run a script of bash's in a folder; returns what it printed."""
        (self.root / "script.sh").write_text(f'cd "{folder}"\n{script}\n', encoding="utf-8")
        known = {name: os.environ[name] for name in WAYS if name in os.environ}
        known |= {"HOME": HOME, "PATH": "/usr/local/bin:/usr/bin:/bin", **self.settings}
        inside = [*(f"{name}={value}" for name, value in known.items()), "bash", "-e", "/script.sh"]
        alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        words = [*alone, "sh", "-ec", ENTER, "sh", self.root, USER, *inside]
        return run(*words, cwd=self.root, check=check).stdout

    def file(self, path: str) -> Path:
        """Where a file of the machine lies on this one."""
        return self.root / path.removeprefix("/")

    def clone(self, repository: Path, folder: str) -> None:
        """Clone a repository's main branch, without tags, into a folder of the user's."""
        git(repository, "bundle", "create", "--quiet", str(self.root / "bundle"), "HEAD", "main")
        self.shell(f'git clone --quiet --no-tags /bundle "{folder}"')


def debian_machine(release: str, folder: Path, **settings: str) -> Machine:
    """A machine in a folder that is to be made."""
    alone = ["unshare", "--mount", "true"]
    if (
        os.getuid()
        or not shutil.which("apt-get")
        or run(*alone, cwd=Path("/"), check=False).returncode
    ):
        lacking("only root on Debian, and not of a container, can make other systems to try it on")
    archive = CACHE / f"fresh-{release}.tar"
    if not archive.exists():
        debian_system(archive, release, PACKAGES, HOOKS)
    folder.mkdir(mode=0o755)
    subprocess.run(["tar", "-C", folder, "-xf", archive], check=True)
    shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
    return Machine(folder, settings)
