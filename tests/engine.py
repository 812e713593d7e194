"""A Docker engine for tests: the one that runs here, or one of our own while they last.

Our own is Debian's, unpacked into a cache that nothing else uses; its socket, data and bridge are
gone when it ends. Where no registry is reached, the base image is made of Debian and of the
Python that is here, and stands in for the one of that name.
"""

import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from conftest import run
from servers import debian

RELEASE = "trixie"  # whose engine knows HEALTHCHECK --start-interval
PACKAGES = ["docker.io", "docker-cli", "containerd", "docker-buildx", "docker-compose"]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "copier-mlops"
BRIDGE = Path("/sys/class/net/docker0")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

LIBRARIES = (
    "ca-certificates,usr-is-merged,libssl3,libffi8,libsqlite3-0,libbz2-1.0,liblzma5,zlib1g,"
    "libreadline8,libncursesw6,libuuid1,libexpat1,netbase,tzdata"
)
UNUSED = ["site-packages", "test", "config-*", "idlelib", "tkinter", "__pycache__"]


@contextmanager
def engine() -> Iterator[dict[str, str]]:
    """What the environment of `docker` must say, as long as an engine answers it."""
    if shutil.which("docker") and answers({}):
        yield {}
        return
    assert os.getuid() == 0, "No Docker engine answers: start one, or run this as root on Debian."
    debian("runc", "runc")
    debian("iptables", "iptables")  # inside containers: by it they find each other's names
    programs = unpacked("docker", PACKAGES)
    with tempfile.TemporaryDirectory(prefix="engine-") as name, ExitStack() as undo:
        folder = Path(name)
        undo.callback(leave_nothing, folder, BRIDGE.exists())
        (folder / "data").mkdir()  # in memory: its many small files are soon made and soon gone
        run("mount", "-t", "tmpfs", "tmpfs", folder / "data", cwd=folder)
        undo.callback(run, "umount", folder / "data", cwd=folder)
        (folder / "config").mkdir()
        plugins = programs / "usr/libexec/docker/cli-plugins"
        (folder / "config/cli-plugins").symlink_to(plugins)
        path = [str(programs / "usr/bin"), str(programs / "usr/sbin"), os.environ["PATH"]]
        environment = {
            "PATH": os.pathsep.join(path),
            "DOCKER_HOST": f"unix://{folder}/docker.sock",
            "DOCKER_CONFIG": str(folder / "config"),
        }
        places = [f"--data-root={folder}/data", f"--exec-root={folder}/exec"]
        alone = [f"--pidfile={folder}/pid", "--iptables=false", "--ip6tables=false"]
        daemon = undo.enter_context(
            subprocess.Popen(
                [
                    programs / "usr/sbin/dockerd",
                    f"--host=unix://{folder}/docker.sock",
                    *places,
                    *alone,
                ],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=undo.enter_context((folder / "log").open("w")),
                stderr=subprocess.STDOUT,
            )
        )
        undo.callback(daemon.terminate)
        for _ in range(300):
            if answers(environment) or daemon.poll() is not None:
                break
            time.sleep(0.2)
        assert answers(environment), (folder / "log").read_text()
        yield environment


def answers(environment: dict[str, str]) -> bool:
    ask = ["docker", "info", "--format", "{{.ServerVersion}}"]
    whole = {**os.environ, **environment}
    return subprocess.run(ask, env=whole, capture_output=True, check=False).returncode == 0


def leave_nothing(folder: Path, had_bridge: bool) -> None:
    """Remove what an engine leaves: its bridge, and the network of containers on the host's."""
    if BRIDGE.exists() and not had_bridge:
        run(debian("ip", "iproute2"), "link", "delete", BRIDGE.name, cwd=folder)
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in reversed([place for place in mounts if place.startswith(str(folder))]):
        run("umount", place, cwd=folder)


def unpacked(name: str, packages: list[str]) -> Path:
    """The folder of programs of the newer Debian, downloaded if need be."""
    home = CACHE / f"{name}-{RELEASE}-{platform.machine()}"
    if home.exists():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        folder = Path(scratch)
        (folder / "lists/partial").mkdir(parents=True)
        (folder / "archives/partial").mkdir(parents=True)
        sources = Path("/etc/apt/sources.list.d/debian.sources").read_text(encoding="utf-8")
        theirs = sources.replace(platform.freedesktop_os_release()["VERSION_CODENAME"], RELEASE)
        (folder / "debian.sources").write_text(theirs, encoding="utf-8")
        settings = {
            "Dir::Etc::SourceList": folder / "debian.sources",
            "Dir::Etc::SourceParts": "/nonexistent",
            "Dir::State::Lists": folder / "lists",
            "Dir::State::status": "/dev/null",
            "Dir::Cache": folder,
            "APT::Sandbox::User": "root",
        }
        options = [f"--option={key}={value}" for key, value in settings.items()]
        run("apt-get", *options, "update", cwd=folder)
        run("apt-get", *options, "download", *packages, cwd=folder)
        for package in folder.glob("*.deb"):
            run("dpkg", "--extract", package, folder / name, cwd=folder)
        (folder / name).rename(home)
    return home


def have_image(name: str) -> None:
    """See that there is an image `python:X.Y-slim`: here, in a registry, or a stand-in."""
    here = Path.cwd()
    for known in (["image", "inspect", name], ["pull", "--quiet", name]):
        if run("docker", *known, cwd=here, check=False).returncode == 0:
            return
    [python] = re.findall(r"^python:(\d+\.\d+)-slim$", name)
    settings = [
        "PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin",
        f"SSL_CERT_FILE={CERTIFICATES}",
        f"PIP_CERT={CERTIFICATES}",
    ]
    run("docker", "import", f"--change=ENV {' '.join(settings)}", stand_in(python), name, cwd=here)


def stand_in(python: str) -> Path:
    """As slim as the real one: Debian's smallest system, this machine's Python, and its pip."""
    interpreter = run("uv", "python", "find", "--system", python, cwd=Path.cwd()).stdout.strip()
    tell = "import sys, platform; print(sys.base_prefix, platform.python_version())"
    prefix, version = run(interpreter, "-c", tell, cwd=Path.cwd()).stdout.split()
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    archive = CACHE / f"python-{version}-{release}.tar"
    if archive.exists():
        return archive
    programs = [("mmdebstrap", "mmdebstrap"), ("strip", "binutils")]
    for program, package in programs:
        debian(program, package)
    without = " ".join(f"--exclude='{name}'" for name in UNUSED)
    executables = f"bin/python3 bin/python{python}"
    hooks = [
        # Perl came with what merges /usr, which is merged here.
        "chroot \"$1\" apt-get purge --yes --auto-remove usrmerge perl '^libperl5' '^perl-modules'",
        f'tar -C {prefix} {without} -c {executables} lib | tar -C "$1/usr/local" -x',
        'find "$1/usr/local/lib" -name "*.so*" -type f -exec strip --strip-unneeded {} +',
        f'cp {CERTIFICATES} "$1{CERTIFICATES}"',
        'chroot "$1" ldconfig',
        'chroot "$1" python3 -m ensurepip',
        'ln -s python3 "$1/usr/local/bin/python" && ln -s pip3 "$1/usr/local/bin/pip"',
    ]
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        run(
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            f"--include={LIBRARIES}",
            *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "locale", "man")),
            *(f"--customize-hook={hook}" for hook in hooks),
            release,
            f"{folder}/image.tar",
            cwd=archive.parent,
        )
        Path(folder, "image.tar").rename(archive)
    return archive
