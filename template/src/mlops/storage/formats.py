"""The team's own table in each format: the room it takes, and the time to write and to read it."""

import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypedDict

import polars as pl
from rich.progress import Progress

from ..core.paths import CLEAN
from ..data import change_log
from ..data.sources import scan_file

REPEATS = 3
FORMATS: dict[str, tuple[Callable[..., Any], Callable[..., pl.LazyFrame]]] = {
    "CSV": (pl.DataFrame.write_csv, partial(pl.scan_csv, infer_schema=False)),
    "JSON Lines": (pl.DataFrame.write_ndjson, partial(pl.scan_ndjson, infer_schema_length=None)),
    "Parquet": (pl.DataFrame.write_parquet, pl.scan_parquet),
}


class FormatFigures(TypedDict):
    """What the rows take in one format: bytes, and medians in seconds; `columns_s` is the time to
    read two columns.
    """

    name: str
    bytes: int
    write_s: float
    read_s: float
    columns_s: float


class FormatComparison(TypedDict, total=False):
    """`rows` of the `of` rows in `file` in each format, and the two `columns` read by themselves;
    empty where there is no table.
    """

    file: str
    rows: int
    of: int
    columns: list[str]
    formats: list[FormatFigures]


def compare_formats(folder: Path, size: int, bar: Progress) -> FormatComparison:
    """Write and read as many rows of the team's table as fit in `size` bytes, in each format."""
    delivered = [part.path for part in change_log.locate_parts(change_log.read_log())]
    largest = max(delivered, key=lambda path: path.stat().st_size, default=None)
    source = CLEAN if CLEAN.exists() else largest
    if source is None:
        return {}
    table = pl.scan_parquet(source) if source == CLEAN else scan_file(source)
    head = table.head(1000).collect()
    if head.is_empty():
        return {}
    bytes_a_row = len(head.write_ndjson()) / head.height
    rows = table.head(max(1, int(size / bytes_a_row))).collect()
    with tempfile.TemporaryDirectory(".tmp", ".bench-", folder) as scratch:
        path, names = Path(scratch) / "table", bar.track(FORMATS, description="storage: formats")
        figures = [measure_format(name, rows, path) for name in names]
    return {
        "file": source.as_posix(),
        "rows": rows.height,
        "of": table.select(pl.len()).collect().item(),
        "columns": rows.columns[:2],
        "formats": figures,
    }


def measure_format(name: str, rows: pl.DataFrame, path: Path) -> FormatFigures:
    """Measure what the rows take as a file of this format."""
    write, scan = FORMATS[name]

    def write_through() -> None:
        write(rows, path)
        with path.open("rb+") as file:
            os.fsync(file.fileno())

    write_s, two_columns = time_median(write_through), scan(path).select(rows.columns[:2])
    return {
        "name": name,
        "bytes": path.stat().st_size,
        "write_s": write_s,
        "read_s": time_median(scan(path).collect, path),
        "columns_s": time_median(two_columns.collect, path),
    }


def time_median(act: Callable[[], Any], reads: Path | None = None) -> float:
    """Return the median of a few runs in seconds; the file that is read is taken out of the page
    cache first, where the system can do that.
    """
    seconds = []
    for _ in range(REPEATS):
        if reads and hasattr(os, "posix_fadvise"):
            with reads.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        start = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - start)
    return median(seconds)
