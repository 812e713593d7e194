import datetime as dt
import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data.change_log import Part, locate_landed_parts
from mlops.data.column_names import ROW, SOURCE, UNREADABLE, UPDATE
from mlops.data.contract import Column, Contract
from mlops.data.ingest import ingest, type_rows
from mlops.data.number_text import write_number

SPELLING = {"jfk": "JFK"}
PARENTHESES = {"negatives": "parentheses"}


def contract_of(*columns):
    target = Column(name="y", type="integer", role="target")
    return Contract(id="t", name="t", task="binary", classes=("0", "1"), columns=(*columns, target))


def read(text, **rule):
    """The value and the unreadable text of one cell."""
    contract = contract_of(Column(name="x", **rule))
    frame = pl.LazyFrame({"x": [text], "y": ["1"]}, schema={"x": pl.String, "y": pl.String})
    row = type_rows(frame, contract).collect().row(0, named=True)
    unreadable = row[UNREADABLE]
    return row["x"], unreadable and unreadable[0]["value"]


@pytest.mark.parametrize(
    ("text", "rule", "value"),
    [
        (" 12 ", {"type": "integer"}, 12),
        ("12.0", {"type": "integer"}, 12),
        ("1,234", {"type": "integer", "thousands": ","}, 1234),
        ("1,234.5", {"type": "number", "thousands": ","}, 1234.5),
        ("1.234,5", {"type": "number", "decimal": ",", "thousands": "."}, 1234.5),
        ("1 234,5", {"type": "number", "decimal": ",", "thousands": " "}, 1234.5),
        ("1\u202f234\u00a0567", {"type": "integer", "thousands": " "}, 1234567),
        ("1'234\u2019567.5", {"type": "number", "thousands": "'"}, 1234567.5),
        ("\u22121.5", {"type": "number"}, -1.5),
        ("$1,160.00", {"type": "number", "thousands": ",", "unit": "$"}, 1160.0),
        ("-$50", {"type": "number", "unit": "$"}, -50.0),
        ("1.160 EUR", {"type": "number", "decimal": ",", "thousands": ".", "unit": "EUR"}, 1160.0),
        ("50", {"type": "number", "unit": "$"}, 50.0),
        ("4.2%", {"type": "number", "unit": "%"}, 0.042),
        ("-3 ‰", {"type": "number", "unit": "‰"}, -0.003),
        ("(1,234.50)", {"type": "number", "thousands": ",", **PARENTHESES}, -1234.5),
        ("($50)", {"type": "number", "unit": "$", **PARENTHESES}, -50.0),
        ("$ (50)", {"type": "number", "unit": "$", **PARENTHESES}, -50.0),
        ("12-", {"type": "integer", "negatives": "trailing"}, -12),
        ("12- €", {"type": "number", "unit": "€", "negatives": "trailing"}, -12.0),
        ("-999", {"type": "number", "missing": ("-999",)}, None),
        (" NA ", {"type": "number"}, None),
        ("nan", {"type": "number"}, None),
        ("Yes", {"type": "boolean"}, True),
        ("f", {"type": "boolean"}, False),
        (" jfk", {"type": "string", "spelling": SPELLING}, "JFK"),
        ("?", {"type": "string"}, None),
        ("02/01/2013", {"type": "date", "formats": ("%Y-%m-%d", "%d/%m/%Y")}, dt.date(2013, 1, 2)),
        ("2013-01-02T03:04", {"type": "timestamp"}, dt.datetime(2013, 1, 2, 3, 4)),
        ("2013-01-02T03:04:05+02:00", {"type": "timestamp"}, dt.datetime(2013, 1, 2, 1, 4, 5)),
    ],
)
def test_a_cell_is_cleaned_as_declared(text, rule, value):
    assert read(text, **rule) == (value, None)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1.5", {"type": "integer"}),
        ("1,5", {"type": "number"}),
        ("1.5", {"type": "number", "decimal": ","}),
        ("1,234", {"type": "integer"}),
        ("1,234.5", {"type": "number"}),
        ("1,23", {"type": "integer", "thousands": ","}),
        ("0,234", {"type": "integer", "thousands": ","}),
        ("1.234", {"type": "number", "decimal": ",", "thousands": "'"}),
        ("$50", {"type": "number"}),
        ("€50", {"type": "number", "unit": "$"}),
        ("5", {"type": "number", "unit": "%"}),
        ("5%", {"type": "number"}),
        ("(50)", {"type": "number"}),
        ("(-50)", {"type": "number", **PARENTHESES}),
        ("12-", {"type": "number"}),
        ("9007199254740993", {"type": "number"}),
        ("9223372036854775808", {"type": "integer"}),
        ("0x10", {"type": "number"}),
        ("1_089", {"type": "number"}),
        ("Infinity", {"type": "number"}),
        ("inf", {"type": "number"}),
        ("1e999", {"type": "number"}),
        ("maybe", {"type": "boolean"}),
        ("2013-02-30", {"type": "date"}),
        ("0001-01-01", {"type": "date"}),
        ("12013-01-01", {"type": "date"}),
        ("2013-01-02 03:04", {"type": "date"}),
        ("2013-01-02T00:00:00+01:00", {"type": "date"}),
        ("2013-01-02T03:04:05.123456789", {"type": "timestamp"}),
        ("1/2/13", {"type": "date", "formats": ("%d/%m/%Y",)}),
    ],
)
def test_what_cannot_be_read_is_told_and_not_guessed(text, rule):
    assert read(text, **rule) == (None, text)


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize(
    ("dtype", "values", "kind"),
    [
        (pl.UInt64, [2**63], "integer"),
        (pl.Int128, [-(2**64)], "integer"),
        (pl.Int64, [2**53 + 1], "number"),
        (pl.Decimal(38, 2), [Decimal("12345678901234567.89")], "number"),
        (pl.Datetime("ns"), [1_704_067_200_123_456_789], "timestamp"),
        (pl.Datetime("ms"), [10**17], "timestamp"),
        (pl.Date, [3_000_000], "date"),
        (pl.Date, [2_000_000_000], "timestamp"),
    ],
)
def test_a_typed_value_that_is_not_held_exactly_is_unreadable(dtype, values, kind, rows):
    frame = pl.DataFrame({"x": pl.Series(values * rows, dtype=dtype), "y": 1})
    table = type_rows(frame.lazy(), contract_of(Column(name="x", type=kind))).collect()
    assert table["x"].null_count() == rows
    assert table[UNREADABLE].to_list()[0][0]["column"] == "x"


