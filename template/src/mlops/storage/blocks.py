"""Blocks written and read in a file or as objects, one request at a time, and how long it takes."""

import math
import mmap
import os
import random
import time
from collections.abc import Callable
from itertools import product, starmap
from typing import Any, NamedTuple

LARGE, SMALL = 1 << 20, 4096
BYTES = {"large": LARGE, "small": SMALL}
MOST_OBJECTS = 1000
DIRECT = "past the page cache (O_DIRECT)"
CACHED = "the page cache was in play: reads show memory, writes wait for the disk (fsync)"
PARTS = "whole objects, and at random a part of one; an object is not written in parts"


class Pattern(NamedTuple):
    """Write or read; sequential or random; large or small blocks."""

    action: str
    order: str
    block: str


EACH = tuple(starmap(Pattern, product(("write", "read"), ("sequential", "random"), BYTES)))


class Disk:
    """Blocks of an unbuffered, empty file of at most `size` bytes."""

    patterns = EACH  # the first one makes the file, as large as its time allows

    def __init__(self, file: Any, size: int) -> None:
        self.file, self.size, self.end = file, size, 0
        self.blocks = {name: mmap.mmap(-1, each) for name, each in BYTES.items()}
        for block in self.blocks.values():
            block[:] = os.urandom(len(block))
        self.direct = self._passes_the_cache()
        self.how = DIRECT if self.direct else CACHED

    def many(self, pattern: Pattern) -> int:
        return (self.end or self.size) // BYTES[pattern.block]

    def write(self, pattern: Pattern, at: int) -> None:
        self.file.seek(at * BYTES[pattern.block])
        self.file.write(self.blocks[pattern.block])
        if not self.direct:
            os.fsync(self.file.fileno())
        self.end = max(self.end, self.file.tell())

    def read(self, pattern: Pattern, at: int) -> None:
        self.file.seek(at * BYTES[pattern.block])
        self.file.readinto(self.blocks[pattern.block])

    def _passes_the_cache(self) -> bool:
        """Have the file do so, if it can: some file systems refuse at once, some when written."""
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

    patterns = (*(each for each in EACH if each.order == "sequential"), EACH[-1])
    how = PARTS

    def __init__(self, files: Any, folder: str, size: int, check: Callable[[], None]) -> None:
        self.files, self.folder, self.size, self.check = files, folder, size, check
        self.there = dict.fromkeys(BYTES, 0)
        self.blocks = {name: os.urandom(each) for name, each in BYTES.items()}

    def many(self, pattern: Pattern) -> int:
        if pattern.action == "write":
            return min(self.size // 2 // BYTES[pattern.block], MOST_OBJECTS)
        random_ones = self.there["large"] * LARGE // SMALL
        return random_ones if pattern.order == "random" else self.there[pattern.block]

    def write(self, pattern: Pattern, at: int) -> None:
        self.check()
        self.files.pipe_file(f"{self.folder}/{pattern.block}-{at}", self.blocks[pattern.block])
        self.there[pattern.block] += 1

    def read(self, pattern: Pattern, at: int) -> None:
        self.check()
        if pattern.order == "random":
            which, start = divmod(at * SMALL, LARGE)
            self.files.cat_file(f"{self.folder}/large-{which}", start=start, end=start + SMALL)
        else:
            self.files.cat_file(f"{self.folder}/{pattern.block}-{at}")


def measured(store: Disk | Objects, pattern: Pattern, seconds: float) -> dict[str, Any]:
    """One request for each block, or until the time is up.

    Returns their number, the latency in milliseconds (p50, p99), requests a second (`iops`) and
    10^6 bytes a second (`mb_s`).
    """
    act, many = getattr(store, pattern.action), store.many(pattern)
    took, end = list[float](), time.perf_counter() + seconds
    for place in range(many):
        at = place if pattern.order == "sequential" else random.randrange(many)  # noqa: S311
        start = time.perf_counter()
        act(pattern, at)
        now = time.perf_counter()
        took.append(now - start)
        if now > end:
            break
    rate = len(took) / sum(took)
    figures = {"p50_ms": 1e3 * percentile(took, 0.5), "p99_ms": 1e3 * percentile(took, 0.99)}
    speed = {"iops": rate, "mb_s": rate * BYTES[pattern.block] / 1e6}
    return {**pattern._asdict(), "requests": len(took), **figures, **speed}


def percentile(values: list[float], share: float) -> float:
    """The smallest of the values that so large a share of them does not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
