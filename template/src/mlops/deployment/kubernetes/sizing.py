"""What a replica of the service needs: measured under load, then requested from Kubernetes.

The real service runs in a process of its own and is asked over CONNECTIONS connections, for single
records and then for as many as a request may hold. Its journal is thrown away.
"""

import json
import math
import os
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil

from ...core.errors import UserError
from ...core.paths import replacing
from ...serving.models import Model
from ...serving.options import Options

RESOURCES = Path("deploy/k8s/base/resources.yaml")
SECONDS, CONNECTIONS, PATIENCE = 5.0, 16, 30
BUSY = 0.7  # of the processor time requested: above it autoscaler.yaml adds a replica
SPARE, STEP = 1.5, 32  # times the most memory seen, in steps of so many MiB
PATCH = """\
# Measured by `uv run mlops deploy size --rate {rate}`:
# {told}.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  template:
    spec:
      containers:
        - name: api
          resources:
            requests: {{cpu: {cpu}m, memory: {memory}Mi}}
            limits: {{cpu: "{cores}", memory: {memory}Mi}}
"""


class Load(NamedTuple):
    """`cpu`: seconds of processor time; `mib`: the most memory resident."""

    requests: int
    seconds: float
    cpu: float
    mib: float


def size(rate: int) -> list[str]:
    """Request what a replica needs to answer `rate` requests a second, as measured now.

    Returns what was found, a line each. Raises UserError if no replica is so fast, or it does not
    run.
    """
    text, told = patch(rate, *measure())
    with replacing(RESOURCES) as scratch:
        scratch.write_text(text, encoding="utf-8")
    return [*told, f"written to {RESOURCES.as_posix()}: commit it, and deploy"]


def patch(rate: int, single: Load, large: Load) -> tuple[str, list[str]]:
    """The text of RESOURCES, and what it says, a line each. Raises UserError; see `size`."""
    each, most = single.cpu / single.requests, max(single.mib, large.mib)
    cores = max(1, round(single.cpu / single.seconds))  # one worker: the rest is the journal's
    cpu = math.ceil(rate * each / BUSY * 100) * 10
    if cpu > cores * 1000:
        reached = int(cores * BUSY / each)
        raise UserError(f"A replica answers at most {reached} requests a second: lower --rate.")
    memory = math.ceil(most * SPARE / STEP) * STEP
    told = [
        f"{each * 1000:.2f} ms of processor time for a record",
        f"{most:.0f} MiB with {CONNECTIONS} of the largest requests and two models at once",
        f"so {cpu}m and {memory}Mi for a replica that answers {rate} requests a second",
    ]
    about = {"rate": rate, "told": ",\n# ".join(told)}
    return PATCH.format(**about, cpu=cpu, memory=memory, cores=cores), told


def measure() -> tuple[Load, Load]:
    """What requests for one record take, and the largest ones."""
    options, key = Options.read(), secrets.token_hex()
    uri, most = options.model_uri, options.max_records
    model = Model.load(uri, options.model_sha256, options.unexpected, most)
    records = [case["record"] for case in model.meta["cases"]]
    single = [json.dumps(record).encode() for record in records]
    many = min(most, options.max_bytes // (max(map(len, single)) + len(", ")))
    large = json.dumps((records * many)[:many]).encode()
    with running(key) as (process, port):
        swap = json.dumps({"uri": uri, "sha256": model.sha256}).encode()
        ask(HTTPConnection("127.0.0.1", port, timeout=PATIENCE), "/model/swap", swap, key)
        return load(process, port, single), load(process, port, [large])


@contextmanager
def running(key: str) -> Iterator[tuple[psutil.Popen, int]]:
    """The service's process and port, until the block ends; `key` is its ADMIN_KEY."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        mine = {"HOST": "127.0.0.1", "PORT": str(port), "API_KEY": "", "ADMIN_KEY": key}
        mine |= {"JOURNAL_URL": f"sqlite:///{folder}/journal.db", "LOG_LEVEL": "error"}
        command = [sys.executable, "-m", "mlops.serving.server"]
        process = psutil.Popen(command, env=os.environ | mine)
        try:
            await_listening(process, port)
            yield process, port
        finally:
            process.kill()  # its journal may still be writing what nobody will read
            process.wait()


def await_listening(process: psutil.Popen, port: int) -> None:
    """Raises UserError if the service ends, or does not hear within PATIENCE seconds."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise UserError("The service does not start: look at what 'serve' says.")


def load(process: psutil.Popen, port: int, bodies: list[bytes]) -> Load:
    """Ask all the time, over every connection, for SECONDS."""
    start, before, most = time.perf_counter(), sum(process.cpu_times()[:2]), 0

    def asking() -> int:
        times, connection = 0, HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        while time.perf_counter() < start + SECONDS:
            ask(connection, "/predict", bodies[times % len(bodies)])
            times += 1
        connection.close()
        return times

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        asked = [pool.submit(asking) for _ in range(CONNECTIONS)]
        while wait(asked, timeout=0.05).not_done:
            most = max(most, process.memory_info().rss)
    seconds, cpu = time.perf_counter() - start, sum(process.cpu_times()[:2]) - before
    return Load(sum(done.result() for done in asked), seconds, cpu, most / 2**20)


def ask(connection: HTTPConnection, path: str, body: bytes, key: str = "") -> None:
    """Raises UserError with what the service says, unless it is an answer."""
    connection.request("POST", path, body, {"X-API-Key": key})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise UserError(f"The service refuses {path}: {said.decode()}")
