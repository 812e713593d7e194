"""Rows without a label yet are records: kept, told, not learned from, and the label may come."""

from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.core.params import SplitParams
from mlops.data import ingest, split, validate
from mlops.data.change_log import read_log
from mlops.data.contract import Contract
from mlops.records.changes import restore, update
from mlops.records.contract_check import check_file, check_table
from mlops.records.export import show
from mlops.records.intake import add, compact
from mlops.records.log_audit import verify_log

HEADER = "id,day,x,label\n"


def row(number: int, label: str) -> str:
    return f"{number},2024-01-{1 + number // 20:02},{number * 37 % 101 / 8},{label}\n"


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of 500 rows the newest fifth has no label; the table is added with key and time."""
    monkeypatch.chdir(tmp_path)
    Path("problem.yaml").write_text("name: Test\n")
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")
    rows = (row(n, "" if n >= 400 else "pos" if n % 3 else "neg") for n in range(500))
    Path("late.csv").write_text(HEADER + "".join(rows))
    return tmp_path


def start() -> list[str]:
    return add("late.csv", target="label", key="id", time="day")


def waiting() -> int:
    return int(show(where="label is null", only_count=True)[0])


def test_the_newest_fifth_is_kept_and_blocks_nothing(
    late: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    says = start()
    assert "version 1: 500 added" in says
    assert "100 rows have no label yet: kept, not learned from" in says
    assert not Contract.load().target.required
    ingest.run()
    validate.run()
    assert "100 rows have no label yet" in capsys.readouterr().out
    clean, unlabelled = (pl.read_parquet(f"data/{n}.parquet") for n in ("clean", "unlabelled"))
    assert (clean.height, unlabelled.height) == (400, 100)
    assert unlabelled.columns == ["id", "day", "x", "label"]
    report = split.cut_parts(Contract.load(), SplitParams())
    assert sum(report["rows"].values()) == 400
    assert report["faults"] == []
    assert check_table() == [
        "1 file(s) keep the contract: 0 of 400 rows were rejected, 10% may be.",
        "100 rows have no label yet: kept, not learned from",
    ]


def test_a_contract_that_requires_the_target_waits_for_it_too(late: Path) -> None:
    start()
    path = Path("contract.yaml")
    path.write_text(
        path.read_text().replace("- name: label\n", "- name: label\n    required: true\n")
    )
    assert Contract.load().target.required
    assert "100 rows have no label yet" in check_table()[1]


def test_the_label_that_comes_moves_the_row_and_the_log_holds(late: Path) -> None:
    start()
    before = read_log()[-1].after
    Path("labels.csv").write_text(HEADER + row(450, "pos") + row(451, "neg") + row(452, ""))
    says = update("labels.csv")
    assert says == [
        "1 row has no label yet: kept, not learned from",
        "version 2: 2 updated, 1 unchanged",
    ]
    assert waiting() == 98
    assert verify_log()[0].startswith("version 2: made again")
    restore(1)
    assert waiting() == 100
    assert read_log()[-1].after == before
    restore(2)
    compact()
    assert waiting() == 98
    assert verify_log()


def test_added_labels_take_the_place_of_rows_without_and_never_the_other_way(late: Path) -> None:
    start()
    Path("more.csv").write_text(HEADER + row(450, "pos") + row(3, ""))
    assert add("more.csv")[-2:] == [
        "version 2: 1 updated, 1 unchanged",
        "1 row has no label yet: kept, not learned from",
    ]
    assert waiting() == 99
    assert show(where="id = 3 and label = 'neg'", only_count=True) == ["1"]
    assert verify_log()


def test_a_label_that_an_update_takes_away_is_told(late: Path) -> None:
    start()
    Path("news.csv").write_text(HEADER + row(3, "") + row(600, ""))
    assert "1 record with a label comes without it now" in update("news.csv")
    assert waiting() == 102


def test_a_target_that_cannot_be_read_and_other_faults_are_still_rejected(late: Path) -> None:
    start()
    Path("bad.csv").write_text(
        HEADER + row(600, "perhaps") + "601,2024-01-31,far,\n" + row(602, "")
    )
    with pytest.raises(UserError) as refusal:
        check_file("bad.csv")
    first, *reasons = str(refusal.value).splitlines()
    assert first == "bad.csv: 2 of 3 rows go to quarantine, such as"
    assert reasons == [
        "  bad.csv row 1: label breaks the rule category: 'perhaps'",
        "  bad.csv row 2: x breaks the rule readable: 'far'",
        "1 row has no label yet: kept, not learned from",
    ]
    Path("good.csv").write_text(HEADER + row(600, "pos") + row(602, ""))
    assert check_file("good.csv") == [
        "good.csv: all 2 rows keep the contract.",
        "1 row has no label yet: kept, not learned from",
    ]
