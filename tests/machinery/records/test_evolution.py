"""Tables change: what differs is said on arrival, and taken in when asked; old files stay."""

import json
from pathlib import Path

import pytest
import yaml
from mlops.core.errors import UserError
from mlops.data.change_log import read_log
from mlops.data.contract import Contract
from mlops.model.inputs import explain_misfit, list_inputs
from mlops.records.changes import update
from mlops.records.contract_check import check_file, check_table
from mlops.records.evolution import RequestedChanges, evolve
from mlops.records.export import show
from mlops.records.intake import add, compact
from mlops.records.log_audit import list_changes, verify_log

ROWS = "".join(f"{n},{n * 37 % 101 / 10},{n % 11},{'no' if n % 3 else 'yes'}\n" for n in range(60))
MORE = "".join(f"{n},{n + 1}.0,{n},yes,{n}\n" for n in range(5))


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("problem.yaml").write_text("name: Test\n")
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")
    Path("t.csv").write_text(f"id,a,n,y\n{ROWS}")
    Path("u1.csv").write_text(f"id,a,n,y,extra\n{MORE}")
    add("t.csv", target="y", key="id")


def values(column: str, where: str = "id < 7") -> list[object]:
    rows = [json.loads(line) for line in show(where=where, head=0, form="json")]
    return [row[column] for row in sorted(rows, key=lambda row: row["id"])]


def test_a_new_column_is_told_and_taken_in_when_asked() -> None:
    told = (
        "u1.csv has a new column, extra (such as '0'), which contract.yaml lacks and nothing reads"
    )
    assert update("u1.csv")[0].startswith(f"{told}: take it in with 'uv run mlops data evolve u1")
    before, contract = Path("contract.yaml").read_bytes(), Contract.load()
    assert evolve("u1.csv") == [
        "extra is new (integer): ignored until its role is feature, missing in files without it",
        "contract.yaml: 1.0.0 becomes 1.1.0",
        "this is proposed, and nothing changed; say --yes to write it",
    ]
    assert Path("contract.yaml").read_bytes() == before
    assert len(read_log()) == 2
    assert evolve("u1.csv", yes=True)[-1] == "run 'uv run dvc repro' next"
    evolved = Contract.load()
    assert evolved.version == "1.1.0"
    model = {
        "contract": {"id": contract.id, "version": contract.version},
        "classes": list(contract.classes),
        "inputs": [vars(entry) for entry in list_inputs(contract)],
    }
    assert explain_misfit(model, evolved) is None
    assert list_inputs(evolved) == list_inputs(contract)
    assert verify_log()[0].startswith("version 3: made again")
    assert "evolve   extra is new (integer)" in list_changes()[-1]
    assert "1 updated" not in update("u1.csv")[0]
    assert values("extra") == [0, 1, 2, 3, 4, None, None]
    assert check_file("t.csv") == [
        "t.csv: all 60 rows keep the contract.",
        "t.csv lacks column extra: it is read as missing",
    ]
    assert verify_log()[0].startswith("version")


def test_a_new_column_of_a_file_that_was_added_is_read_from_it() -> None:
    Path("more.csv").write_text(MORE.join(["id,a,n,y,extra\n", ""]).replace("\n0,", "\n100,"))
    assert any("has a new column, extra" in line for line in add("more.csv"))
    evolve(requested=RequestedChanges(feature=["extra"], default=["extra=7"]), yes=True)
    assert Contract.load()["extra"].role == "feature"
    assert values("extra", "id in (4, 5, 100)") == [4, 7, 0]
    assert "no row changed" in list_changes()[-1]
    assert verify_log()
    compact()
    assert values("extra", "id in (4, 5, 100)") == [4, 7, 0]
    assert verify_log()
    with pytest.raises(UserError, match="cannot be 'many' by default"):
        evolve(requested=RequestedChanges(default=["extra=many"]))


def test_a_column_that_a_person_put_into_the_contract_may_lack_in_old_files() -> None:
    Path("new.csv").write_text("id,a,n,y,extra\n100,1.5,7,yes,3\n")
    add("new.csv")
    path = Path("contract.yaml")
    path.write_text(path.read_text().rstrip("\n") + "\n  - name: extra\n    logicalType: integer\n")
    with pytest.raises(UserError, match="lacks column extra"):
        check_table()
    assert evolve(yes=True)[0] == "extra may be lacking, and is missing in the rows of such files"
    assert values("extra", "id in (5, 100)") == [None, 3]
    assert verify_log()


