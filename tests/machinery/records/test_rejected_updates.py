"""Rows of an update that break the contract are kept, and come once the contract allows them."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.core.paths import CLEAN, QUARANTINE
from mlops.data import change_log, ingest, validate
from mlops.data.contract import Contract
from mlops.records.changes import delete, restore, update
from mlops.records.export import show
from mlops.records.intake import add, compact
from mlops.records.log_audit import verify_log

HEADER = "nr,size,shop,late\n"
POLICIES = ("keep_last", "keep_first", "reject", "keep_all")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("data: {max_reject_rate: 0.9}\ntrain: {candidates: [linear]}\n")
    rows = (f"{n},{n % 50}.5,{'ab'[n % 2]},{'yes' if n % 3 else 'no'}" for n in range(300))
    write("orders.csv", *rows)
    add("orders.csv", target="late", key="nr")
    change_contract(limit=50)
    return tmp_path


def write(name: str, *rows: str) -> str:
    Path(name).write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return name


def change_contract(limit: float | None, **changes: object) -> None:
    contract = Contract.load()
    columns = tuple(
        column.model_copy(update={"maximum": limit}) if column.name == "size" else column
        for column in contract.columns
    )
    contract.model_copy(update={"columns": columns, **changes}).save()


def run_stages() -> validate.ValidationReport:
    contract = Contract.load()
    ingest.ingest(change_log.locate_landed_parts(), contract)
    return validate.validate(pl.scan_parquet("data/ingested/*.parquet"), contract)


def sizes(number: int) -> list[float]:
    return pl.read_parquet(CLEAN).filter(nr=number)["size"].to_list()


def test_a_rejected_row_of_an_update_is_in_quarantine_with_all_reasons(project: Path) -> None:
    says = update(write("news.csv", "1,99.5,a,", "2,7.5,a,yes", "3,wide,a,perhaps", "3,8.5,b,no"))
    assert says[0].startswith("2 of 4 rows break the contract")
    assert says[1].startswith("version 2: 2 updated, 2 rejected")
    report = run_stages()
    assert (report["read"], report["clean"], report["rejected"]) == (302, 300, 2)
    held = pl.read_parquet(QUARANTINE).explode("reasons").unnest("reasons", "record")
    reasons = set(held.select("nr", "column", "rule", "value").iter_rows())
    assert {(1, "size", "maximum", "99.5"), (3, "size", "readable", "wide")} <= reasons
    assert (3, "late", "readable", "perhaps") in reasons
    assert (sizes(1), sizes(2), sizes(3)) == ([1.5], [7.5], [8.5])
    assert verify_log()


def test_an_update_that_comes_again_keeps_its_rejected_rows_once(project: Path) -> None:
    rows = ("1,99.5,a,yes", ",5.5,a,yes", "x,5.5,a,yes", "2,7.5,a,yes", "2,99.5,a,yes")
    update(write("news.csv", *rows))
    again = update("news.csv")
    assert again[-1] == "news.csv is here already; nothing changed"
    pl.read_csv("news.csv", infer_schema=False).write_parquet("same.parquet")
    assert update("same.parquet")[-1] == "same.parquet is here already; nothing changed"
    assert run_stages()["rejected"] == 4
    assert len(change_log.read_log()) == 2


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("compacted", [False, True])
def test_once_the_contract_allows_it_a_row_takes_the_place_it_was_meant_for(
    project: Path, policy: str, compacted: bool
) -> None:
    change_contract(limit=50, duplicates=policy)
    update(write("news.csv", "1,99.5,a,yes", "2,98.5,a,yes", "999,97.5,b,no", "4,4.75,a,no"))
    update(write("more.csv", "2,7.5,a,yes"))  # what is told last of record 2
    if compacted:
        compact()
    run_stages()
    assert (sizes(1), sizes(2), sizes(999)) == ([1.5], [7.5], [])
    change_contract(limit=None, duplicates=policy)
    assert run_stages()["rejected"] == (policy == "reject")  # the row that gave way counts there
    assert (sizes(1), sizes(2), sizes(999), sizes(4)) == ([99.5], [7.5], [97.5], [4.75])
    assert pl.read_parquet(CLEAN).height == 301
    assert verify_log()


def test_a_row_told_again_as_it_was_outdates_the_rejected_one(project: Path) -> None:
    update(write("news.csv", "1,99.5,a,yes", "2,3.5,a,yes"))
    update(write("old.csv", "1,1.5,b,yes"))
    assert run_stages()["rejected"] == 0
    change_contract(limit=None)
    run_stages()
    assert sizes(1) == [1.5]
    assert verify_log()


def test_of_several_rejected_rows_the_last_comes(project: Path) -> None:
    for size in ("98.5", "99.5", "98.5"):
        update(write("news.csv", f"1,{size},a,yes", "2,2.5,a,no"))
    change_contract(limit=None)
    run_stages()
    assert sizes(1) == [98.5]


def test_rejected_rows_go_with_their_key_and_with_a_restore(project: Path) -> None:
    update(write("news.csv", "1,99.5,a,yes", "7,98.5,a,yes", "2,2.5,a,yes"))
    delete(["1"])
    assert run_stages()["rejected"] == 1
    restore(1)
    assert run_stages()["rejected"] == 0
    change_contract(limit=None)
    run_stages()
    assert (sizes(1), sizes(7)) == ([1.5], [7.5])


def test_rows_that_exclude_each_other_leave_the_record_as_it_was(project: Path) -> None:
    change_contract(limit=50, duplicates="reject")
    says = update(write("news.csv", "1,3.5,a,yes", "1,4.5,a,yes", "2,9.5,a,no"))
    assert says[-1] == "version 2: 1 updated, 2 rejected"
    report = run_stages()
    assert (report["clean"], report["rejected"], sizes(1)) == (300, 2, [1.5])
    assert update("news.csv")[-1].endswith("nothing changed")
    assert verify_log()


@pytest.mark.parametrize("command", [add, update])
def test_a_file_of_which_no_row_can_be_used_is_refused(project: Path, command: object) -> None:
    before = change_log.LOG.read_bytes()
    write("bad.csv", "1,wide,a,yes", "2,high,a,yes")
    with pytest.raises(UserError, match=r"bad\.csv: no row of it can be used, as all 2 break"):
        command("bad.csv")  # type: ignore[operator]
    assert change_log.LOG.read_bytes() == before
    assert sorted(path.name for path in Path("data/raw").iterdir()) == ["0001-orders.csv"]


def test_rows_without_a_key_that_need_none_are_added_once(project: Path) -> None:
    contract = Contract.load()
    key = contract["nr"].model_copy(update={"required": False})
    contract.model_copy(update={"columns": (key, *contract.columns[1:])}).save()
    write("news.csv", ",3.5,a,yes", ",4.5,a,yes", "5,6.5,a,no")
    assert update("news.csv") == ["version 2: 2 added, 1 updated"]
    assert update("news.csv")[-1].endswith("nothing changed")
    assert run_stages()["clean"] == 302
    assert verify_log()


def test_a_cursor_does_not_pass_a_rejected_row_for_ever(project: Path) -> None:
    """The row comes at the next run of the pipeline, though the database is not asked for it."""
    with closing(sqlite3.connect("shop.db")) as shop:
        shop.execute("create table orders (nr integer, size real, shop text, late text, seen text)")
        shop.executemany(
            "insert into orders values (?, ?, 'a', 'yes', ?)",
            [(1, 99.5, "2024-01-05"), (2, 7.5, "2024-01-06")],
        )
        shop.commit()
    source = "sqlite:///shop.db?orders"
    update(source, cursor="seen")
    change_contract(limit=None)
    assert update(source, cursor="seen")[-1].endswith("nothing changed")
    run_stages()
    assert (sizes(1), sizes(2)) == ([99.5], [7.5])
    assert show(where="nr = 1", form="csv")[1].startswith("1,99.5")


def test_policies_and_waves_of_updates_end_as_told(project: Path) -> None:
    """Whatever is rejected meanwhile, once all is allowed each record is what was told last."""
    chance, told = random.Random(4), {n: n % 50 + 0.5 for n in range(300)}
    for wave in range(12):
        news = {n: chance.choice([1.5, 2.5, 99.5, 98.5]) for n in chance.sample(range(320), 9)}
        news[1000 + wave] = 3.5
        told |= news
        update(write(f"news{wave}.csv", *(f"{n},{size},a,yes" for n, size in news.items())))
        if wave == 6:
            compact()
    assert verify_log()
    change_contract(limit=None)
    run_stages()
    table = pl.read_parquet(CLEAN)
    assert dict(zip(table["nr"], table["size"], strict=True)) == told
