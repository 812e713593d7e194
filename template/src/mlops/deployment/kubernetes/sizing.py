"""What a replica of the service needs: measured under load, then requested from Kubernetes.

The real service runs in a process of its own and is asked for single records, over CONNECTIONS
connections, and then for the worst that it admits: over more connections than it has room for, as
many records as a request may hold, and as much that is no record. Its journal is thrown away.
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
from ...core.paths import write_text
from ...serving.models import Model
from ...serving.options import Options

RESOURCES = Path("deploy/k8s/base/resources.yaml")
SECONDS, CONNECTIONS, PATIENCE = 5.0, 16, 30
BUSY = 0.7  # of the processor time requested: above it autoscaler.yaml adds a replica
SPARE, STEP = 1.3, 32  # times the most memory seen, in steps of so many MiB
PATCH = """\
# Measured by `uv run mlops deploy size --rate {rate}`:
# {findings}.
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
    """What a number of requests took.

    `seconds` passed, `cpu` is seconds of processor time, `mib` the most memory resident, in MiB.
    """

    requests: int
    seconds: float
    cpu: float
    mib: float


def size_replica(rate: int) -> list[str]:
    """Request what a replica needs to answer `rate` requests a second, as measured now.

    Returns what was measured, a line each. Raises UserError if no replica is so fast, or it does
    not run.
    """
    text, findings = make_patch(rate, *measure_service())
    write_text(RESOURCES, text)
    return [*findings, f"written to {RESOURCES.as_posix()}: commit it, and deploy"]


def make_patch(rate: int, single: Load, large: Load) -> tuple[str, list[str]]:
    """Return the text of RESOURCES, and what it says, a line each. Raises UserError if no replica
    answers so many requests a second.
    """
    cpu_each, most_mib = single.cpu / single.requests, max(single.mib, large.mib)
    cores = max(1, round(single.cpu / single.seconds))  # one worker: the rest is the journal's
    cpu = math.ceil(rate * cpu_each / BUSY * 100) * 10
    if cpu > cores * 1000:
        highest = int(cores * BUSY / cpu_each)
        raise UserError(f"A replica answers at most {highest} requests a second: lower --rate.")
    memory = math.ceil(most_mib * SPARE / STEP) * STEP
    findings = [
        f"{cpu_each * 1000:.2f} ms of processor time for a record",
        f"{most_mib:.0f} MiB with as many of the worst requests as are let in, and two models",
        f"so {cpu}m and {memory}Mi for a replica that answers {rate} requests a second",
    ]
    listed = ",\n# ".join(findings)
    text = PATCH.format(rate=rate, findings=listed, cpu=cpu, memory=memory, cores=cores)
    return text, findings


def measure_service() -> tuple[Load, Load]:
    """Measure what requests for one record take, and the largest ones."""
    options, key = Options.read(), secrets.token_hex()
    uri, most = options.model_uri, options.max_records
    model = Model.load(uri, options.model_sha256, options.unexpected, most)
    records = [case["record"] for case in model.meta["cases"]]
    single = [json.dumps(record).encode() for record in records]
    many = min(most, options.max_bytes // (max(map(len, single)) + len(", ")))
    large = json.dumps((records * many)[:many]).encode()
    worst = [large, fill(b"{%b}", b'"%x":0,', options), fill(b'{"":[%b]}', b"{},", options)]
    crowd = CONNECTIONS + options.max_total_bytes // options.max_bytes
    with run_service(key) as (process, port):
        swap = json.dumps({"uri": uri, "sha256": model.sha256}).encode()
        post(HTTPConnection("127.0.0.1", port, timeout=PATIENCE), "/model/swap", swap, key)
        return apply_load(process, port, single), apply_load(process, port, worst, crowd)


def fill(frame: bytes, part: bytes, options: Options) -> bytes:
    """Make a body of as many numbered parts as are let in, which is no record."""
    longest = len(part) + (8 if b"%" in part else 0)
    several = range((options.max_bytes - len(frame)) // longest)
    parts = (part % number if b"%" in part else part for number in several)
    return frame % b"".join(parts).rstrip(b",")


@contextmanager
def run_service(key: str) -> Iterator[tuple[psutil.Popen, int]]:
    """Yield the process and the port of a service that runs meanwhile; `key` is its ADMIN_KEY."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        settings = {"HOST": "127.0.0.1", "PORT": str(port), "API_KEY": "", "ADMIN_KEY": key}
        settings |= {"JOURNAL_URL": f"sqlite:///{folder}/journal.db", "LOG_LEVEL": "error"}
        command = [sys.executable, "-m", "mlops.serving.server"]
        process = psutil.Popen(command, env=os.environ | settings)
        try:
            await_listening(process, port)
            yield process, port
        finally:
            process.kill()  # its journal may still be writing what nobody will read
            process.wait()


def await_listening(process: psutil.Popen, port: int) -> None:
    """Raise UserError if the service ends, or does not listen within PATIENCE seconds."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise UserError("The service does not start: look at what 'serve' says.")


def apply_load(
    process: psutil.Popen, port: int, bodies: list[bytes], connections: int = CONNECTIONS
) -> Load:
    """Post the bodies in turn, over every connection at once, for SECONDS.

    Over more `connections` than usual some are refused, as they should be.
    """
    accepted = (200,) if connections == CONNECTIONS else (200, 422, 503)
    start, cpu_before, most = time.perf_counter(), sum(process.cpu_times()[:2]), 0

    def post_in_turn() -> int:
        times, connection = 0, HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        while time.perf_counter() < start + SECONDS:
            post(connection, "/predict", bodies[times % len(bodies)], accepted=accepted)
            times += 1
        connection.close()
        return times

    with ThreadPoolExecutor(connections) as pool:
        posting = [pool.submit(post_in_turn) for _ in range(connections)]
        while wait(posting, timeout=0.05).not_done:
            most = max(most, process.memory_info().rss)
    seconds, cpu = time.perf_counter() - start, sum(process.cpu_times()[:2]) - cpu_before
    return Load(sum(done.result() for done in posting), seconds, cpu, most / 2**20)


def post(
    connection: HTTPConnection,
    path: str,
    body: bytes,
    key: str = "",
    accepted: tuple[int, ...] = (200,),
) -> None:
    """Post a request. Raises UserError with what is answered, unless that is accepted."""
    connection.request("POST", path, body, {"X-API-Key": key})
    response = connection.getresponse()
    content = response.read()
    if response.status not in accepted:
        raise UserError(f"The service refuses {path}: {content.decode()}")
