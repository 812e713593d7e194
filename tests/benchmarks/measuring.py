"""Run a command as a child and measure it; print figures side by side, with their ratios."""

import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Measurement:
    """Wall seconds, the peak resident memory of the whole process tree in MB, and the processors'
    seconds, on which other work on the machine tells less.
    """

    name: str
    seconds: float
    peak_mb: float
    output: str = ""
    cpu: float = 0.0


def tree_memory(process: psutil.Process) -> float:
    """Resident MB of a process and all below it; those that have ended meanwhile count nothing."""
    total = 0
    try:
        for member in (process, *process.children(recursive=True)):
            total += member.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total / 1e6


def run(name: str, command: list[str], cwd: Path) -> Measurement:
    """Raises CalledProcessError, with the output shown, if the command fails."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment.pop("VIRTUAL_ENV", None)
    peak, before = 0.0, _spent()
    done = threading.Event()
    begun = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:

        def watch() -> None:
            nonlocal peak
            process = psutil.Process(child.pid)
            while not done.wait(0.02):
                peak = max(peak, tree_memory(process))

        watcher = threading.Thread(target=watch)
        watcher.start()
        output, _ = child.communicate()
        seconds = time.perf_counter() - begun
        done.set()
        watcher.join()
    if child.returncode:
        print(output, file=sys.stderr)
        raise subprocess.CalledProcessError(child.returncode, command)
    return Measurement(name, seconds, peak, output, _spent() - before)


def _spent() -> float:
    """Seconds of the processors that all children have taken so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def show(title: str, measurements: list[Measurement]) -> None:
    """A table whose ratios are against the first row."""
    first = measurements[0]
    heads = f"{'seconds':>9}{'ratio':>8}{'CPU s':>9}{'ratio':>8}{'peak MB':>10}{'ratio':>8}"
    print(f"\n{title}\n{'':34}{heads}")
    for one in measurements:
        print(
            f"{one.name:34}{one.seconds:9.2f}{one.seconds / first.seconds:8.2f}"
            f"{one.cpu:9.2f}{one.cpu / first.cpu:8.2f}"
            f"{one.peak_mb:10.0f}{one.peak_mb / first.peak_mb:8.2f}",
            flush=True,
        )
