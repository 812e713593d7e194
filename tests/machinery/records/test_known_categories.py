"""A category that was not met before comes in and is told, unless a person closed the list."""

from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.core.paths import read_json
from mlops.data import ingest, validate
from mlops.data.contract import Contract
from mlops.records.changes import update
from mlops.records.contract_check import check_file, check_table
from mlops.records.intake import add

HEADER = "shop,day,street,a,y\n"
ROWS = "".join(
    f"{'ab'[n % 2]},{day:%Y-%m-%d},street {n % 30},{n * 37 % 101 / 8},{'yes' if n % 3 else 'no'}\n"
    for n, day in enumerate(pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 5, 29), eager=True))
)
NEW = "c,2024-06-01,street 40,1.5,yes\na,2024-06-01,street 41,2.5,no\nb,2024-06-01,street 1,1,no\n"
TOLD = (
    "street has unseen categories in 2 rows, such as 'street 40': accepted, and learned with the "
    "next model"
)


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("problem.yaml").write_text("name: Test\n")
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")
    Path("shopday.csv").write_text(HEADER + ROWS)
    Path("new.csv").write_text(HEADER + NEW)
    add("shopday.csv", target="y", key="shop,day")


def test_a_new_shop_and_a_new_street_come_in_and_are_told() -> None:
    assert check_file("new.csv") == ["new.csv: all 3 rows keep the contract.", TOLD]
    assert update("new.csv", dry_run=True)[0] == TOLD
    assert add("new.csv")[1:] == ["version 2: 3 added", TOLD]
    assert check_table()[-1] == TOLD
    ingest.run()
    validate.run()
    report = read_json(Path("reports/validation.json"))
    assert report["quarantined"] == 0
    assert report["unseen"] == [
        {"column": "street", "rows": 2, "examples": ["street 40", "street 41"]}
    ]


def test_a_list_that_a_person_closed_still_rejects() -> None:
    contract = Contract.load()
    columns = [
        c.model_copy(update={"categories": c.known_categories or None, "known_categories": ()})
        if c.role == "feature"
        else c
        for c in contract.columns
    ]
    contract.model_copy(update={"columns": tuple(columns)}).save()
    with pytest.raises(UserError, match="2 of 3 rows go to quarantine") as refusal:
        check_file("new.csv")
    assert "street breaks the rule category: 'street 40'" in str(refusal.value)


def test_what_is_known_bears_on_no_row_and_so_not_on_the_content() -> None:
    contract = Contract.load()
    columns = [c.model_copy(update={"known_categories": ()}) for c in contract.columns]
    assert contract.model_copy(update={"columns": tuple(columns)}).digest() == contract.digest()
