"""A file that came damaged is told in one sentence of ours: no traceback, no word of a reader."""

import gzip
import json
import random
import re
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.records.delivery import deliver

ROWS = [{"id": n, "x": n * 0.37, "town": "Köln" if n % 3 else "Ulm, a"} for n in range(200)]
TABLE = pl.DataFrame(ROWS)
WORDS = re.compile(  # of the readers, and of Python
    r"InternalError|Tape|Expected|specification|thrift|supertype|Static\(|\[SQLite\]|INVALID_|"
    r"codec|Errno|zstd|stream|prepare|panick|Series|struct\["
)


def write_workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [list(ROWS[0]), *(list(row.values()) for row in ROWS)]:
        book.active.append(row)
    book.save(path)


def write_archive(path: Path) -> None:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", TABLE.write_csv())


def write_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (id, x, town)")
        rows = [tuple(row.values()) for row in ROWS]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        connection.commit()


FILES: dict[str, Callable[[Path], object]] = {
    "t.csv": TABLE.write_csv,
    "t.csv.gz": lambda path: path.write_bytes(gzip.compress(TABLE.write_csv().encode())),
    "t.jsonl": TABLE.write_ndjson,
    "t.json": lambda path: path.write_text(json.dumps(ROWS)),
    "o.json": lambda path: path.write_text(json.dumps({"data": ROWS})),
    "t.parquet": TABLE.write_parquet,
    "t.xlsx": write_workbook,
    "t.zip": write_archive,
    "t.db": write_database,
}


def damage(content: bytes, chance: random.Random) -> bytes:
    """Cut off the end, change some bytes, or leave some out."""
    place, kind = chance.randrange(1, len(content)), chance.choice(["cut", "change", "gap"])
    if kind == "cut":
        return content[:place]
    if kind == "gap":
        return content[:place] + content[place + chance.randrange(1, 50) :]
    changed = bytearray(content)
    for _ in range(chance.choice([1, 3, 20])):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def read_damaged(name: str, seeds: range, folder: Path) -> set[str]:
    """Damage a file in ways drawn by `seeds`, and return what is said of those that are refused."""
    path, said = folder / name, set[str]()
    FILES[name](path)
    content = path.read_bytes()
    address = f"sqlite:///{path}?t" if path.suffix == ".db" else str(path)
    for seed in seeds:
        path.write_bytes(damage(content, random.Random(seed)))
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            try:
                deliver(address, Path(scratch))
            except UserError as error:
                said.add(str(error))
    return said


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, name: str) -> None:
    said = read_damaged(name, range(12), tmp_path)
    assert said
    for sentence in said:
        assert name in sentence
        assert "\n" not in sentence
        assert not WORDS.search(sentence), sentence


@pytest.mark.deep
@pytest.mark.parametrize("name", FILES)
def test_a_file_damaged_in_many_ways_is_one_sentence(tmp_path: Path, name: str) -> None:
    said = read_damaged(name, range(12, 500), tmp_path)
    assert not [sentence for sentence in said if WORDS.search(sentence)]
