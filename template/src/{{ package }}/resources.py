"""What each stage takes: time, memory, input and output, of its process and its children."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from .files import REPORTS, read_json, write_json

RESOURCES = REPORTS / "resources"
TOTAL = REPORTS / "resources.json"
LIFECYCLE = (
    *("ingest", "validate", "split", "train", "package"),
    *("evaluate", "gate", "register", "report"),
)
# Runs after the gates have judged: its figures there would be those of an earlier run.
AFTER_JUDGEMENT = ("gate", "register", "report")
SAMPLE_SECONDS = 0.1
MB = 1e6


@dataclass(frozen=True)
class Usage:
    """`read_mb` and `written_mb` are what was asked of files and pipes, cached or not; None where
    the system does not tell (macOS). Memory is the sum of resident sizes of the process tree:
    what its processes share counts more than once.
    """

    seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    read_mb: float | None
    written_mb: float | None


@contextmanager
def measured(stage: str) -> Iterator[None]:
    """Write reports/resources/STAGE.json when the block ends well."""
    start, before = time.perf_counter(), _spent()
    with _watched_memory() as peak:
        yield
    after = _spent()
    taken = Usage(
        seconds=round(time.perf_counter() - start, 2),
        cpu_seconds=round(after["cpu"] - before["cpu"], 2),
        peak_memory_mb=round(max(peak[0], _own_peak()) / MB, 1),
        read_mb=_difference(after, before, "read"),
        written_mb=_difference(after, before, "written"),
    )
    write_json(RESOURCES / f"{stage}.json", asdict(taken))


def total(without: tuple[str, ...] = ()) -> dict[str, Any]:
    """{stages: {name: usage}, total: usage} of the stages measured so far, in their order.

    Times and bytes add up; memory is that of the hungriest stage, as stages run one at a time.
    """
    names = sorted((path.stem for path in RESOURCES.glob("*.json")), key=_place)
    stages = {name: read_json(RESOURCES / f"{name}.json") for name in names if name not in without}
    usages = list(stages.values())
    return {
        "stages": stages,
        "total": {
            "seconds": _sum(usages, "seconds"),
            "cpu_seconds": _sum(usages, "cpu_seconds"),
            "peak_memory_mb": max((usage["peak_memory_mb"] for usage in usages), default=0.0),
            "read_mb": _sum(usages, "read_mb"),
            "written_mb": _sum(usages, "written_mb"),
        },
    }


def write_total() -> dict[str, Any]:
    """Write reports/resources.json, and return what it holds."""
    joined = total()
    write_json(TOTAL, joined)
    return joined


def _place(stage: str) -> tuple[int, str]:
    known = stage in LIFECYCLE
    return (LIFECYCLE.index(stage) if known else len(LIFECYCLE), stage)


def _sum(usages: list[dict[str, float | None]], name: str) -> float | None:
    figures = [usage[name] for usage in usages]
    return None if None in figures else round(sum(f for f in figures if f is not None), 2)


def _difference(after: dict[str, float], before: dict[str, float], name: str) -> float | None:
    """In MB. Never below nothing: a child that died unwaited for takes its count along."""
    return round(max(0.0, after[name] - before[name]) / MB, 2) if name in after else None


def _tree() -> list[psutil.Process]:
    process = psutil.Process()
    return [process, *process.children(recursive=True)]


def _spent() -> dict[str, float]:
    """CPU seconds and bytes so far. A process's own counts hold those of children it waited for."""
    spent: dict[str, float] = {"cpu": 0.0}
    for process in _tree():
        try:
            times = process.cpu_times()
            spent["cpu"] += times.user + times.system + times.children_user + times.children_system
            if hasattr(process, "io_counters"):
                io = process.io_counters()
                read = getattr(io, "read_chars", io.read_bytes)
                written = getattr(io, "write_chars", io.write_bytes)
                spent["read"] = spent.get("read", 0.0) + read
                spent["written"] = spent.get("written", 0.0) + written
        except psutil.Error:
            continue  # ended while it was looked at
    return spent


def _memory() -> int:
    """Resident bytes of the process tree now."""
    resident = 0
    for process in _tree():
        try:
            resident += process.memory_info().rss
        except psutil.Error:
            continue
    return resident


def _own_peak() -> int:
    """Bytes this process alone held at most; 0 where only samples tell.

    Not getrusage's ru_maxrss: across an exec that keeps the peak of the parent (DVC, pytest).
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found.group(1)) * 1024 if found else 0


@contextmanager
def _watched_memory() -> Iterator[list[int]]:
    """Yield a list that holds the largest memory seen by a thread looking every little while."""
    peak, done = [_memory()], threading.Event()

    def watch() -> None:
        while not done.wait(SAMPLE_SECONDS):
            peak[0] = max(peak[0], _memory())

    watcher = threading.Thread(target=watch, daemon=True, name="memory-watcher")
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()