@pytest.mark.parametrize(
    ("dtype", "values", "kind"),
    [
        (pl.UInt64, [2**63 - 1, 0], "integer"),
        (pl.Int64, [2**53, -1], "number"),
        (pl.Decimal(38, 2), [Decimal("0.29"), Decimal("-1.15")], "number"),
        (pl.Float32, [0.5, -1e30], "number"),
    ],
)
def test_a_typed_value_that_is_held_exactly_is_read(dtype, values, kind):
    frame = pl.DataFrame({"x": pl.Series(values, dtype=dtype), "y": "1"})
    table = type_rows(frame.lazy(), contract_of(Column(name="x", type=kind))).collect()
    assert table["x"].to_list() == pytest.approx([float(value) for value in values], rel=1e-7)
    assert table[UNREADABLE].null_count() == 2


def test_what_a_number_is_written_as_is_read_as_the_same():
    for unit, decimal in (("%", ","), ("", ","), ("‰", "."), ("€", ".")):
        rule = {"type": "number", "unit": unit, "decimal": decimal}
        for value in (0.042, 0.1234567890123456, -1e-7, 1e22, 0.1 + 0.2):
            assert read(write_number(value, Column(name="x", **rule)), **rule) == (value, None)


def test_typed_sources_are_taken_as_they_are():
    stamp = dt.datetime(2013, 1, 2, 3)
    contract = contract_of(
        Column(name="n", type="number"),
        Column(name="t", type="timestamp"),
        Column(name="s", type="string"),
        Column(name="i", type="integer"),
    )
    frame = pl.DataFrame(
        {
            "n": [1.0, float("nan"), float("inf")],
            "t": pl.Series([stamp] * 3).dt.replace_time_zone("Europe/Paris"),
            "s": [1, 2, 3],
            "i": [1.0, 2.5, None],
            "y": [True, False, True],
        }
    )
    table = type_rows(frame.lazy(), contract).collect()
    assert table["n"].to_list() == [1.0, None, None]
    assert table["t"][0] == dt.datetime(2013, 1, 2, 2)
    assert table["s"].to_list() == ["1", "2", "3"]
    reasons = table[UNREADABLE].to_list()
    assert [[cell["column"] for cell in row] for row in reasons] == [["y"], ["i", "y"], ["n", "y"]]


