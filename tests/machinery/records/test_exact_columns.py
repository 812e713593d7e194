"""A typed value is exact in the table, or text, or refused by the name of its column."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data.cells import read_cell
from mlops.records.contract_draft import draft_contract
from mlops.records.inspection import inspect

ROWS = 60


def frame_of(values: list[Any], dtype: Any) -> pl.DataFrame:
    column = pl.Series("col", (values * ROWS)[:ROWS], dtype=dtype)
    late = ["yes", "no", "no"] * (ROWS // 3)
    return pl.DataFrame([column, pl.Series("size", range(ROWS)) % 7, pl.Series("late", late)])


@pytest.mark.parametrize(
    ("dtype", "values", "kind"),
    [
        (pl.UInt64, [2**64 - 1, 5], "string"),
        (pl.UInt64, [2**63 - 1, 5], "integer"),
        (pl.Int128, [2**100, 5], "string"),
        (pl.Int8, [-128, 127], "integer"),
        (pl.Decimal(38, 2), [Decimal("12345678901234567.89"), Decimal("0.29")], "string"),
        (pl.Decimal(10, 2), [Decimal("-1.15"), Decimal("0.29")], "number"),
        (pl.Float32, [0.1, 1e30], "number"),
        (pl.Categorical, ["a", "b"], "string"),
        (pl.Enum(["a", "b"]), ["a", "b"], "string"),
        (pl.Time, [dt.time(12, 3, 4, 5), dt.time(0)], "string"),
        (pl.Date, [dt.date(1, 1, 1), dt.date(9999, 12, 31)], "date"),
        (pl.Datetime("ns"), [dt.datetime(2024, 1, 1, 0, 0, 0, 5), None], "timestamp"),
        (pl.Datetime("ms", "Asia/Tokyo"), [dt.datetime(2024, 1, 1, tzinfo=dt.UTC)], "timestamp"),
        (pl.String, ["9007199254740993", "5"], "string"),
        (pl.String, ["1582-10-10", "9999-12-31"], "date"),
    ],
)
def test_each_value_is_held_exactly(dtype: Any, values: list[Any], kind: str) -> None:
    frame = frame_of(values, dtype)
    contract, _ = draft_contract(frame.lazy(), "t", "late")
    column = contract["col"]
    assert column.type == kind
    read = frame.select(read_cell(column, frame.schema["col"], thorough=True)).to_series()
    assert read.null_count() == frame["col"].null_count()
    if kind == "string":
        assert read.to_list() == frame["col"].cast(pl.String).to_list()
    elif kind in ("integer", "number"):
        assert read.cast(frame.schema["col"]).to_list() == frame["col"].to_list()


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (pl.Datetime("ns"), [1_704_067_200_123_456_789]),
        (pl.Datetime("ms"), [10**17, 5]),
        (pl.Date, [3_000_000, 5]),
    ],
)
def test_times_that_no_type_holds_are_refused_by_name(dtype: Any, values: list[int]) -> None:
    frame = frame_of(values, dtype)
    with pytest.raises(
        UserError, match=r"column 'col' holds .* exact to the microsecond.*--ignore"
    ):
        draft_contract(frame.lazy(), "t", "late")


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (pl.Duration("us"), [dt.timedelta(hours=1)]),
        (pl.Binary, [b"a"]),
        (pl.List(pl.Int64), [[1]]),
    ],
)
def test_types_that_a_table_here_does_not_have_are_refused_by_name(
    dtype: Any, values: list[Any], tmp_path: Path
) -> None:
    frame_of(values, dtype).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(UserError, match="column 'col' holds"):
        inspect(tmp_path / "t.parquet")


def test_nothing_but_nulls_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="column 'col' is empty in every row"):
        draft_contract(frame_of([None], pl.Null).lazy(), "t", "late")


@pytest.mark.parametrize("name", ["t.json", "t.jsonl"])
def test_a_whole_number_that_json_rounds_among_fractions_is_refused(
    name: str, tmp_path: Path
) -> None:
    lines = ['{"x": 9007199254740993, "n": 1}', '{"x": 0.5, "n": 9007199254740995}']
    path = tmp_path / name
    path.write_text("\n".join(lines) if name == "t.jsonl" else f"[{','.join(lines)}]")
    with pytest.raises(UserError, match="column 'x' holds 9007199254740993 among fractions"):
        inspect(path)
    path.write_text(path.read_text().replace("9007199254740993", "1e300"))
    assert inspect(path) == (["x", "n"], 2)
    path.write_text(path.read_text().replace("1e300", "9007199254740992"))
    assert inspect(path) == (["x", "n"], 2)
