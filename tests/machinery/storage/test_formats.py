from pathlib import Path

import polars as pl
import pytest
from mlops.storage.formats import FORMATS, compare_formats
from rich.progress import Progress

from samples import bundled

ROWS = pl.DataFrame({"n": range(5000), "city": ["a city"] * 5000, "x": [0.5] * 5000})


@pytest.fixture(autouse=True)
def raw(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data/raw").mkdir(parents=True)
    return Path("data/raw")


def compare(size=10**7):
    return compare_formats(Path("data"), size, Progress(disable=True))


def test_without_a_table_there_is_nothing_to_compare():
    assert compare() == {}


def test_what_was_delivered_is_tried_in_each_format(raw):
    ROWS.write_csv(raw / "0002-new.csv")
    bundled(raw / "0002-new.csv")
    comparison = compare()
    assert (comparison["file"], comparison["rows"], comparison["of"]) == (
        "data/raw/0002-new.csv",
        5000,
        5000,
    )
    assert comparison["columns"] == ["n", "city"]
    assert [each["name"] for each in comparison["formats"]] == list(FORMATS)
    assert all(
        value > 0
        for each in comparison["formats"]
        for value in each.values()
        if value != each["name"]
    )
    sizes = {each["name"]: each["bytes"] for each in comparison["formats"]}
    assert sizes["CSV"] == (raw / "0002-new.csv").stat().st_size
    assert sizes["Parquet"] < sizes["CSV"] < sizes["JSON Lines"]
    assert sorted(path.name for path in Path("data").iterdir()) == ["log.jsonl", "raw"]


def test_the_clean_table_comes_first_and_a_large_one_is_cut(raw):
    ROWS.write_csv(raw / "0001-old.csv")
    ROWS.write_parquet("data/clean.parquet")
    comparison = compare(size=100_000)
    assert (comparison["file"], comparison["of"]) == ("data/clean.parquet", 5000)
    assert 1 < comparison["rows"] < 5000
    assert max(each["bytes"] for each in comparison["formats"]) < 110_000


def test_a_table_without_rows_is_none():
    ROWS.clear().write_parquet("data/clean.parquet")
    assert compare() == {}


def test_a_table_may_have_one_column():
    ROWS.select("n").write_parquet("data/clean.parquet")
    assert compare()["columns"] == ["n"]
