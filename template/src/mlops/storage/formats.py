"""The team's own table in each format: the room it takes, and the time to write and to read it."""

import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
from rich.progress import Progress

from ..core.paths import CLEAN
from ..data import change_log
from ..data.sources import read

REPEATS = 3
FORMATS: dict[str, tuple[Callable[..., Any], Callable[..., pl.LazyFrame]]] = {
    "CSV": (pl.DataFrame.write_csv, partial(pl.scan_csv, infer_schema=False)),
    "JSON Lines": (pl.DataFrame.write_ndjson, partial(pl.scan_ndjson, infer_schema_length=None)),
    "Parquet": (pl.DataFrame.write_parquet, pl.scan_parquet),
}


def compare(folder: Path, size: int, bar: Progress) -> dict[str, Any]:
    """{file, rows, of, columns, formats} of as many rows as fit in `size` bytes; {} of no table."""
    delivered = [part.path for part in change_log.parts(change_log.read())]
    largest = max(delivered, key=lambda path: path.stat().st_size, default=None)
    source = CLEAN if CLEAN.exists() else largest
    if source is None:
        return {}
    table = pl.scan_parquet(source) if source == CLEAN else read(source)
    some = table.head(1000).collect()
    if some.is_empty():
        return {}
    line = len(some.write_ndjson()) / some.height
    rows = table.head(max(1, int(size / line))).collect()
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=folder) as scratch:
        path, names = Path(scratch) / "table", bar.track(FORMATS, description="storage: formats")
        found = [{"name": name, **tried(name, rows, path)} for name in names]
    of, two = table.select(pl.len()).collect().item(), rows.columns[:2]
    return {
        "file": source.as_posix(),
        "rows": rows.height,
        "of": of,
        "columns": two,
        "formats": found,
    }


def tried(name: str, rows: pl.DataFrame, path: Path) -> dict[str, float]:
    """What the rows take as that file; its times are medians in seconds."""
    write, scan = FORMATS[name]

    def written() -> None:
        write(rows, path)
        with path.open("rb+") as file:
            os.fsync(file.fileno())

    write_s, two = clocked(written), scan(path).select(rows.columns[:2])
    read_s, columns_s = clocked(scan(path).collect, path), clocked(two.collect, path)
    size = path.stat().st_size
    return {"bytes": size, "write_s": write_s, "read_s": read_s, "columns_s": columns_s}


def clocked(act: Callable[[], Any], reads: Path | None = None) -> float:
    """Seconds; what it reads is taken out of the page cache first, where the system can do that."""
    took = []
    for _ in range(REPEATS):
        if reads and hasattr(os, "posix_fadvise"):
            with reads.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        start = time.perf_counter()
        act()
        took.append(time.perf_counter() - start)
    return median(took)
