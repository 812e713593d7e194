"""A condition is met as SQL says, dates compare with texts, and a mistake in it is told."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.records.changes import delete
from mlops.records.export import export, show
from mlops.records.intake import add


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")
    start = dt.datetime(2024, 1, 1)
    pl.DataFrame(
        {
            "nr": range(100),
            "*": [n % 10 for n in range(100)],
            "day": [start.date() + dt.timedelta(days=n) for n in range(100)],
            "seen": [start + dt.timedelta(hours=6 * n) for n in range(100)],
            "shop": ["ab"[n % 2] for n in range(100)],
            "y": ["no" if n % 3 else "yes" for n in range(100)],
        }
    ).write_parquet("t.parquet")
    add("t.parquet", target="y", key="nr")
    return tmp_path


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("day > '2024-01-05'", 95),
        ("'2024-01-05' >= day", 5),
        ("day BETWEEN '2024-01-02' AND '2024-01-03' OR nr = 99", 3),
        ("day IN ('2024-01-02', '2024-01-09')", 2),
        ("day = DATE '2024-01-02' -- one day", 1),
        ("seen >= '2024-01-02' AND seen < '2024-01-03 12:00:00'", 6),
        ("shop = 'a' AND NOT day < '2024-03-31'", 5),
        ('"*" = 3', 10),
        ("y IS NULL", 0),
    ],
)
def test_a_condition_is_met(project: Path, where: str, count: int) -> None:
    assert show(where=where, only_count=True) == [str(count)]
    if count:
        assert delete(where=where) == [f"version 2: {count} deleted"]
        assert show(where=where, only_count=True) == ["0"]


@pytest.mark.parametrize(
    "where",
    [
        "",
        "day > 'yesterday'",
        "nr > 'x'",
        "shop > 3",
        "nope = 1",
        "nr > 1 LIMIT 1",
        "nr > 1; SELECT 1",
        "nr > 1) OR (nr < 0",
        "CAST(shop AS INT) > 1",
        "max(nr",
        "nr",
        "'a'",
    ],
)
def test_a_mistake_in_a_condition_is_one_sentence(project: Path, where: str) -> None:
    for command in (
        lambda: show(where=where),
        lambda: show(where=where, only_count=True),
        lambda: export("out.csv", where=where),
        lambda: export("sqlite:///out.db?t", where=where),
        lambda: delete(where=where),
    ):
        with pytest.raises(UserError) as caught:
            command()
        assert "\n" not in str(caught.value)
    assert not Path("out.csv").exists()
    assert show(only_count=True) == ["100"]


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("day > 2024-01-05", "compares numbers with times: write a day in quotes"),
        ("nr = 1 OR NOT (seen <= 5)", "compares numbers with times"),
        ("day BETWEEN 5 AND 9", "compares numbers with times"),
        ("day IN (5, 6)", "compares numbers with times|cannot be read"),
        ("y = 'yes'", "compares texts with true or false: write the column alone"),
        ("y != 'no'", "compares texts with true or false"),
        ("_row > 3", "cannot be read"),
    ],
)
def test_what_is_never_the_same_is_not_compared(project: Path, where: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        delete(where=where)
    with pytest.raises(UserError, match=says) as refusal:
        show(where=where)
    assert "_unreadable" not in str(refusal.value)
    assert show(only_count=True) == ["100"]
