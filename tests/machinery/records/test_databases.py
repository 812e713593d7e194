import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.records.databases import export_table, land_query, quote_name


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database whose first 70,000 cells of a column are empty, which a driver may guess from."""
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('CREATE TABLE "my orders" (id INTEGER, price, note TEXT, mixed, day)')
        rows = (
            (
                n,
                None if n < 70_000 else n + 0.1,
                "é" if n % 2 else None,
                n if n % 3 else "x",
                "2013",
            )
            for n in range(70_010)
        )
        connection.executemany('INSERT INTO "my orders" VALUES (?, ?, ?, ?, ?)', rows)
        connection.commit()
    return f"sqlite:///{path}"


def test_a_table_lands_whole_and_typed(shop: str, tmp_path: Path) -> None:
    target = tmp_path / "t.parquet"
    land_query(shop, "my orders", target)
    table = pl.read_parquet(target)
    assert table.dtypes == [pl.Int64, pl.Float64, pl.String, pl.String, pl.String]
    assert table["id"].to_list() == list(range(70_010))
    assert table["price"].null_count() == 70_000
    assert table["price"][-1] == 70_009.1
    assert table["mixed"][:2].to_list() == ["x", "1"]


def test_a_query_lands(shop: str, tmp_path: Path) -> None:
    target = tmp_path / "t.parquet"
    query = 'WITH few AS (SELECT id AS "the id" FROM "my orders" WHERE id < 3) SELECT * FROM few;'
    land_query(shop, query, target)
    assert pl.read_parquet(target).to_dict(as_series=False) == {"the id": [0, 1, 2]}
    land_query(shop, 'SELECT note FROM "my orders" WHERE id < 0', target)
    assert pl.read_parquet(target).is_empty()


@pytest.mark.parametrize("beginning", ["-- all\n", "/* all;\nof them */ ", "--\n-- x\n\n  "])
@pytest.mark.parametrize("query", ["select", "WITH few AS (SELECT 1) SELECT"])
def test_a_query_may_begin_with_remarks(
    shop: str, tmp_path: Path, beginning: str, query: str
) -> None:
    land_query(shop, f'{beginning}{query} id FROM "my orders";', tmp_path / "t.parquet")
    assert pl.read_parquet(tmp_path / "t.parquet").columns == ["id"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("nothing", "there is no table 'nothing'; it has my orders"),
        ("SELECT oops FROM", "the query is not whole; correct the query"),
        ("SELECT oops FORM x", "no SQL near 'x'; correct"),
        ('SELECT oops FROM "my orders"', "there is no column 'oops'; correct"),
        ('SELECT oops(id) FROM "my orders"', "there is no function 'oops'; correct"),
        ("SELECT * FROM oops", "there is no table 'oops'; it has my orders"),
    ],
)
def test_a_wrong_query_is_one_sentence(shop: str, tmp_path: Path, query: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        land_query(shop, query, tmp_path / "t.parquet")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "there is no table 't'; it has no table at all"),
        (b"no database at all" * 99, "it is no SQLite database; check the path"),
        (b"SQLite format 3\0" + b"\x10\x00\x01\x01\x00@  " + b"\x01" * 76, "file is damaged; get"),
    ],
)
def test_a_file_that_is_no_database_is_one_sentence(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "shop.db"
    path.write_bytes(content)
    with pytest.raises(UserError, match=says) as caught:
        land_query(f"sqlite:///{path}", "t", tmp_path / "t.parquet")
    assert "SQLite]" not in str(caught.value)


def test_a_view_of_what_is_gone_says_so(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIEW v AS SELECT * FROM gone")
        connection.commit()
    with pytest.raises(UserError, match="there is no table 'gone'; it has v"):
        land_query(f"sqlite:///{path}", "v", tmp_path / "t.parquet")


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such database file"):
        land_query(f"sqlite:///{tmp_path}/none.db", "t", tmp_path / "t.parquet")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("password", ["s3cret", "s3%2Fcret%40", "p@s3cret"])
def test_a_password_in_the_address_is_refused_and_not_shown(tmp_path: Path, password: str) -> None:
    for uri in (
        f"postgresql://app:{password}@127.0.0.1:1/shop?connect_timeout=1",
        f"postgresql://app@127.0.0.1:1/shop?connect_timeout=1&password={password}",
    ):
        with pytest.raises(UserError, match="PGPASSWORD") as caught:
            land_query(uri, "orders", tmp_path / "t.parquet")
        assert "cret" not in str(caught.value)


def test_what_goes_wrong_with_a_server_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "s3cret")
    with pytest.raises(UserError, match="Connection refused") as caught:
        land_query("postgresql://app@127.0.0.1:1/shop?connect_timeout=1", "t", tmp_path / "t")
    assert "s3cret" not in str(caught.value)
    assert str(caught.value).startswith("postgresql://127.0.0.1:1/shop: ")


def test_a_query_may_end_in_a_comment_and_names_and_values_hold_quotes(tmp_path: Path) -> None:
    """Also where only rows from a value on are asked for."""
    path, target = tmp_path / "shop.db", tmp_path / "t.parquet"
    odd = """a "b" 'c'; DROP TABLE t"""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE t ({quote_name(odd)} TEXT)")
        connection.executemany("INSERT INTO t VALUES (?)", [["it's"], ["a"], ["z"]])
        connection.commit()
    land_query(f"sqlite:///{path}", "SELECT * FROM t -- all", target, (odd, "it's"))
    assert pl.read_parquet(target).to_dict(as_series=False) == {odd: ["it's", "z"]}


def test_types_that_change_late_or_begin_with_nothing_are_known(tmp_path: Path) -> None:
    """Also beyond the rows that the driver looks at first; numbers keep all their digits."""
    rows, path, target = 100_003, tmp_path / "shop.db", tmp_path / "t.parquet"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (late, number, mixed, large, tenth, empty)")
        last = rows - 1
        connection.executemany(
            "INSERT INTO t VALUES (?, ?, ?, ?, ?, NULL)",
            (
                (
                    None if n < last else "text",
                    None if n < last else 0.1,
                    n if n < last else 0.5,
                    (1 << 60) + n if n < last else 0.1 + 0.2,
                    0.1 + 0.2 if n < last else "x",
                )
                for n in range(rows)
            ),
        )
        connection.commit()
    land_query(f"sqlite:///{path}", "t", target)
    table = pl.read_parquet(target)
    assert table.height == rows
    assert table.dtypes[:5] == [pl.String, pl.Float64, pl.Float64, pl.String, pl.String]
    assert table.row(-1)[:5] == ("text", 0.1, 0.5, "0.30000000000000004", "x")
    assert table.row(0)[2:5] == (0.0, str(1 << 60), "0.30000000000000004")
    assert table["empty"].null_count() == rows


@pytest.mark.parametrize("value", ["CAST(x'ff41' AS TEXT)", "x'ff00'"])
def test_a_column_that_cannot_be_read_is_named(tmp_path: Path, value: str) -> None:
    path, target = tmp_path / "shop.db", tmp_path / "t.parquet"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (nr, note, odd)")
        connection.execute(f"INSERT INTO t VALUES (1, 'a', {value})")  # noqa: S608
        connection.commit()
    with pytest.raises(UserError, match=r"column .odd. (cannot be read|holds binary values)"):
        land_query(f"sqlite:///{path}", "t", target)
    land_query(f"sqlite:///{path}", "SELECT nr, note FROM t", target)


def test_an_unknown_cursor_is_told_and_is_no_text(tmp_path: Path) -> None:
    """SQLite takes a quoted name that it does not know for a text."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (nr, seen)")
        connection.commit()
    with pytest.raises(UserError, match=r"--cursor sen: there is no such column; .* nr, seen"):
        land_query(f"sqlite:///{path}", "t", tmp_path / "t.parquet", ("sen", "2024"))


def test_where_the_cursor_stands_and_where_it_has_no_value_is_asked_for(tmp_path: Path) -> None:
    path, target = tmp_path / "shop.db", tmp_path / "t.parquet"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (nr, seen)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(1, 4), (2, 5), (3, None), (4, 6)])
        connection.commit()
    land_query(f"sqlite:///{path}", "t", target, ("seen", 5))
    assert sorted(pl.read_parquet(target)["nr"]) == [2, 3, 4]


@pytest.mark.parametrize("name", ["main.out", "out", 'odd "name"'])
def test_what_is_exported_lies_where_an_import_reads_it(tmp_path: Path, name: str) -> None:
    uri, target = f"sqlite:///{tmp_path}/out.db", tmp_path / "t.parquet"
    export_table(pl.LazyFrame({"nr": [1, 2]}), uri, name, replace=False)
    land_query(uri, name, target)
    assert pl.read_parquet(target)["nr"].to_list() == [1, 2]
    export_table(pl.LazyFrame({"nr": [3]}), uri, name, replace=True)
    land_query(uri, name, target)
    assert pl.read_parquet(target)["nr"].to_list() == [3]
