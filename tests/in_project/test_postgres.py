"""A table lands from a real PostgreSQL, started here on the loopback and stopped again."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import adbc_driver_postgresql.dbapi
import polars as pl
import pytest
from flights.data.contract import Contract
from flights.data.databases import land_query
from flights.data.records import add
from flights.errors import UserError

PASSWORD = "s3cret pw/@"  # noqa: S105
BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/usr/bin"))

pytestmark = pytest.mark.skipif(
    not (BIN / "initdb").exists(), reason="no PostgreSQL server is installed"
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a fresh server; as root it runs as the user `postgres`, as it must."""
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # short, for the socket
    try:
        (folder / "password").write_text(PASSWORD)
        if as_user:
            shutil.chown(folder, pwd.getpwnam("postgres").pw_uid)
            shutil.chown(folder / "password", pwd.getpwnam("postgres").pw_uid)
        data = folder / "data"
        initdb = [BIN / "initdb", "-D", data, "-A", "scram-sha-256", "-U", "app", "--no-sync"]
        subprocess.run(
            [*as_user, *initdb, f"--pwfile={folder / 'password'}"],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        control = [*as_user, BIN / "pg_ctl", "-D", data]
        start = [*control, "-o", options, "-l", folder / "log", "-w", "start"]
        subprocess.run(start, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            yield f"postgresql://app:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run(
                [*control, "-m", "immediate", "stop"],
                check=True,
                cwd=folder,
                stdout=subprocess.DEVNULL,
            )
    finally:
        shutil.rmtree(folder)


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
    assert not any(PASSWORD in line or quote(PASSWORD, safe="") in line for line in says)
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
    query = 'SELECT shop, count(*) AS many FROM "my orders" GROUP BY shop;'
    land_query(server, query, tmp_path / "t.parquet")
    assert pl.read_parquet(tmp_path / "t.parquet")["many"].sum() == 200_000


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("nothing", 'relation "nothing" does not exist; check'),
        ("SELECT 1 AS a, 2 AS a", '"a" is ambiguous'),
        ("SELECT nothing FROM", "syntax error"),
    ],
)
def test_a_wrong_query_is_one_sentence(server: str, tmp_path: Path, query: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        land_query(server, query, tmp_path / "t.parquet")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("secret", ["wr0ng", "wr0ng%40%20"])
def test_a_refused_password_is_not_shown(server: str, tmp_path: Path, secret: str) -> None:
    uri = server.replace(quote(PASSWORD, safe=""), secret)
    with pytest.raises(UserError, match="password authentication failed") as caught:
        land_query(uri, "t", tmp_path / "t.parquet")
    assert "wr0ng" not in str(caught.value)
