"""Blocks written and read in a file or as objects, one request at a time, and how long it takes."""

import mmap
import os
import random
import time
from collections.abc import Callable
from itertools import product, starmap
from typing import Any, NamedTuple, TypedDict

import numpy as np

LARGE, SMALL = 1 << 20, 4096
BYTES = {"large": LARGE, "small": SMALL}
MOST_OBJECTS = 1000
DIRECT = "past the page cache (O_DIRECT)"
CACHED = "the page cache was in play: reads show memory, writes wait for the disk (fsync)"
PARTS = "whole objects, and at random a part of one; an object is not written in parts"


class Pattern(NamedTuple):
    """What is done to a store: write or read, sequential or random, large or small blocks."""

    action: str
    order: str
    block: str


PATTERNS = tuple(starmap(Pattern, product(("write", "read"), ("sequential", "random"), BYTES)))


class Figures(TypedDict):
    """How fast a store is, by one pattern (`action`, `order`, `block`).

    Latencies are in milliseconds, `iops` is requests a second, `mb_s` is 10^6 bytes a second.
    """

    action: str
    order: str
    block: str
    requests: int
    p50_ms: float
    p99_ms: float
    iops: float
    mb_s: float


class Disk:
    """Blocks of an unbuffered, empty file of at most `size` bytes."""

    patterns = PATTERNS  # the first one makes the file, as large as its time allows

    def __init__(self, file: Any, size: int) -> None:
        self.file, self.size, self.end = file, size, 0
        self.blocks = {name: mmap.mmap(-1, each) for name, each in BYTES.items()}
        for block in self.blocks.values():
            block[:] = os.urandom(len(block))
        self.direct = self._passes_the_cache()
        self.how = DIRECT if self.direct else CACHED

    def count_blocks(self, pattern: Pattern) -> int:
        """Count the blocks that a pattern has: those of the file, once that is made."""
        return (self.end or self.size) // BYTES[pattern.block]

    def write(self, pattern: Pattern, at: int) -> None:
        """Write the block at this place; it is on the disk when this returns."""
        self.file.seek(at * BYTES[pattern.block])
        self.file.write(self.blocks[pattern.block])
        if not self.direct:
            os.fsync(self.file.fileno())
        self.end = max(self.end, self.file.tell())

    def read(self, pattern: Pattern, at: int) -> None:
        """Read the block at this place."""
        self.file.seek(at * BYTES[pattern.block])
        self.file.readinto(self.blocks[pattern.block])

    def _passes_the_cache(self) -> bool:
        """Have the file pass the page cache, and return whether it can: some file systems refuse
        at once, some when written.
        """
        if not hasattr(os, "O_DIRECT"):
            return False
        import fcntl  # noqa: PLC0415  (Windows has none)

        flags = fcntl.fcntl(self.file, fcntl.F_GETFL)
        try:
            fcntl.fcntl(self.file, fcntl.F_SETFL, flags | os.O_DIRECT)
            self.file.write(self.blocks["small"])
        except OSError:
            fcntl.fcntl(self.file, fcntl.F_SETFL, flags)
            return False
        return True


class Objects:
    """Objects of one block each, `size` bytes at most in all; `check` comes before each request."""

    patterns = (*(each for each in PATTERNS if each.order == "sequential"), PATTERNS[-1])
    how = PARTS

    def __init__(self, files: Any, folder: str, size: int, check: Callable[[], None]) -> None:
        self.files, self.folder, self.size, self.check = files, folder, size, check
        self.written = dict.fromkeys(BYTES, 0)
        self.blocks = {name: os.urandom(each) for name, each in BYTES.items()}

    def count_blocks(self, pattern: Pattern) -> int:
        """Count the blocks that a pattern has: room for them, or what was written of them."""
        if pattern.action == "write":
            return min(self.size // 2 // BYTES[pattern.block], MOST_OBJECTS)
        parts = self.written["large"] * LARGE // SMALL
        return parts if pattern.order == "random" else self.written[pattern.block]

    def write(self, pattern: Pattern, at: int) -> None:
        """Put an object of this number."""
        self.check()
        self.files.pipe_file(f"{self.folder}/{pattern.block}-{at}", self.blocks[pattern.block])
        self.written[pattern.block] += 1

    def read(self, pattern: Pattern, at: int) -> None:
        """Get the object of this number or, at random, that part of the large ones."""
        self.check()
        if pattern.order == "random":
            which, start = divmod(at * SMALL, LARGE)
            self.files.cat_file(f"{self.folder}/large-{which}", start=start, end=start + SMALL)
        else:
            self.files.cat_file(f"{self.folder}/{pattern.block}-{at}")


def measure_pattern(store: Disk | Objects, pattern: Pattern, seconds: float) -> Figures:
    """Time one request for each block of a pattern, or as many as there is time for."""
    act, blocks = getattr(store, pattern.action), store.count_blocks(pattern)
    latencies, end = list[float](), time.perf_counter() + seconds
    for place in range(blocks):
        at = place if pattern.order == "sequential" else random.randrange(blocks)  # noqa: S311
        start = time.perf_counter()
        act(pattern, at)
        now = time.perf_counter()
        latencies.append(now - start)
        if now > end:
            break
    rate = len(latencies) / sum(latencies)
    p50, p99 = np.quantile(latencies, [0.5, 0.99], method="inverted_cdf")  # nearest rank
    return {
        "action": pattern.action,
        "order": pattern.order,
        "block": pattern.block,
        "requests": len(latencies),
        "p50_ms": 1e3 * float(p50),
        "p99_ms": 1e3 * float(p99),
        "iops": rate,
        "mb_s": rate * BYTES[pattern.block] / 1e6,
    }