def test_a_renamed_column_is_asked_about_and_read_from_old_and_new_files() -> None:
    Path("june.csv").write_text("id,A,n,y\n100,1.5,7,yes\n")
    for bring in (add, update, check_file):
        with pytest.raises(UserError, match="lacks column a, which") as refusal:
            bring("june.csv")
        assert "--rename a=A if the new column A is the same" in str(refusal.value)
        assert "--drop a if it is not delivered any more" in str(refusal.value)
    with pytest.raises(UserError, match="--rename a=A"):
        evolve("june.csv")
    content = read_log()[-1].after
    says = evolve("june.csv", requested=RequestedChanges(rename=["a=A"]), yes=True)
    assert says[0] == "a is called A; files may go on calling it a"
    assert read_log()[-1].after == content
    add("june.csv")
    update("t.csv")
    assert values("A", "id in (0, 1, 100)") == [0.0, 3.7, 1.5]
    Path("both.csv").write_text("id,a,A,n,y\n100,1.5,2.5,7,yes\n")
    assert update("both.csv")[0] == "both.csv has a beside A, which is its name now: a is not read"
    assert values("A", "id = 100") == [2.5]
    assert "nothing changed" in evolve("both.csv")[0]
    assert verify_log()


def test_a_column_that_is_not_delivered_any_more_is_missing_in_new_rows() -> None:
    Path("june.csv").write_text("id,n,y\n100,7,yes\n")
    with pytest.raises(UserError, match=r"say 'uv run mlops data evolve june\.csv' with --drop a"):
        add("june.csv")
    evolve("june.csv", requested=RequestedChanges(drop=["a"]), yes=True)
    assert "june.csv lacks column a: it is read as missing" in add("june.csv")
    assert values("a", "id in (1, 100)") == [3.7, None]
    assert [column.name for column in Contract.load().inputs] == ["n"]
    assert verify_log()


def test_a_target_that_is_not_delivered_yet_leaves_rows_without_a_label() -> None:
    Path("june.csv").write_text("id,a,n\n100,1.5,7\n")
    evolve("june.csv", requested=RequestedChanges(drop=["y"]), yes=True)
    assert "1 row has no label yet: kept, not learned from" in add("june.csv")


def test_a_wider_type_is_told_and_read_in_all_files() -> None:
    Path("june.csv").write_text("id,a,n,y\n100,1.5,7.25,yes\n101,1.5,8,no\n")
    with pytest.raises(UserError, match="1 of 2 rows go to quarantine") as refusal:
        check_file("june.csv")
    assert str(refusal.value).endswith(
        "june.csv: column n holds numbers (such as '7.25') where contract.yaml says integer, and "
        "such rows are rejected: widen it with 'uv run mlops data evolve june.csv'"
    )
    rows = "".join(f"{n},1.5,{n}.25,yes\n" for n in range(100, 110))
    Path("july.csv").write_text(f"id,a,n,y\n{rows}")
    with pytest.raises(
        UserError, match=r"(?s)as all 10 break the contract .*\njuly\.csv: column n holds num"
    ):
        update("july.csv")
    add("june.csv")
    says = evolve(yes=True)
    assert says[0] == "n becomes number (was integer), as '7.25' needs it"
    assert "version 3: 1 added" in says
    assert values("n", "id in (5, 100)") == [5.0, 7.25]
    evolve(requested=RequestedChanges(type=["n=string"]), yes=True)
    assert values("n", "id in (5, 100)") == ["5", "7.25"]
    assert Contract.load().version == "1.2.0"
    assert verify_log()


def test_a_time_of_day_is_not_cut_off_without_a_word() -> None:
    days = (f"{n},{n % 7},2024-01-{n % 28 + 1:02},{'no' if n % 3 else 'yes'}\n" for n in range(60))
    Path("days.csv").write_text("id,a,day,y\n" + "".join(days))
    add("days.csv", target="y", key="id", replace=True)
    Path("june.csv").write_text("id,a,day,y\n99,1,2024-06-01,yes\n100,1,2024-06-01 10:30:00,yes\n")
    assert any(
        "holds timestamps (such as '2024-06-01 10:30:00')" in says for says in add("june.csv")
    )
    evolve(yes=True)
    assert values("day", "id in (0, 100)") == [
        "2024-01-01 00:00:00",
        "2024-06-01 10:30:00",
    ]
    assert verify_log()