def test_two_passes_read_the_same_as_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/raw").mkdir(parents=True)
    choice = np.random.default_rng(5).choice
    cells = {
        "i": ["1", "-2", " 3", "4.0", "five", "", "NA", "1,000"],
        "n": ["1.5", "inf", "1e3", "2,5", "nan", "?", " 7", "9007199254740993", "1e20", "(3)"],
        "p": ["1.5%", "3", "", "-2 %", "1e-3%"],
        "b": ["yes", "0", "perhaps", "None"],
        "d": ["2013-01-02", "02.01.2013", "2013-13-01", ""],
        "s": ["a", " a", "NULL", "bee"],
        "y": ["0", "1"],
    }
    contract = contract_of(
        Column(name="i", type="integer"),
        Column(name="n", type="number", missing=("", "?", "1.5")),
        Column(name="p", type="number", unit="%"),
        Column(name="b", type="boolean"),
        Column(name="d", type="date", formats=("%Y-%m-%d", "%d.%m.%Y")),
        Column(name="s", type="string"),
    )
    frames = []
    for name, rows in (("0001-one.csv", 300), ("0002-two.csv", 200)):
        frame = pl.DataFrame(
            {column: choice(texts, rows).tolist() for column, texts in cells.items()}
        )
        frame.write_csv(f"data/raw/{name}")
        frames.append(frame)
    report = ingest(
        [Part(Path("data/raw/0001-one.csv")), Part(Path("data/raw/0002-two.csv"), 300)], contract
    )
    read = pl.read_parquet("data/ingested/*.parquet").sort(ROW)
    expected = type_rows(pl.concat(frames).lazy(), contract).collect()
    assert read.drop(ROW, SOURCE, UPDATE).equals(expected)
    assert read[ROW].to_list() == list(range(1, 501))
    assert [(one["file"], one["rows"]) for one in report["sources"]] == [
        ("0001-one.csv", 300),
        ("0002-two.csv", 200),
    ]
    assert report["unreadable"] == 500 - expected[UNREADABLE].null_count()
    assert not list((tmp_path / "data").glob(".*"))


def test_a_source_without_a_column_of_the_contract_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/raw").mkdir(parents=True)
    with pytest.raises(UserError, match="holds no table"):
        locate_landed_parts()
    name = "0001-a.csv"
    (tmp_path / "data/raw" / name).write_text("y\n1\n")
    with pytest.raises(UserError, match=r"is not in data/log\.jsonl"):
        locate_landed_parts()
    with pytest.raises(UserError, match="lacks column x"):
        ingest([Part(Path(f"data/raw/{name}"))], contract_of(Column(name="x", type="integer")))
    assert not (tmp_path / "data/ingested").exists()


@pytest.mark.parametrize("name", ["0001-a.parquet", "0001-a.csv.gz", "0001-a.jsonl"])
def test_a_file_damaged_after_it_landed_is_told_in_one_sentence(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "data/raw" / name
    path.parent.mkdir(parents=True)
    frame = pl.DataFrame({"x": np.random.default_rng(0).integers(0, 10**6, 5000), "y": 1})
    if name.endswith(".parquet"):
        frame.write_parquet(path)
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(frame.write_csv().encode()))
    else:
        frame.write_ndjson(path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(UserError, match=f"{name} was damaged after it landed") as caught:
        ingest([Part(Path(f"data/raw/{name}"))], contract_of(Column(name="x", type="integer")))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data/ingested").exists()
