"""Records come from and go to a real PostgreSQL, started here on the loopback and stopped again."""

from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi
import polars as pl
import pyarrow.parquet as pq
import pytest
from mlops.core.errors import UserError
from mlops.data import change_log
from mlops.data.contract import Contract
from mlops.records.changes import update
from mlops.records.databases import export_table, land_query
from mlops.records.export import export, show
from mlops.records.intake import add
from mlops.records.log_audit import verify_log

from postgres import PASSWORD


@pytest.fixture(scope="module")
def orders(server: str) -> str:
    connect = adbc_driver_postgresql.dbapi.connect
    with connect(server, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("""
                CREATE TABLE "my orders" AS SELECT
                    n::bigint AS nr, gen_random_uuid() AS ticket,
                    (n * 1.1)::numeric(10, 2) AS price,
                    timestamptz '2013-07-01 12:00+02' + n * interval '1 hour' AS placed,
                    date '2013-07-01' + n % 30 AS day, (n % 3)::smallint AS shop,
                    CASE WHEN n % 2 = 0 THEN 'é' || n % 5 END AS note,
                    '{"a": 1}'::jsonb AS extra, n % 4 = 0 AS returned
                FROM generate_series(1, 200000) AS n
            """)
    return f"{server}?table=my%20orders"


def test_a_table_is_added_with_one_command(
    orders: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    says = add(orders, target="returned", key="nr", time="placed", ignore=["ticket"])
    assert "200,000 rows" in says[0]
    assert not any(PASSWORD in line for line in says)
    assert not any(
        PASSWORD.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )
    table = pl.read_parquet("data/raw/0001-my-orders.parquet")
    assert table["nr"].sum() == 200_000 * 200_001 // 2
    contract = Contract.load()
    assert (contract.task, contract.keys[0].name) == ("binary", "nr")
    kinds = {column.name: column.type for column in contract.columns}
    assert kinds["price"] == "number"
    assert kinds["placed"] == "timestamp"
    assert kinds["day"] == "date"
    assert kinds["note"] == "string"
    assert contract["extra"].role == "ignored"


def test_a_query_is_added(server: str, orders: str, tmp_path: Path) -> None:
    query = 'SELECT shop, count(*) AS many FROM "my orders" GROUP BY shop -- one a shop'
    land_query(server, query, tmp_path / "t.parquet")
    assert pl.read_parquet(tmp_path / "t.parquet")["many"].sum() == 200_000


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("nothing", "there is no table 'nothing'; it has"),
        ("SELECT 1 AS a, 2 AS a", '"a" is ambiguous'),
        ("SELECT nothing FROM", "no SQL near|not whole"),
        ("SELECT oops", "there is no column 'oops'; correct"),
    ],
)
def test_a_wrong_query_is_one_sentence(server: str, tmp_path: Path, query: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        land_query(server, query, tmp_path / "t.parquet")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_refused_password_is_not_shown(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "wr0ng")
    with pytest.raises(UserError, match="password authentication failed") as caught:
        land_query(server, "t", tmp_path / "t.parquet")
    assert "wr0ng" not in str(caught.value)


def test_a_table_is_kept_up_by_a_cursor(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is new and changed since the last time is asked for."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")
    source = f"{server}?table=visits"

    def tell(statement: str) -> None:
        connect = adbc_driver_postgresql.dbapi.connect
        with connect(server, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    tell("""CREATE TABLE visits AS SELECT n AS nr, n * 1.5 AS size, n % 3 = 0 AS late,
            timestamptz '2024-01-01' + n * interval '1 minute' AS seen
            FROM generate_series(1, 50000) AS n""")
    add(source, target="late", key="nr", ignore=["seen"])
    assert update(source, cursor="seen") == ["visits.parquet is here already; nothing changed"]
    tell("UPDATE visits SET size = 0.5, seen = timestamptz '2024-06-01' WHERE nr <= 200")
    assert update(source, cursor="seen") == ["version 2: 200 updated, 1 unchanged"]
    tell("""INSERT INTO visits SELECT n, 2.5, true, timestamptz '2024-06-02' + n * interval '1 s'
            FROM generate_series(60001, 60100) AS n""")
    assert update(source, cursor="seen") == ["version 3: 100 added, 200 unchanged"]
    assert update(source, cursor="seen")[0].endswith("nothing changed")
    assert show(only_count=True) == ["50100"]
    assert verify_log()
    assert PASSWORD not in change_log.LOG.read_text()


def test_records_are_exported_all_or_none(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")
    lines = (
        f"{n},{n}.5,é{n % 5},{'yes' if n % 3 else 'no'},2024-01-{1 + n % 28:02}"
        for n in range(3000)
    )
    Path("orders.csv").write_text("nr,size,shop,late,day\n" + "\n".join(lines) + "\n")
    add("orders.csv", target="late", key="nr")
    target = f"{server}?table=out"
    assert "3,000 records" in export(target)[0]
    assert update(target) == ["out.parquet is here already; nothing changed"]
    with pytest.raises(UserError, match="already exists"):
        export(target)
    assert "10 records" in export(target, where="nr < 10", replace=True)[0]
    land_query(server, "out", tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet").height == 10


def test_an_export_to_a_schema_lies_where_an_import_reads_it(server: str, tmp_path: Path) -> None:
    connect = adbc_driver_postgresql.dbapi.connect
    with connect(server, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute('CREATE SCHEMA "Sales"')
    target = tmp_path / "t.parquet"
    export_table(pl.LazyFrame({"nr": [1, 2]}), server, "Sales.sold", replace=False)
    land_query(server, "Sales.sold", target)
    assert pl.read_parquet(target)["nr"].to_list() == [1, 2]
    with pytest.raises(UserError, match="there is no table 'sold'"):
        land_query(server, "sold", target)
    with pytest.raises(UserError, match='"nowhere" does not exist'):
        export_table(pl.LazyFrame({"nr": [1]}), server, "nowhere.sold", replace=False)


def test_a_database_that_vanishes_is_one_sentence(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends all sessions while rows are on their way."""
    write_batch = pq.ParquetWriter.write_batch

    def vanish(*facts: Any) -> None:
        write_batch(*facts)
        connect = adbc_driver_postgresql.dbapi.connect
        with connect(server, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            cursor.fetchall()

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", vanish)
    query = "SELECT n, repeat('x', 100) AS text FROM generate_series(1, 1000000) AS n"
    with pytest.raises(UserError, match="check the address") as caught:
        land_query(server, query, tmp_path / "t.parquet")
    assert "\n" not in str(caught.value)


def test_a_column_that_cannot_be_read_is_named(server: str, tmp_path: Path) -> None:
    query = "SELECT n AS nr, 1 / (n - 9000) AS part FROM generate_series(1, 9001) AS n"
    with pytest.raises(UserError, match=r"column 'part' cannot be read .*division by zero"):
        land_query(server, query, tmp_path / "t.parquet")
