"""The figures of the disk beside those of fio: same pattern, block size and queue depth, direct.

Each repetition measures both, one after the other, in turns first; the median of their ratios is
within a factor of two, whatever else the machine does. The noisier it is, the more repetitions.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from mlops.storage.blocks import DIRECT, PATTERNS, Disk, Pattern, measure_pattern

from servers import debian
from support import ROOT

pytestmark = pytest.mark.slow

MB = 10**6
SIZE = 128 * MB
SECONDS = 0.5
FEWEST, MOST = 5, 25
COMPARED = [each for each in PATTERNS if (each.order == "random") == (each.block == "small")]


def ours(folder: Path, pattern: Pattern) -> float:
    """10^6 bytes a second; the file is made first, as it is by each measurement."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        store = Disk(file, SIZE)
        assert store.how == DIRECT
        made = measure_pattern(store, PATTERNS[0], SECONDS)
        if pattern == PATTERNS[0]:
            return made["mb_s"]
        return measure_pattern(store, pattern, SECONDS)["mb_s"]


def fio(folder: Path, pattern: Pattern) -> float:
    options = {
        "name": "bench",
        "directory": folder,
        "rw": {"sequential": "", "random": "rand"}[pattern.order] + pattern.action,
        "bs": {"small": "4k", "large": "1m"}[pattern.block],
        "size": SIZE // 2**20 * 2**20,
        "runtime": f"{SECONDS}s",
        "ioengine": "psync",
        "iodepth": 1,
        "direct": 1,
        "fallocate": "none",
        "overwrite": int(pattern.order == "random"),  # as ours: in a file that is there
        "unlink": 1,
        "output-format": "json",
    }
    command = ["fio", *(f"--{name}={value}" for name, value in options.items())]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout[done.stdout.index("{") :])
    return report["jobs"][0][pattern.action]["bw_bytes"] / MB


@pytest.fixture
def folder() -> Iterator[Path]:
    """On a disk, which the folder for scratch files may not be."""
    with tempfile.TemporaryDirectory(prefix=".fio-", dir=ROOT) as name:
        yield Path(name)


@pytest.mark.parametrize("pattern", COMPARED, ids="-".join)
def test_the_same_as_fio_within_a_factor_of_two(pattern: Pattern, folder: Path) -> None:
    debian("fio", "fio")
    pairs, ratio = list[tuple[float, float]](), 0.0
    while len(pairs) < FEWEST or (len(pairs) < MOST and not 0.8 < ratio < 1.25):
        first, second = (ours, fio) if len(pairs) % 2 else (fio, ours)
        measured = {each: each(folder, pattern) for each in (first, second)}
        pairs.append((measured[ours], measured[fio]))
        ratio = median(one / other for one, other in pairs)
    print(f"{'-'.join(pattern)}: {ratio:.2f} after {len(pairs)}")
    assert 0.5 < ratio < 2, pairs
