"""What arrives is told by what it does to the table, and what was delivered stays known."""

from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.data import change_log
from mlops.data.column_names import ROW
from mlops.data.contract import Contract
from mlops.data.ingest import scan_parts
from mlops.records.changes import delete, restore, update
from mlops.records.export import show
from mlops.records.intake import add, compact
from mlops.records.log_audit import verify_log


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")
    return tmp_path


def write(name: str, keys: list[int]) -> str:
    rows = (f"{k},{n * 3.7 % 11:.1f},{'yes' if n % 3 else 'no'}\n" for n, k in enumerate(keys))
    Path(name).write_text("k,a,y\n" + "".join(rows))
    return name


def test_a_key_that_many_rows_share_is_asked_about(project: Path) -> None:
    write("t.csv", [n // 2 for n in range(300)])
    with pytest.raises(UserError, match=r"150 of 300 rows share their key \(k\) .* say --yes"):
        add("t.csv", target="y", key="k")
    assert not change_log.LOG.exists()
    assert not Path("contract.yaml").exists()
    assert "150 rows give way to another row with their key" in add(
        "t.csv", target="y", key="k", yes=True
    )
    assert show(only_count=True) == ["150"]


def test_a_few_rows_that_share_a_key_are_told(project: Path) -> None:
    write("t.csv", [*range(298), 5, 6])
    assert "2 rows give way to another row with their key" in add("t.csv", target="y", key="k")
    write("u.csv", [400, 400, 401])
    assert add("u.csv")[1:] == [
        "version 2: 2 added",
        "1 rows give way to another row with their key",
    ]
    assert update(write("v.csv", [500, 500]))[0] == "1 rows give way to another row with their key"
    assert verify_log()


def test_what_was_delivered_before_a_compaction_is_known_after_it(project: Path) -> None:
    write("t.csv", list(range(300)))
    write("m.csv", list(range(100)))
    add("t.csv", target="y", ignore=["k"])
    add("m.csv")
    compact()
    for file in ("t.csv", "m.csv"):
        assert add(file) == [f"{file} is here already; nothing changed"]
    add(write("n.csv", [7, 8]))
    compact()
    assert add("m.csv") == ["m.csv is here already; nothing changed"]
    assert show(only_count=True) == ["402"]
    assert verify_log()


def test_what_was_taken_back_may_be_delivered_again(project: Path) -> None:
    add(write("t.csv", list(range(300))), target="y", ignore=["k"])
    add(write("m.csv", list(range(100))))
    restore(1)
    add("m.csv")
    assert show(only_count=True) == ["400"]


def test_rows_keep_their_numbers_when_they_are_compacted(project: Path) -> None:
    add(write("t.csv", list(range(300))), target="y", ignore=["k"])
    add(write("m.csv", [1000, 1001]))
    delete(where="a = 0")
    parts = change_log.locate_parts(change_log.read_log())
    gone = {number for part in parts if part.gone is not None for number in part.gone}
    assert gone
    compact()
    parts = change_log.locate_parts(change_log.read_log())
    numbers = [n for rows in scan_parts(parts) for n in rows.collect()[ROW]]
    assert set(numbers) == set(range(1, 303)) - gone
    delete(where="a = 3.7")
    assert verify_log()


@pytest.mark.parametrize("repeats", [False, True])
def test_the_first_records_are_those_of_the_whole_table(project: Path, repeats: bool) -> None:
    """Though some rows break the contract, or give way to a later one."""
    keys = list(range(3000))
    add(write("t.csv", [*keys, 1, 2] if repeats else keys), target="y", key="k")
    contract = Contract.load()
    columns = tuple(
        column.model_copy(update={"maximum": 5}) if column.name == "a" else column
        for column in contract.columns
    )
    contract.model_copy(update={"columns": columns}).save()
    for _ in ("judged by another contract than the log", "by the same"):
        every = show(head=0, form="csv")
        assert show(head=700, form="csv") == every[:701]
        assert show(head=9999, form="csv") == every
        add("t.csv", target="y", key="k", replace=True)
