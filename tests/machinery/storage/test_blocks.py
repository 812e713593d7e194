import errno
import tempfile
from contextlib import contextmanager

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from mlops.storage import blocks
from mlops.storage.blocks import BYTES, PATTERNS, Disk, Objects, measure_pattern

MB = 10**6
FIGURES = ("requests", "p50_ms", "p99_ms", "iops", "mb_s")


@contextmanager
def disk(folder, size=4 * MB):
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        yield Disk(file, size)


def figures(store, seconds=10.0):
    return [measure_pattern(store, pattern, seconds) for pattern in store.patterns]


def test_figures_follow_from_the_time_of_each_request(tmp_path, monkeypatch):
    """By a clock of our own: 98 requests of a millisecond, and two of 20."""
    now = iter([0.0, *(t for n in range(100) for t in (n, n + (0.02 if n % 50 == 9 else 0.001)))])
    monkeypatch.setattr(blocks.time, "perf_counter", lambda: next(now))
    with disk(tmp_path, size=100 * BYTES["large"]) as store:
        measured = measure_pattern(store, PATTERNS[0], 1000)
    assert measured["requests"] == 100
    assert measured["p50_ms"] == pytest.approx(1)
    assert measured["p99_ms"] == pytest.approx(20)
    assert measured["iops"] == pytest.approx(100 / 0.138)
    assert measured["mb_s"] == pytest.approx(100 / 0.138 * 1.048576)


def test_every_pattern_of_a_disk_is_measured(tmp_path):
    with disk(tmp_path) as store:
        measured = figures(store)
        assert store.end == 3 * BYTES["large"]
    assert [(f["action"], f["order"], f["block"]) for f in measured] == list(PATTERNS)
    assert all(each[name] > 0 for each in measured for name in FIGURES)
    assert {each["requests"] for each in measured} == {3, 3 * 256}
    assert not list(tmp_path.iterdir())


class Refusing:
    """A file whose system refuses the first write past the cache, as some do."""

    def __init__(self, file):
        self.file, self.refused = file, False

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, block):
        if not self.refused:
            self.refused = True
            raise OSError(errno.EINVAL, "Invalid argument")
        return self.file.write(block)


@pytest.mark.skipif(not hasattr(blocks.os, "O_DIRECT"), reason="no system call to refuse")
def test_a_file_system_that_refuses_is_measured_through_the_cache(tmp_path):
    with tempfile.TemporaryFile(dir=tmp_path, buffering=0) as file:
        store = Disk(Refusing(file), 4 * MB)
        assert "page cache was in play" in store.how
        assert all(each["iops"] > 0 for each in figures(store, seconds=0.01))


def test_a_system_without_a_way_past_the_cache_says_so(tmp_path, monkeypatch):
    monkeypatch.delattr(blocks.os, "O_DIRECT", raising=False)
    synced = []
    monkeypatch.setattr(blocks.os, "fsync", synced.append)
    with disk(tmp_path) as store:
        assert "page cache was in play" in store.how
        assert all(each["iops"] > 0 for each in figures(store))
    assert len(synced) == 2 * (3 + 3 * 256)


def test_a_disk_gets_no_more_time_than_a_request_takes(tmp_path):
    with disk(tmp_path) as store:
        assert [each["requests"] for each in figures(store, seconds=0)] == [1] * len(PATTERNS)
        assert store.end == BYTES["large"]


@pytest.fixture
def objects():
    files = MemoryFileSystem()
    files.store.clear()
    yield Objects(files, "/bench", 4 * MB, lambda: None)
    files.store.clear()


def test_objects_are_put_and_got_whole_and_in_parts(objects, monkeypatch):
    asked, get = [], objects.files.cat_file

    def cat_file(path, start=None, end=None):
        content = get(path, start=start, end=end)
        asked.append((start, len(content)))
        return content

    monkeypatch.setattr(objects.files, "cat_file", cat_file)
    measured = figures(objects)
    assert [(f["order"], f["block"]) for f in measured] == 2 * [
        ("sequential", "large"),
        ("sequential", "small"),
    ] + [("random", "small")]
    assert all(each[name] > 0 for each in measured for name in FIGURES)
    whole = [size for start, size in asked if start is None]
    assert whole == [BYTES["large"]] + 488 * [BYTES["small"]]
    parts = [(start, size) for start, size in asked if start is not None]
    assert len(parts) == 256
    assert all(size == BYTES["small"] and start % size == 0 for start, size in parts)
    written = sum(len(each.getbuffer()) for each in objects.files.store.values())
    assert written <= 4 * MB


def test_only_objects_that_are_there_are_read(objects):
    assert [each["requests"] for each in figures(objects, seconds=0)] == [1] * 5


def test_a_fast_place_does_not_get_objects_without_end(objects, monkeypatch):
    monkeypatch.setattr(blocks, "MOST_OBJECTS", 2)
    assert [each["requests"] for each in figures(objects)] == [1, 2, 1, 2, 256]
