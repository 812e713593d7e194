import gzip
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data.sources import name_columns, read_header, scan_file

ROWS = [{"a": "1", "b": "x"}, {"a": "2", "b": None}]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b"a,b\n1,x\n2,\n"),
        ("t.CSV", b"\xef\xbb\xbfa,b\r\n1,x\r\n2,\r\n"),
        ("t.csv", b"a;b\n1;x\n2;\n"),
        ("t.csv", b'"a"|b \n"1"|x\n2|\n'),
        ("t.tsv", b"a\tb\n1\tx\n2\t\n"),
        ("t.json", b'[{"a":"1","b":"x"},{"a":"2","b":null}]'),
        ("t.jsonl", b'{"a":"1","b":"x"}\n{"a":"2"}\n'),
        ("t.ndjson", b'{"a":"1","b":"x"}\n{"a":"2"}\n'),
    ],
)
def test_every_format_gives_the_same_rows(
    tmp_path: Path, name: str, content: bytes, packed: bool
) -> None:
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(content) if packed else content)
    assert scan_file(path).collect().to_dicts() == ROWS


def test_text_is_never_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text('code,on,"two\nlines"\n007,true,"1,5\n2"\nNA,2013-01-01,1e5\n')
    table = scan_file(path).collect()
    assert set(table.dtypes) == {pl.String}
    assert table["code"].to_list() == ["007", "NA"]
    assert table["two\nlines"][0] == "1,5\n2"


def test_a_gzipped_parquet_file_is_read(tmp_path: Path) -> None:
    plain, packed = tmp_path / "t.parquet", tmp_path / "p.parquet.gz"
    pl.DataFrame({"a": [1]}).write_parquet(plain)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert scan_file(packed).collect().to_dicts() == [{"a": 1}]


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("name;price\nx;1,5\ny;2,5\n", ";"),
        ("name,note\nx,a;b;c\ny,d\n", ","),
        ('"a,b";c\n1;2\n', ";"),
        ("a\n1\n", ","),
        ("a,b,c\n1;2,3,4\n", ","),
    ],
)
def test_the_separator_is_the_one_that_makes_a_table(tmp_path: Path, text: str, mark: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    assert read_header(path)[1] == mark


def test_blank_names_are_numbered() -> None:
    assert name_columns(["", " a ", "b.c [é]"]) == ["column_1", "a", "b.c [é]"]


def test_the_header_of_a_file_with_row_numbers_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('"", size ,""\n1,5,x\n2,6,y\n')
    table = scan_file(path).collect()
    assert table.columns == ["column_1", "size", "column_3"]
    assert table.row(0) == ("1", "5", "x")


def test_another_extension_is_refused() -> None:
    with pytest.raises(UserError, match=r"book\.xlsx: the file name must end in \.csv"):
        scan_file(Path("book.xlsx"))
