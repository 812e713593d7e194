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

from lacking import lacking
from servers import debian
from support import ROOT, run

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
    if os.getuid() or not shutil.which("apt-get"):
        lacking("no Docker engine answers, and only root on Debian is lent one")
    debian("runc", "runc")
    debian("iptables", "iptables")  # inside containers: by it they find each other's names
    programs = unpack_packages("docker", PACKAGES)
    with tempfile.TemporaryDirectory(prefix="engine-") as name, ExitStack() as undo:
        folder = Path(name)
        undo.callback(leave_nothing, folder, BRIDGE.exists())
        (folder / "data").mkdir()  # in memory: its many small files are soon made and soon gone
        in_memory = ["mount", "-t", "tmpfs", "tmpfs", folder / "data"]
        if run(*in_memory, cwd=folder, check=False).returncode:
            lacking("no Docker engine answers, and root of a container cannot start one")
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


def unpack_packages(name: str, packages: list[str]) -> Path:
    """The folder of programs of the newer Debian, downloaded if need be."""
    home = CACHE / f"{name}-{RELEASE}-{platform.machine()}"
    if home.exists():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        folder = Path(scratch)
        (folder / "lists/partial").mkdir(parents=True)
        (folder / "archives/partial").mkdir(parents=True)
        sources = debian_sources()
        theirs = sources.read_text(encoding="utf-8").replace(codename(), RELEASE)
        (folder / sources.name).write_text(theirs, encoding="utf-8")
        settings = {
            "Dir::Etc::SourceList": folder / sources.name,
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


def codename() -> str:
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def debian_sources() -> Path:
    """The file that names where this machine's packages come from, if it is Debian."""
    files = [Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")]
    here = [file for file in files if file.exists() and "debian" in file.read_text("utf-8")]
    if not here:
        lacking(f"programs of Debian's {RELEASE} come from its servers, which only Debian knows")
    return here[0]


def have_image(name: str) -> None:
    """See that there is an image `python:X.Y-slim`: here, in a registry, or a stand-in."""
    if has_image(name):
        return
    [python] = re.findall(r"^python:(\d+\.\d+)-slim$", name)
    settings = [
        "PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin",
        f"SSL_CERT_FILE={CERTIFICATES}",
        f"PIP_CERT={CERTIFICATES}",
    ]
    import_image(stand_in(python), f"ENV {' '.join(settings)}", name)


def have_proxy() -> None:
    """The same of the one that stands before the releases in deploy/compose.yaml."""
    [stack] = (ROOT / "template").glob("*deploy*/*compose.yaml*")
    [name] = re.findall(r"image: (haproxy:.*)$", stack.read_text(encoding="utf-8"), re.MULTILINE)
    if not has_image(name):
        import_image(proxy_stand_in(), "USER 99", name)


def has_image(name: str) -> bool:
    """Whether an image is here by now."""
    ways = (["image", "inspect", name], ["pull", "--quiet", name])
    return any(run("docker", *way, cwd=ROOT, check=False).returncode == 0 for way in ways)


def import_image(archive: Path, change: str, name: str) -> None:
    run("docker", "import", f"--change={change}", archive, name, cwd=ROOT)


def proxy_stand_in() -> Path:
    """Debian's HAProxy, with the small tools of Alpine."""
    archive = CACHE / f"haproxy-{RELEASE}.tar"
    tools = [f'ln -s busybox "$1/usr/bin/{tool}"' for tool in ("nc", "wget")]
    return (
        archive if archive.exists() else debian_system(archive, RELEASE, "haproxy,busybox", tools)
    )


def stand_in(python: str) -> Path:
    """As slim as the real one: Debian's smallest system, this machine's Python, and its pip."""
    interpreter = run("uv", "python", "find", "--system", python, cwd=Path.cwd()).stdout.strip()
    tell = "import sys, platform; print(sys.base_prefix, platform.python_version())"
    prefix, version = run(interpreter, "-c", tell, cwd=Path.cwd()).stdout.split()
    release = codename()
    archive = CACHE / f"python-{version}-{release}.tar"
    if archive.exists():
        return archive
    debian("strip", "binutils")
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
    return debian_system(archive, release, LIBRARIES, hooks)


def debian_system(archive: Path, release: str, packages: str, hooks: list[str]) -> Path:
    """Make an archive of Debian's smallest system with these packages, changed by the hooks."""
    debian("mmdebstrap", "mmdebstrap")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        run(
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            f"--include={packages}",
            *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "locale", "man")),
            *(f"--customize-hook={hook}" for hook in hooks),
            release,
            f"{folder}/image.tar",
            cwd=archive.parent,
        )
        Path(folder, "image.tar").rename(archive)
    return archive
