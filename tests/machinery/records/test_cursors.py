"""A database is read on from where it was: by table or query and column, and nothing is passed."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data import change_log
from mlops.records.changes import update
from mlops.records.databases import land_query
from mlops.records.export import export, show
from mlops.records.intake import add, compact
from mlops.records.log_audit import verify_log

SOURCE = "sqlite:///shop.db?orders"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("data: {max_reject_rate: 0.5}\ntrain: {candidates: [linear]}\n")
    with closing(sqlite3.connect("shop.db", isolation_level=None)) as connection:
        connection.execute("create table orders (nr integer, size real, late text, seen integer)")
        rows = [(n, n % 7 + 0.5, "yes" if n % 3 else "no", n) for n in range(100)]
        connection.executemany("insert into orders values (?, ?, ?, ?)", rows)
        yield connection


def test_two_queries_of_one_database_are_read_on_by_themselves(shop: sqlite3.Connection) -> None:
    add(SOURCE, target="late", key="nr")
    shop.execute("insert into orders values (500, 1.5, 'no', 500), (301, 1.5, 'no', 300)")
    even = "SELECT * FROM orders WHERE nr % 2 = 0"
    odd = even.replace("= 0", "= 1")
    assert update("sqlite:///shop.db", query=even, cursor="seen")[-1].startswith("version 2: 1 add")
    assert update("sqlite:///shop.db", query=odd, cursor="seen")[-1].startswith("version 3: 1 add")
    assert [change.reached for change in change_log.read_log()] == [None, 500, 300]
    assert even not in change_log.LOG.read_text()


def test_the_first_time_goes_on_where_add_ended(shop: sqlite3.Connection) -> None:
    add(SOURCE, target="late", key="nr")
    shop.execute("insert into orders values (500, 1.5, 'no', 99), (501, 1.5, 'no', 200)")
    assert update(SOURCE, cursor="seen") == ["version 2: 2 added, 1 unchanged"]
    compact()
    shop.execute("insert into orders values (502, 1.5, 'no', 201)")
    assert update(SOURCE, cursor="seen") == ["version 4: 1 added, 1 unchanged"]


def test_rows_without_a_value_are_asked_for_each_time(shop: sqlite3.Connection) -> None:
    add(SOURCE, target="late", key="nr")
    shop.execute("insert into orders values (500, 1.5, 'no', NULL)")
    assert update(SOURCE, cursor="seen") == ["version 2: 1 added, 1 unchanged"]
    assert update(SOURCE, cursor="seen")[-1].endswith("nothing changed")


@pytest.mark.parametrize("added", [True, False])
def test_an_unknown_cursor_changes_nothing(shop: sqlite3.Connection, added: bool) -> None:
    add(SOURCE, target="late", key="nr")
    if added:
        update(SOURCE, cursor="seen")
    before = change_log.LOG.read_bytes()
    with pytest.raises(UserError, match=r"--cursor sen: .*no such column; .*seen"):
        update(SOURCE, cursor="sen")
    assert change_log.LOG.read_bytes() == before


def test_every_type_comes_back_from_sqlite_as_it_was_exported(shop: sqlite3.Connection) -> None:
    start = dt.datetime(2024, 1, 31, 23, 59, 59, 123456)
    rows = pl.DataFrame(
        {
            "nr": [(1 << 60) + n for n in range(60)],
            "size": [0.1 + 0.2 * n for n in range(60)],
            "ok": [n % 2 == 0 for n in range(60)],
            "day": [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(60)],
            "seen": [start + dt.timedelta(hours=n, microseconds=n) for n in range(60)],
            "code": [f"{n % 4:03}é" for n in range(60)],
            "y": ["no" if n % 3 else "yes" for n in range(60)],
        }
    )
    rows.write_parquet("all.parquet")
    add("all.parquet", target="y", key="nr")
    for target in ("sqlite:///out.db?orders", "sqlite:///out.db?main.more"):
        export(target)
        assert update(target)[-1].endswith("is here already; nothing changed")
    land_query("sqlite:///out.db", "orders", Path("back.parquet"))
    back = pl.read_parquet("back.parquet")
    assert back["nr"].to_list() == rows["nr"].to_list()
    assert back["size"].to_list() == rows["size"].to_list()
    assert show(only_count=True) == ["60"]
    assert verify_log()
