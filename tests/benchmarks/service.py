"""The service beside `mlflow models serve` and BentoML with the same model, and a handler that does
nothing: requests per second, latency, memory, cold start, records per second in batches.

One worker each, bytecode compiled, the service with all its metrics and its journal. They take
turns, and the best of all rounds counts: the load generator (wrk) and whatever else runs share the
machine's cores. MLflow and BentoML are sent values that the model reads as they are; the service
holds records to the contract and converts them itself.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError, URLError

import psutil
from tests.servers import debian, free_ports, stop

from .contenders import BENTOML, BLIND, MLFLOW, NOOP, Contender, prepared
from .measuring import tree_memory
from .projects import finished

WRK = """
wrk.method, wrk.headers["Content-Type"] = "POST", "application/json"
local file = io.open("%s")
wrk.body = file:read("*a")
done = function(summary, latency)
    local bad = summary.errors
    print(string.format(
        '{"requests": %%d, "seconds": %%f, "p50": %%f, "p99": %%f, "bad": %%d}',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
        latency:percentile(99) / 1e3, bad.connect + bad.read + bad.write + bad.status + bad.timeout
    ))
end
"""
CONNECTIONS = (1, 16, 64)
MANY = 100
RATE, P50, P99, CPU = "requests/s", "p50, ms", "p99, ms", "CPU, ms a request"
BATCHES, MEMORY, COLD = "batches of 100, records/s", "memory after load, MB", "cold start, s"
# At least so many times the figure of another; of times and memory, at most 1/so many.
TARGETS = {
    f"1: {RATE}": {BLIND: 0.85, MLFLOW: 30, BENTOML: 20, NOOP: 0.5},
    f"16: {RATE}": {BLIND: 0.85, MLFLOW: 50, BENTOML: 35, NOOP: 0.5},
    f"64: {RATE}": {BLIND: 0.85, MLFLOW: 50, BENTOML: 35, NOOP: 0.5},
    f"1: {P99}": {MLFLOW: 20},
    MEMORY: {MLFLOW: 6},
    COLD: {MLFLOW: 8},
    BATCHES: {MLFLOW: 8},
}


def main(project: str = "", rounds: str = "2", seconds: str = "8") -> None:
    """`project`: one whose pipeline has run; without it, a new one."""
    place = Path(project).resolve() if project else finished()
    debian("wrk", "wrk")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contenders = prepared(place, folder)
        for each in contenders:  # compiles bytecode, and warms the page cache
            with serving(each, folder):
                pass
        for _ in range(int(rounds)):
            for each in contenders:
                measure(each, folder, int(seconds))
    show(contenders)


@contextmanager
def serving(contender: Contender, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """From its start to its first answer, which is noted, until the block ends."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}{contender.path}"
    body = (folder / f"{contender.payload}-one.json").read_bytes()
    command = [word.format(port=port) for word in contender.command]
    environment = os.environ | contender.environment | {"PORT": str(port)}
    for name in ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"):
        environment.pop(name, None)
    with (folder / "log").open("wb") as log:
        begun = time.perf_counter()
        server = subprocess.Popen(
            command,
            cwd=contender.cwd,
            env=environment,
            stdout=log,
            stderr=log,
            process_group=0,
        )
        try:
            while not answers(url, body):
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.01)
            contender.note(COLD, time.perf_counter() - begun)
            yield url, psutil.Process(server.pid)
        finally:
            alive = server.poll() is None
            workers = psutil.Process(server.pid).children(recursive=True) if alive else []
            stop(server)
            server.wait()
            for worker in workers:  # BentoML's are in groups of their own, and stay
                with suppress(psutil.NoSuchProcess):
                    worker.kill()


def answers(url: str, body: bytes) -> bool:
    """Whether it does by now. Raises HTTPError if it does not like the request."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60):  # noqa: S310
            return True
    except HTTPError as error:
        if error.code in (404, 503):  # it is starting
            return False
        raise
    except URLError:
        return False


def measure(contender: Contender, folder: Path, seconds: int) -> None:
    one, many = (folder / f"{contender.payload}-{name}.json" for name in ("one", "many"))
    with serving(contender, folder) as (url, process):
        for connections in CONNECTIONS:
            load(url, one, connections, 1)  # not counted: it warms up
            before = seconds_used(process)
            result = load(url, one, connections, seconds)
            spent = seconds_used(process) - before
            figures = {
                RATE: result["requests"] / result["seconds"],
                P50: result["p50"],
                P99: result["p99"],
                CPU: spent / result["requests"] * 1000,
            }
            for name, figure in figures.items():
                contender.note(f"{connections}: {name}", figure)
        result = load(url, many, 1, seconds)
        contender.note(BATCHES, MANY * result["requests"] / result["seconds"])
        contender.note(MEMORY, tree_memory(process))


def load(url: str, payload: Path, connections: int, seconds: int) -> dict[str, float]:
    """Requests one after the other on so many connections; all must be answered with success."""
    script = payload.with_suffix(".lua")
    script.write_text(WRK % payload, encoding="utf-8")
    command = ["wrk", "--threads", "1", "--connections", str(connections)]
    command += ["--duration", f"{seconds}s", "--timeout", "30s", "--script", str(script), url]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    assert not result["bad"], done.stdout
    assert result["requests"], "no request was answered in that time; take more seconds"
    return result


def seconds_used(process: psutil.Process) -> float:
    """Of the processors, by a process and all below it."""
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def show(contenders: list[Contender]) -> None:
    """Figures, and how many times better the service is (in brackets: should be)."""
    ours, *others = contenders
    print(f"\n{'':28}" + "".join(f"{each.name:>20}" for each in contenders))
    for name in ours.figures:
        better = [times_better(name, ours, other) for other in others]
        comparison = "".join(
            f"{other.best(name):9.4g} {ratio:>10}"
            for other, ratio in zip(others, better, strict=True)
        )
        print(f"{name:28}{ours.best(name):20.4g}{comparison}")


def times_better(name: str, ours: Contender, other: Contender) -> str:
    ratio = ours.best(name) / other.best(name)
    ratio = ratio if name.endswith("/s") else 1 / ratio
    target = TARGETS.get(name, {}).get(other.name)
    return f"{ratio:.3g}x" + (f" [{target}]" if target else "")


if __name__ == "__main__":
    main(*sys.argv[1:])
