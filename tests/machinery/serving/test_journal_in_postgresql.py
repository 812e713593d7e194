"""The journal in a real PostgreSQL, which goes away and comes back."""

import time
from collections.abc import Iterator

import psycopg
import pytest
from mlops.serving import journal as journals
from mlops.serving.journal import Journal, Prediction, Truth
from mlops.serving.service_metrics import Metrics

from postgres import PASSWORD

ROW = Prediction("1", "champion", "2020", {"id": 7}, 3, "abc", "yes", 0.75, True, {"x": None})


@pytest.fixture
def address(server: str) -> Iterator[str]:
    yield server
    with psycopg.connect(server) as connection:
        connection.execute("DROP TABLE IF EXISTS predictions, truths")


def rows(address: str, table: str) -> list[tuple]:
    with psycopg.connect(address) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608


def test_rows_come_out_as_they_went_in(address: str) -> None:
    journal = Journal(address, Metrics(), durable=True)
    journal.put([ROW, ROW._replace(role="shadow"), Truth("2021", "1", None, 7.5)])
    journal.close()
    assert [row[:2] for row in rows(address, "predictions")] == [("1", "champion"), ("1", "shadow")]
    assert rows(address, "predictions")[0][7:] == (0.75, "true", '{"x":null}')
    assert rows(address, "truths") == [("2021", "1", None, "7.5")]


def test_a_connection_that_breaks_costs_no_row(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "RETRY", 0.05)
    metrics = Metrics()
    journal = Journal(address, metrics)
    for number in range(20):
        journal.put([ROW._replace(id=str(number))])
        if number % 5 == 0:
            with psycopg.connect(address) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
        time.sleep(0.02)
    journal.close()
    assert len(rows(address, "predictions")) == 20
    assert metrics.registry.get_sample_value("journal_rows_total", {"outcome": "lost"}) == 0


def test_a_refused_password_is_in_no_line_of_the_log(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PGPASSWORD", "wr0ng")
    metrics = Metrics()
    journal = Journal(address, metrics)
    journal.put([ROW])
    while "cannot be written" not in caplog.text:
        time.sleep(0.01)
    journal.close()
    logged = str([vars(record) for record in caplog.records])
    assert "OperationalError" in logged
    assert "wr0ng" not in logged
    assert PASSWORD not in logged
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
