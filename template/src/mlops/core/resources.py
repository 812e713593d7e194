"""What each stage takes: time, memory, input and output, of its process and its children."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypedDict, cast

import psutil

from .paths import REPORTS, USAGE, read_json, write_json
from .pipeline import STAGES

RESOURCES = REPORTS / "resources"
# What runs after the gates have judged: its figures there would be those of an earlier run.
AFTER_JUDGEMENT = ("gate", "register", "report")
MEMORY = "peak_memory_mb"
SAMPLE_SECONDS = 0.1
MB = 1e6


class StageUsage(TypedDict):
    """What a stage took: seconds, and megabytes (10^6 bytes); None where the system does not tell.

    `cpu_seconds` are of all processors, `peak_memory_mb` is the most memory at one time.
    """

    seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    read_mb: float | None
    written_mb: float | None


class RunUsage(TypedDict):
    """What each stage of a run took by its name, and the run in total."""

    stages: dict[str, StageUsage]
    total: StageUsage


@contextmanager
def measure_stage(stage: str) -> Iterator[None]:
    """Write reports/resources/STAGE.json when the block ends well."""
    before, done = read_usage(), threading.Event()
    peaks = [before[MEMORY]]

    def watch() -> None:
        while not done.wait(SAMPLE_SECONDS):
            peaks.append(read_usage()[MEMORY])

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    after = read_usage()
    # Never below nothing: a child that died unwaited for takes its count along.
    usage = {name: round(max(0.0, after[name] - before[name]), 2) for name in after}
    usage[MEMORY] = round(max(*peaks, after[MEMORY]), 1)
    write_json(RESOURCES / f"{stage}.json", {"read_mb": None, "written_mb": None} | usage)


def read_usage() -> dict[str, float]:
    """Read what the process and its children hold now, and what they have taken so far.

    Memory is the sum of resident sizes: what processes share counts more than once. Bytes are
    those asked of files and pipes, cached or not; only Linux tells them.
    """
    usage = {"seconds": time.perf_counter(), "cpu_seconds": 0.0, MEMORY: 0.0}
    usage |= {"read_mb": 0.0, "written_mb": 0.0} if psutil.LINUX else {}
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with suppress(psutil.Error):  # it may have ended meanwhile
            usage[MEMORY] += process.memory_info().rss / MB
            usage["cpu_seconds"] += sum(process.cpu_times()[:4])  # with children it waited for
            if psutil.LINUX:
                moved = process.io_counters()
                usage["read_mb"] += moved.read_chars / MB
                usage["written_mb"] += moved.write_chars / MB
    return usage


def sum_usage(without: tuple[str, ...] = ()) -> RunUsage:
    """Sum the usage of the stages measured so far, but for those named.

    Times and bytes add up; memory is that of the hungriest stage, as stages run one at a time.
    """
    # The gate of the release runs when all is reported: its figures are those of an earlier run.
    skipped = {*without, "release"}
    files = {name: RESOURCES / f"{name}.json" for name in STAGES if name not in skipped}
    stages = {name: read_json(file) for name, file in files.items() if file.exists()}
    joined: dict[str, float | None] = {}
    for figure in ("seconds", "cpu_seconds", MEMORY, "read_mb", "written_mb"):
        amounts = [0.0, *(usage[figure] for usage in stages.values())]
        join = max if figure == MEMORY else sum
        joined[figure] = None if None in amounts else round(join(amounts), 2)
    return {"stages": stages, "total": cast(StageUsage, joined)}


def write_total() -> None:
    """Write reports/resources.json."""
    write_json(USAGE, sum_usage())
