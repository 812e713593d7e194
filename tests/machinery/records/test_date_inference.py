"""Dates written as numbers: read where it is said that they are dates, else only proposed."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data import cells, date_numbers
from mlops.data.contract import Column, Contract
from mlops.records.changes import update
from mlops.records.contract_draft import draft_contract
from mlops.records.date_inference import find_format
from mlops.records.export import export, show
from mlops.records.intake import add
from mlops.testing import _cell

MOMENTS = [dt.datetime(2024, 1, 1) + dt.timedelta(hours=7 * n) for n in range(200)]
DAYS = [dt.datetime(2023, 1, 1) + dt.timedelta(days=n) for n in range(200)]
SINCE = dt.datetime(1970, 1, 1)
WRITERS = {
    "epoch_s": lambda moment: int((moment - SINCE).total_seconds()),
    "epoch_ms": lambda moment: int((moment - SINCE).total_seconds()) * 1_000,
    "epoch_us": lambda moment: int((moment - SINCE).total_seconds()) * 1_000_000,
    "epoch_ns": lambda moment: int((moment - SINCE).total_seconds()) * 1_000_000_000,
    "excel": lambda moment: (moment - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1),
    "%Y%m%d%H%M%S": lambda moment: int(moment.strftime("%Y%m%d%H%M%S")),
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(numbers: list[Any], name: str = "t.csv", column: str = "day") -> str:
    rows = range(len(numbers))
    frame = pl.DataFrame(
        {"id": rows, column: numbers, "a": [n * 37 % 101 for n in rows], "y": [n % 2 for n in rows]}
    )
    frame.write_csv(name) if name.endswith(".csv") else frame.write_parquet(name)
    return name


def read(column: str = "day") -> list[Any]:
    export("out.parquet", replace=True)
    return pl.read_parquet("out.parquet")[column].to_list()


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
@pytest.mark.parametrize("form", WRITERS)
def test_the_time_is_read_from_numbers_and_told(form: str, name: str) -> None:
    source = write([WRITERS[form](moment) for moment in MOMENTS], name)
    says = add(source, target="y", key="id", time="day")
    assert Contract.load()["day"].formats == (form,)
    assert read() == MOMENTS
    assert any(f"by the format {form} (" in line and "is 2024-01-01" in line for line in says)


@pytest.mark.parametrize(
    ("form", "numbers", "days"),
    [
        ("%Y%m%d", [int(day.strftime("%Y%m%d")) for day in DAYS], DAYS),
        ("%Y%m%d", [float(day.strftime("%Y%m%d")) for day in DAYS], DAYS),
        ("excel", [44927 + n for n in range(200)], DAYS),
        (
            "%Y",
            [2000 + n % 20 for n in range(200)],
            [dt.datetime(2000 + n % 20, 1, 1) for n in range(200)],
        ),
        (
            "%Y%m",
            [202000 + n % 12 + 1 for n in range(200)],
            [dt.datetime(2020, n % 12 + 1, 1) for n in range(200)],
        ),
    ],
)
@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_whole_days_months_and_years_are_dates(
    form: str, numbers: list[float], days: list[dt.datetime], name: str
) -> None:
    add(write(numbers, name), target="y", key="id", time="day")
    assert Contract.load()["day"].formats == (form,)
    assert Contract.load()["day"].type == "date"
    assert read() == [day.date() for day in days]


@pytest.mark.parametrize(
    ("column", "numbers", "proposal"),
    [
        ("n", [int(day.strftime("%Y%m%d")) for day in DAYS], "--replace --dates 'n=%Y%m%d'"),
        ("created_at", [WRITERS["epoch_s"](m) for m in MOMENTS], "--dates 'created_at=epoch_s'"),
        ("Bestelldatum", [44927 + n * 3 % 1000 for n in range(200)], "'Bestelldatum=excel'"),
        ("salary", [44927 + n * 3 % 1000 for n in range(200)], ""),
        ("balance", [WRITERS["epoch_s"](m) for m in MOMENTS], ""),
        ("year", [2000 + n % 20 for n in range(200)], ""),
    ],
)
def test_without_a_word_they_stay_numbers(column: str, numbers: list[int], proposal: str) -> None:
    says = add(write(numbers, column=column), target="y", key="id")
    assert Contract.load()[column].type == "integer"
    proposals = [line for line in says if f"'{column}' stays a number" in line]
    assert [proposal in line for line in proposals] == ([True] if proposal else [])


def test_dates_say_it_too_and_come_back_from_an_export() -> None:
    source = write([WRITERS["excel"](moment) for moment in MOMENTS])
    add(source, target="y", key="id", dates=["day=excel"])
    assert Contract.load()["day"].formats == ("excel",)
    assert show(where="id = 1", form="csv")[1].split(",")[1].startswith("2024-01-01T07:00")
    export("out.csv")
    assert pl.read_csv("out.csv")["day"].head(2).to_list() == [45292.0, pytest.approx(45292.291666)]
    assert "nothing changed" in update("out.csv")[-1]


@pytest.mark.parametrize("entry", ["day=exel", "day=%d/%m/%Y|serial", "=excel"])
def test_an_unknown_format_is_refused(entry: str) -> None:
    with pytest.raises(UserError, match="numbers are excel, epoch_s, epoch_ms"):
        add(write([1, 2]), target="y", dates=[entry])
    assert "formats are patterns" in Column(name="d", type="date", formats=("exel",)).faults()[0]


@pytest.mark.parametrize("form", date_numbers.FORMS)
def test_what_is_written_is_read(form: str) -> None:
    moments = pl.DataFrame({"t": [dt.datetime(1969, 7, 20, 20, 17), *MOMENTS]})
    texts = cells.write_time(pl.col("t"), form)
    assert (
        moments.select(cells.read_time(texts, (form,))).to_series().to_list()
        == moments["t"].to_list()
    )


@pytest.mark.parametrize(
    "numbers", [[1, 2, 3], ["x", "y"], [0.5, 0.7], [20241301, 20240199], [], [True], [None]]
)
def test_other_numbers_are_no_dates(numbers: list[Any]) -> None:
    assert find_format(pl.Series("n", numbers)) is None


def test_rows_made_for_tests_keep_such_a_contract() -> None:
    column = Column(name="d", type="timestamp", formats=("epoch_s",))
    contract = Contract(id="t", name="t", task="regression", columns=(column,))
    assert _cell(column, contract, 0, None) == "1577856600"  # type: ignore[arg-type]


def test_a_year_of_two_digits_is_told_with_its_century() -> None:
    born = [f"{13 + n % 15}.03.{51 + n % 12}" for n in range(60)]
    frame = pl.DataFrame({"born": born, "y": ["a", "b"] * 30})
    _, notices = draft_contract(frame.lazy(), "t", "y")
    [told] = [line for line in notices if line.startswith("'born'")]
    assert "is read as 2062-03-" in told
    assert "the year has two digits" in told
