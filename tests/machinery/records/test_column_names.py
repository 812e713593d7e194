"""A table may call its columns what it likes: none is taken for a pattern, or for one of ours."""

import csv
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.core.params import SplitParams
from mlops.core.paths import CLEAN, TEST, TRAIN, VALID
from mlops.data import ingest, leak, split, validate
from mlops.data.column_names import ROW, internal
from mlops.data.contract import Contract
from mlops.records.changes import delete, restore, update
from mlops.records.contract_check import check_file
from mlops.records.export import export, show
from mlops.records.inspection import inspect
from mlops.records.intake import add, compact
from mlops.records.log_audit import verify_log

KEY, TARGET, GROUP, DAY = "^a.*$", "*", "^.*$", "^%Y-.$"
NUMBERS = [
    *("=x", "?x", "x", "_clean", "_repeated", "_tie", "_sound", "_h1", "_10", "_is", "_key1"),
    *("hash", "old", "new", "pairs", "same", "first", "second", "sign", "key", "order", "stratum"),
    *("_row", "_source", "_unreadable", "reasons", "row", "source", "record", "update", "number"),
    *("part", "like", "fold", "value", "column", "rule", "len", "literal", "", "{x}", "%s", "$1"),
    *('a "quoted" one', "it's", "two  blanks", "a.b", "a,b;c\td", "ab", "l" * 200, "größe", "数量"),
]
NAMES = [KEY, TARGET, GROUP, DAY, *NUMBERS]


def write(path: str, keys: range, more: int = 0) -> str:
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(NAMES)
        for key in keys:
            numbers = [(key * (place + 7) + more) % 97 for place in range(len(NUMBERS))]
            answer = "yes" if key * 7 % 5 > 2 else "no"
            lines.writerow([key, answer, f"g{key % 60}", f"2024-01-{key % 28 + 1:02}", *numbers])
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("data: {max_reject_rate: 0.5}\ntrain: {candidates: [linear]}\n")
    add(write("t.csv", range(200)), target=TARGET, key=KEY, group=GROUP)
    return tmp_path


def test_a_table_with_odd_names_walks_the_whole_way(project: Path) -> None:
    contract = Contract.load()
    names = [column.name for column in contract.columns]
    assert names == [name or f"column_{place}" for place, name in enumerate(NAMES, 1)]
    assert (contract.target.name, contract.keys[0].name) == (TARGET, KEY)
    ingest.run()
    report = validate.validate(pl.scan_parquet("data/ingested/*.parquet"), contract)
    assert (report["clean"], report["quarantined"]) == (200, 0)
    clean = pl.read_parquet(CLEAN)
    assert clean.columns == [*names, ROW]
    assert clean[KEY].to_list() == list(range(200))
    assert clean["=x"].to_list() == [key * 7 % 97 for key in range(200)]
    rows = split.cut_parts(contract, SplitParams())["rows"]
    assert sum(rows.values()) == 200
    parts = [pl.read_parquet(path) for path in (TRAIN, VALID, TEST)]
    assert all(part.columns == clean.columns for part in parts)
    scores = leak.find_leaks(parts[0], contract, 0.95)["scores"]
    assert {score["column"] for score in scores} == {one.name for one in contract.inputs}


def test_a_broken_cell_of_each_column_is_told_by_its_name(project: Path) -> None:
    text = Path("t.csv").read_text(encoding="utf-8").splitlines()
    header, first = text[0], text[1]
    key, answer, group, _, *numbers = next(csv.reader([first]))
    broken = ",".join([key, answer, group, "no day", *("odd" for _ in numbers)])
    Path("broken.csv").write_text(f"{header}\n{broken}\n", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        check_file("broken.csv")
    assert f"{DAY} breaks the rule readable: 'no day'" in str(caught.value)
    assert "?x breaks the rule readable: 'odd'" in str(caught.value)


def test_records_with_odd_names_are_changed_and_come_back(project: Path) -> None:
    assert show(only_count=True) == ["200"]
    [counts] = update(write("u.csv", range(150, 250), more=1))
    assert counts == "version 2: 50 added, 50 updated"
    assert delete(["3", "4"]) == ["version 3: 2 deleted"]
    assert show(where='"=x" < 0', only_count=True) == ["0"]
    assert show(head=1, form="csv")[0].startswith("^a.*$,*,^.*$,")
    export("all.parquet")
    assert pl.read_parquet("all.parquet").height == 248
    assert update("all.parquet") == ["all.parquet is here already; nothing changed"]
    assert restore(2) == ["version 4: 2 added, 248 unchanged"]
    compact()
    assert verify_log() == ["version 5: made again from nothing, the content is the same"]


def test_the_mark_of_internal_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({internal("value", "x"): [1], "c": [2]}).write_parquet(path)
    with pytest.raises(UserError, match="holds the control character"):
        inspect(path)