@pytest.mark.parametrize(
    ("requested", "says"),
    [
        (RequestedChanges(rename=["b=c"]), "contract.yaml has no column b; did you mean"),
        (RequestedChanges(rename=["a"]), "write --rename OLD=NEW, not a"),
        (RequestedChanges(rename=["a=n"]), "has a column n already"),
        (RequestedChanges(drop=["id"]), "id is the key of the table and cannot be dropped"),
        (RequestedChanges(drop=["b"]), "has no column b"),
        (RequestedChanges(feature=["b"]), "has no column b"),
        (RequestedChanges(feature=["a"]), "a is no new column"),
        (RequestedChanges(type=["a=integer"]), r"a \(number\) cannot become integer, only string"),
        (RequestedChanges(type=["y=string"]), "y .* cannot become string, only nothing wider"),
        (RequestedChanges(default=["n=many"]), "n .* cannot be 'many' by default"),
        (RequestedChanges(default=["id=3"]), "id .* cannot be '3' by default"),
        (
            RequestedChanges(drop=["a", "n"]),
            "would contradict itself: no column is left to learn from",
        ),
    ],
)
def test_a_request_that_cannot_be_met_is_one_sentence(
    requested: RequestedChanges, says: str
) -> None:
    before = Path("contract.yaml").read_bytes(), Path("data/log.jsonl").read_bytes()
    with pytest.raises(UserError, match=says) as refusal:
        evolve(requested=requested, yes=True)
    assert "\n" not in str(refusal.value)
    assert (Path("contract.yaml").read_bytes(), Path("data/log.jsonl").read_bytes()) == before


def test_a_contract_that_fits_stays() -> None:
    assert "nothing changed" in evolve(yes=True)[0]
    assert len(read_log()) == 1


def test_what_a_person_wrote_around_the_columns_stays() -> None:
    path = Path("contract.yaml")
    text = path.read_text().replace(
        "- name: a\n", "- name: a  # in kilograms\n    tags: [weight]\n"
    )
    text = text.replace("  - name: n\n", "  # counted by hand\n  - name: n\n    tags: [hand]\n")
    path.write_text(f"# Ours since May.\n{text}")
    Path("june.csv").write_text("id,a,n,y,extra\n100,1.5,7.25,yes,3\n")
    evolve("june.csv", yes=True)
    after = path.read_text()
    for kept in (
        "# Ours since May.\n",
        "a  # in kilograms\n",
        "  # counted by hand\n",
        "version: 1.1.0",
    ):
        assert kept in after
    assert after.count("tags:") == 2
    assert [column.name for column in Contract.load().columns] == ["id", "a", "n", "y", "extra"]
    assert Contract.load()["n"].type == "number"


def test_a_contract_in_a_layout_of_its_own_is_written_anew() -> None:
    path = Path("contract.yaml")
    path.write_text(json.dumps(yaml.safe_load(path.read_text())))
    Path("june.csv").write_text("id,a,n,y,extra\n100,1.5,7,yes,3\n")
    evolve("june.csv", yes=True)
    assert "extra" in Contract.load().names
    assert verify_log()


def test_a_killed_evolution_leaves_the_old_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Path("contract.yaml").read_bytes()

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mlops.records.evolution._log_evolution", fail)
    with pytest.raises(KeyboardInterrupt):
        evolve("u1.csv", yes=True)
    assert Path("contract.yaml").read_bytes() == before
    assert verify_log()


@pytest.mark.parametrize("policy", ["keep_last", "keep_first", "reject", "keep_all"])
def test_rows_of_a_key_in_files_of_different_columns_are_compacted(policy: str) -> None:
    """Rows that give way to each other in one file may take those of other files with them."""
    Contract.load().model_copy(update={"duplicates": policy}).save()
    Path("b.csv").write_text("id,a,n,y,extra\n3,1.5,7,yes,1\n3,2.5,7,no,2\n100,1.5,7,yes,3\n")
    Path("c.csv").write_text("id,a,n,y\n3,4.5,7,yes\n100,2.5,7,yes\n100,3.5,7,yes\n")
    add("b.csv")
    assert verify_log()[0].startswith("version 2: made again")
    add("c.csv")
    evolve(yes=True)
    before = show(head=0, form="csv")
    compact()
    assert sorted(show(head=0, form="csv")) == sorted(before)
    assert verify_log()[0].startswith("version 6: made again")
