"""A table with a row for each shop and day: the day is a part of the key, and the time."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.core.params import SplitParams
from mlops.core.paths import CLEAN, TEST, TRAIN
from mlops.data.change_log import locate_landed_parts
from mlops.data.contract import Contract
from mlops.data.ingest import ingest
from mlops.data.split import cut_parts
from mlops.data.validate import validate
from mlops.model.package import describe_column
from mlops.records.changes import delete, update
from mlops.records.export import show
from mlops.records.intake import add
from mlops.records.log_audit import verify_log

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(60)]
PAIR = ["shop", "day"]


def panel(shops: str = "ab") -> pl.DataFrame:
    keys = [(shop, day) for day in DAYS for shop in shops]
    sizes = [n * 37 % 101 for n in range(len(keys))]
    sold = ["yes" if n * 7 % 3 else "no" for n in range(len(keys))]
    return pl.DataFrame(keys, schema=PAIR, orient="row").with_columns(
        size=pl.Series(sizes), y=pl.Series(sold)
    )


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("data: {max_reject_rate: 0.1}\ntrain: {candidates: [linear]}\n")
    panel().write_csv("t.csv")


@pytest.mark.parametrize("key", ["shop,day", ["shop", "day"], ["shop, day"]])
def test_the_key_may_hold_the_time(key: str | list[str]) -> None:
    add("t.csv", target="y", key=key, time="day")
    contract = Contract.load()
    assert contract.key_names == PAIR
    assert [column.name for column in contract.of_role("time")] == ["day"]
    assert [column.name for column in contract.inputs] == ["day", "size"]
    text = Path("contract.yaml").read_text()
    assert text.count("primaryKey: true") == 2
    assert "{property: role, value: time}" in text
    contract.save(Path("again.yaml"))
    assert Path("again.yaml").read_text() == text


def test_a_new_shop_is_the_usual_case() -> None:
    add("t.csv", target="y", key=PAIR, time="day")
    panel("c").write_csv("c.csv")
    assert add("c.csv")[-1] == "version 2: 60 added"


def test_the_newest_days_judge_and_no_day_is_cut_apart() -> None:
    add("t.csv", target="y", key=PAIR, time="day")
    contract = Contract.load()
    ingest(locate_landed_parts(), contract)
    assert validate(pl.scan_parquet("data/ingested/*.parquet"), contract)["clean"] == 120
    assert cut_parts(contract, SplitParams())["policy"] == "time"
    train, test = pl.read_parquet(TRAIN), pl.read_parquet(TEST)
    assert train["day"].max() < test["day"].min()
    assert pl.read_parquet(CLEAN).height == 120
    assert set(test["shop"]) == {"a", "b"}


def test_records_are_updated_and_deleted_by_shop_and_day() -> None:
    add("t.csv", target="y", key=PAIR, time="day")
    changed = panel().head(3).with_columns(pl.col("size") + 1)
    pl.concat([changed, panel("c").tail(2)]).write_csv("u.csv")
    assert update("u.csv")[-1] == "version 2: 2 added, 3 updated"
    changed.select(PAIR).head(2).write_csv("gone.csv")
    assert delete(file="gone.csv")[-1] == "version 3: 2 deleted"
    assert show(only_count=True) == ["120"]
    records = show(form="csv", head=0)
    assert "a,2024-01-02,75,true" in records
    assert not any(record.startswith(("a,2024-01-01", "b,2024-01-01")) for record in records)
    assert "made again from nothing" in verify_log()[-1]


def test_a_key_may_be_learned_from_if_its_role_says_so() -> None:
    add("t.csv", target="y", key=PAIR, time="day")
    path = Path("contract.yaml")
    text = path.read_text()
    path.write_text(
        text.replace(
            "  - name: shop\n    logicalType: string\n    primaryKey: true\n    required: true\n",
            "  - name: shop\n    logicalType: string\n    primaryKey: true\n    required: true\n"
            "    customProperties:\n    - {property: role, value: feature}\n",
        )
    )
    contract = Contract.load()
    assert [column.name for column in contract.inputs] == ["shop", "day", "size"]
    assert contract.key_names == PAIR
    contract.save(path)
    assert Contract.load() == contract


def test_the_service_is_told_of_both_uses() -> None:
    add("t.csv", target="y", key=PAIR, time="day")
    uses = {c.name: describe_column(c) for c in Contract.load().columns}
    assert (uses["shop"]["used"], uses["shop"]["key"], "input" in uses["shop"]) == (
        True,
        True,
        False,
    )
    assert (uses["day"]["used"], uses["day"]["key"], uses["day"]["input"]) == (True, True, True)
    assert (uses["size"]["used"], uses["size"]["key"], "input" in uses["size"]) == (
        True,
        False,
        False,
    )


def test_the_target_is_no_part_of_a_key() -> None:
    with pytest.raises(UserError, match="column 'y' cannot be both target and key"):
        add("t.csv", target="y", key=["shop", "y"])


def test_a_group_may_be_a_part_of_the_key() -> None:
    add("t.csv", target="y", key=PAIR, group="shop")
    contract = Contract.load()
    assert contract.key_names == PAIR
    assert contract["shop"].role == "group"
