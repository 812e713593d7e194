import gzip
import hashlib
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.records.inspection import inspect

GARBAGE = hashlib.shake_256(b"garbage").digest(3000)
LATIN = "a,b\n" + "1,x\n" * 9 + "é,2\n"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.csv", b"", "the file is empty"),
        ("t.csv", b"\n \n", "the file is empty"),
        ("t.csv", b"a,b\n", "has column names but no row"),
        ("t.csv", GARBAGE, "it is binary, not text"),
        ("t.csv", "a,b\n1,2\n".encode("utf-16"), "--encoding utf-16"),
        ("t.csv", LATIN.encode("latin-1"), r"line 11 .* position 0\).*--encoding cp1252"),
        ("t.csv", b"a,b\n1,2\n1,2,3\n", r"row 2 .* has 3 fields where the header has 2"),
        ("t.csv", b'a,b,c\n"1\n",2,3\n\n1,2\n', r"row 3 .* has 2 fields where the header has 3"),
        ("t.csv", b"a,b, a\n1,2,3\n", "several columns are called 'a'"),
        (
            "t.csv",
            b"a\x1fb" + b"c" * 99 + b",b\n1,2\n",
            "the name of column .* holds the control character",
        ),
        ("t.csv", b"x" * 10_000_000, "line 1 is longer than 1,000,000 bytes"),
        ("t.csv", b"a,b\n1," + b"x" * 10_000_000, "line 2 is longer than 1,000,000 bytes"),
        ("t.csv", b'a,b\n1,"2\n3,4\n', "row 1 .*is opened and never closed"),
        ("t.csv", b'a,b\n1,2\n1,"2"x\n3,4\n', r"row 2 \(the header is row 0\): a \" stands"),
        ("t.csv", b'a,b\n1,2" inch\n3,4\n', 'a " stands within a field'),
        ("t.csv", b'a,b\n1,2"\n3,4"\n', 'a " stands within a field'),
        ("t.csv", b"a,b\r1,2\r", "a carriage return stands within"),
        ("t.csv.gz", b"a,b\n1,2\n", "not a whole gzip file"),
        ("t.csv.gz", gzip.compress(GARBAGE, mtime=0)[:-20], "not a whole gzip file"),
        ("t.xlsx", b"a", "the file name must end in"),
        ("t.jsonl", b'{"a":{"b":[1]} }\n', "column 'a.b' holds lists"),
        ("t.jsonl", b'{"a":{} }\n', "column 'a' holds objects without members"),
        ("t.csv", b"a,b\n" + b"1,2\n" * 99 + b"1,\x00\n", "line 101 holds a NUL byte"),
        ("t.csv", b"%PDF-1.7\n", "is a document, not a table"),
        ("t.csv", b"\x89PNG\r\n", "is an image"),
        ("t.csv", b"PK\x03\x04....", "is a zip archive or a workbook"),
        ("t.csv", b"<!DOCTYPE html><html>", "is markup, not a table"),
        (
            "t.jsonl",
            b'{"a":{"b":1} }\n{"a":[1]}\n',
            "'a' holds an object in row 1 and a list in row 2",
        ),
        ("t.jsonl", b'{"a":1}\n{"a":NaN}\n', "row 2: column 'a' holds NaN, not a finite number"),
        ("t.jsonl", b'{"a":1}\n{"a":Infinity}\n', "row 2: column 'a' holds Infinity, not"),
        ("t.json", b'[{"a":1},{"a":-Infinity}]', "row 2: column 'a' holds -Infinity, not"),
        ("t.jsonl", b'{"a":{"b":1e999}}\n', "row 1: column 'a.b' holds Infinity, not"),
        ("t.jsonl", b'{"a":1}\n{"a":\n', "line 2 is no JSON from character 6"),
        ("t.jsonl", b'{"a":1}\n{"a":true}\n', "a number in row 1 and true or false in row 2"),
        ("t.json", b'[{"a":1},{"a":true}]', "a number in row 1 and true or false in row 2"),
        ("t.jsonl", b'{"a":1}\n\n{"a":{"b":2}}\n', "a number in row 1 and an object in row 2"),
        ("t.jsonl", b'{"a":"x"}\n{"a":{"b":2}}\n', "a text in row 1 and an object in row 2"),
        ("t.json", b'[{"a":[2]},{"a":"x"}]', "a list in row 1 and a text in row 2; give it one"),
        ("t.jsonl", b"1\n2\n", "row 1 is a number, where a row is an object"),
        ("t.jsonl", '{"a":"é"}\n'.encode("latin-1"), "valid UTF-8"),
        ("t.json", b'[{"a":1},\n{"a":]', "the file is no JSON from character 6 of line 2 on"),
        ("t.json", b"[1,2]", "row 1 is a number, where a row is an object"),
        ("t.json", b"[]", "no row; deliver"),
        ("t.parquet", b"PAR1" + GARBAGE, "cannot be read as parquet: it is damaged, or not whole"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_is_one_sentence(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=says) as caught:
        inspect(path)
    assert str(caught.value).startswith(name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        inspect(tmp_path / "t.csv")


def test_nested_and_rowless_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": [[1]]}).write_parquet(path)
    with pytest.raises(UserError, match="column 'a' holds lists"):
        inspect(path)
    pl.DataFrame({"a": pl.Series([], dtype=pl.Int64)}).write_parquet(path)
    with pytest.raises(UserError, match="has column names but no row"):
        inspect(path)


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a,b\n1,2\n3,4", 2),
        (b"\xef\xbb\xbfa;b\r\n1,5;2\r\n", 1),
        (b"a,b\n1,2\n\n3,\n\n", 4),
        (b'a,"b\nc"\n1,"2\n\n,3"\n', 1),
        (b'a,b\n"say ""no""",2\n', 1),
        (b"a,b\n,\n", 1),
    ],
)
def test_sound_files_are_counted(tmp_path: Path, content: bytes, rows: int) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    columns, count = inspect(path)
    assert (len(columns), count) == (2, rows)
