"""Late truth out of a journal in a real PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from mlops.core.errors import UserError
from mlops.data.contract import Column, Contract
from mlops.monitoring.ground_truth import count_unmatched, join_ground_truth
from mlops.serving.journal import Journal, Prediction, Truth
from mlops.serving.service_metrics import Metrics

AT = "2020-01-01T00:00:0{}.000+00:00"
START, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
CONTRACT = Contract(
    id="t",
    name="t",
    task="binary",
    classes=("no", "yes"),
    columns=(
        Column(name="n", type="integer", role="key", required=True),
        Column(name="x", type="number"),
        Column(name="y", type="string", role="target", required=True),
    ),
)


@pytest.fixture
def address(server: str) -> Iterator[str]:
    yield server
    with psycopg.connect(server) as connection:
        connection.execute("DROP TABLE IF EXISTS predictions, truths")


def asked(name: str, place: int, key: int | None) -> Prediction:
    key_of_record = {"n": key} if key else None
    inputs = {"x": place / 2}
    return Prediction(
        name, "champion", AT.format(place), key_of_record, None, "abc", "no", 0.25, True, inputs
    )


def test_truths_find_their_predictions(address: str) -> None:
    rows = [asked("1", 1, 7), asked("2", 2, 7), asked("3", 3, None)]
    labels = [
        Truth(AT.format(9), None, {"n": 7}, "yes"),
        Truth(AT.format(8), "2", None, "no"),
        Truth(AT.format(8), "2", None, "no"),
        Truth(AT.format(8), "unknown", None, "no"),
        Truth(AT.format(8), None, {"n": 8}, "no"),
    ]
    journal = Journal(address, Metrics())
    journal.put([*rows, rows[0]._replace(role="shadow"), *labels])
    journal.close()
    matched = join_ground_truth(address, START, END, CONTRACT)
    assert matched["id"].to_list() == ["1", "2", "3"]
    assert matched["truth"].to_list() == ["yes", "yes", None]
    assert matched["contradicted"].to_list() == [False, True, False]
    assert matched["delay"].to_list() == [8.0, 7.0, None]
    assert matched["inputs"].to_list() == [{"x": 0.5}, {"x": 1.0}, {"x": 1.5}]
    assert matched["version"].null_count() == 3
    assert count_unmatched(address, START) == 2


def test_a_database_without_a_journal_is_said_to_be_so(address: str) -> None:
    with pytest.raises(UserError, match="holds no prediction yet"):
        join_ground_truth(address, START, END, CONTRACT)
