"""Records live as in a dictionary, and the log makes the table again from nothing."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.data import change_log
from mlops.data.column_names import ROW
from mlops.data.contract import Contract
from mlops.records import table
from mlops.records.changes import delete, restore, update
from mlops.records.export import export, show
from mlops.records.intake import add, compact
from mlops.records.log_audit import list_changes, verify_log

Records = dict[int, tuple[float, str, bool]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("data: {max_reject_rate: 0.5}\ntrain: {candidates: [linear]}\n")
    return tmp_path


def make_records(keys: range | list[int], salt: int = 0) -> Records:
    return {
        key: ((key * 37 + salt) % 101 + 0.5, "ab"[(key + salt) % 2], (key + salt) % 3 > 0)
        for key in keys
    }


def written(records: Records, name: str) -> str:
    """The records as a file of one of the formats."""
    frame = pl.DataFrame(
        [(key, *values) for key, values in records.items()],
        schema={"nr": pl.Int64, "size": pl.Float64, "shop": pl.String, "late": pl.Boolean},
        orient="row",
    )
    writers = {
        ".csv": frame.write_csv,
        ".jsonl": frame.write_ndjson,
        ".parquet": frame.write_parquet,
    }
    writers[Path(name).suffix](name)
    return name


def content(version: int | None = None) -> Records:
    contract = Contract.load()
    with table.open_content(
        change_log.locate_parts(change_log.read_log(), version), contract
    ) as clean:
        frame = clean.select("nr", "size", "shop", "late").collect()
    records = {row[0]: (row[1], row[2], row[3]) for row in frame.iter_rows()}
    assert len(records) == frame.height
    return records


def start(records: Records) -> None:
    add(written(records, "orders.csv"), target="late", key="nr")


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_what_was_exported_is_known_when_it_comes_back(project: Path, form: str) -> None:
    """Though the contract reads other dates and decimals than a machine would write."""
    days = (f"{n};{n % 28 + 1:02}/02/2013 1{n % 10}:30;{n},{n % 7}5;yes" for n in range(40))
    text = "\n".join(
        ["nr;day;size;late", *days, "40;;;no", *(f"{n};;0,5;no" for n in range(41, 60))]
    )
    Path("orders.csv").write_text(f"{text}\n", encoding="utf-8")
    add("orders.csv", target="late", key="nr")
    read = {column.name: column for column in Contract.load().columns}
    assert (read["day"].formats, read["size"].decimal) == (("%d/%m/%Y %H:%M",), ",")
    export(f"all.{form}")
    assert update(f"all.{form}") == [f"all.{form} is here already; nothing changed"]


def test_an_update_lands_only_what_is_new_or_different(project: Path) -> None:
    records = make_records(range(100))
    start(records)
    news = {**make_records(range(10)), 3: (7.5, "b", True), 200: (1.5, "a", False)}
    says = update(written(news, "news.csv"))
    assert says == ["version 2: 1 added, 1 updated, 9 unchanged"]
    assert content() == records | news
    assert pl.read_parquet("data/raw/0002-news.parquet")["nr"].to_list() == ["3", "200"]
    assert pl.read_parquet("data/raw/0002-news.retired.parquet")[ROW].to_list() == [4]
    assert update("news.csv") == ["news.csv is here already; nothing changed"]
    assert len(change_log.read_log()) == 2


def test_an_update_leaves_broken_rows_out_and_refuses_too_many(project: Path) -> None:
    records = make_records(range(100))
    start(records)
    Path("news.csv").write_text("nr,size,shop,late\n1,wide,a,yes\n2,7.5,a,yes\n3,8.5,a,yes\n")
    says = update("news.csv")
    assert says[0].startswith("1 of 3 rows break the contract")
    assert "size breaks the rule readable in 1, such as 'wide'" in says[0]
    assert content()[1] == records[1]
    assert content()[2] == (7.5, "a", True)
    Path("two.csv").write_text("nr,size,shop,late\n1,wide,a,yes\n2,tall,a,yes\n3,9.5,a,yes\n")
    assert "may be chance" in update("two.csv", dry_run=True)[0]
    rows = "".join(f"{n},{'wide' if n % 4 else n},a,yes\n" for n in range(40))
    Path("bad.csv").write_text(f"nr,size,shop,late\n{rows}")
    with pytest.raises(
        UserError, match=r"30 of 40 .*data\.max_reject_rate allows 50%: that is no chance"
    ):
        update("bad.csv")
    assert len(change_log.read_log()) == 2


def test_records_are_deleted_by_key_file_and_condition(project: Path) -> None:
    records = make_records(range(100))
    start(records)
    assert delete(["7", "8", "999"]) == ["keys without a record: 1", "version 2: 2 deleted"]
    Path("keys.csv").write_text("nr,why\n9,left\n10,left\n")
    assert delete(file="keys.csv") == ["version 3: 2 deleted"]
    gone = {k for k, (size, shop, _) in records.items() if size > 90 and shop == "a"} - {
        7,
        8,
        9,
        10,
    }
    assert delete(where="size > 90 and shop = 'a'") == [f"version 4: {len(gone)} deleted"]
    assert content() == {k: v for k, v in records.items() if k not in {7, 8, 9, 10} | gone}
    assert "nothing changed" in delete(["7"])[-1]


def test_an_old_version_of_a_deleted_record_does_not_come_back(project: Path) -> None:
    start(make_records(range(100)))
    add(written({5: (99.5, "b", True)}, "more.csv"))
    assert content()[5] == (99.5, "b", True)
    delete(where="size = 99.5 and shop = 'b' and nr = 5")
    assert 5 not in content()
    assert "nothing changed" in add("more.csv")[0]
    assert 5 not in content()


def test_a_deleted_record_is_named_nowhere(project: Path) -> None:
    start(make_records(range(1_000_000, 1_000_100)))
    Path("keys.csv").write_text("nr\n1000077\n")
    delete(file="keys.csv")
    assert "1000077" not in change_log.LOG.read_text()
    assert pl.read_parquet("data/raw/0002-deleted.retired.parquet").to_dict(as_series=False) == {
        ROW: [78]
    }


def test_a_version_is_restored_and_the_restoring_too(project: Path) -> None:
    start(make_records(range(100)))
    update(written(make_records(range(50, 150), 7), "news.jsonl"))
    changed = content()
    delete(where="size > 50")
    assert restore(1)[0].startswith("version 4: ")
    assert content() == make_records(range(100))
    restore(2)
    assert content() == changed
    assert "nothing changed" in restore(2)[0]
    with pytest.raises(UserError, match="there is no version 9 of the table; the newest is 5"):
        restore(9)
    changes = change_log.read_log()
    assert [change.after for change in changes[3:]] == [changes[0].after, changes[1].after]
    assert "(no longer in effect)" in list_changes()[2]


def test_random_operations_end_in_the_table_that_a_dictionary_would_be(project: Path) -> None:
    """And at every version, the table made from nothing is what it was then."""
    live(random.Random(1), operations=40)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_random_operations_end_as_in_a_dictionary(project: Path, seed: int) -> None:
    live(random.Random(seed), operations=100)


def live(chance: random.Random, operations: int) -> None:
    records = make_records(range(60))
    start(records)
    states, oldest = [records], 1  # the oldest version whose files are here
    for number in range(operations):
        news = make_records(chance.sample(range(150), chance.randint(1, 12)), number)
        file = written(news, f"news{number}{chance.choice(['.csv', '.jsonl', '.parquet'])}")
        kinds = ["add", "update", "update", "delete", "where", "restore", "compact", "exchange"]
        kind = chance.choice(kinds)
        if kind in ("add", "update"):
            (add if kind == "add" else update)(file)
            now = records | news
        elif kind == "delete":
            delete([str(key) for key in news])
            now = {key: value for key, value in records.items() if key not in news}
        elif kind == "where":
            least = chance.randint(85, 100)
            delete(where=f"size > {least}")
            now = {key: value for key, value in records.items() if value[0] <= least}
        elif kind == "compact":
            compact()
            now = records
        elif kind == "exchange":  # all records go elsewhere, some change, and all come back
            exported = written({0: (0.5, "a", True)}, f"all{Path(file).suffix}")
            export(exported, replace=True)
            update(exported)
            assert content() == records
            update(file)
            now = records | news
        else:
            version = chance.randint(oldest, len(states))
            restore(version)
            now = states[version - 1]
        Path(file).unlink()
        versions = len(change_log.read_log()) - len(states)
        assert versions == 1 or now == records or kind == "compact", (kind, number)
        states += [now] * versions
        if kind == "compact":  # a version for each format: the last has all records
            oldest = len(states) if versions else oldest
        records = now
        assert content() == records, (kind, number)
    assert verify_log()[0].startswith(f"version {len(states)}: made again from nothing")
    for version in range(oldest, len(states) + 1)[-5:]:
        assert content(version) == states[version - 1]


def test_a_compacted_table_is_the_same_without_what_is_gone(project: Path) -> None:
    start(make_records(range(100)))
    update(written(make_records(range(50, 150), 7), "news.jsonl"))
    update(written(make_records(range(150, 160), 7), "more.csv"))
    delete(["60", "7"])
    before = content()
    hashed = change_log.read_log()[-1].after
    says = compact()
    assert says[::2] == [
        "59 rows of the table lie in data/raw/0005-orders.parquet now",
        "99 rows of the table lie in data/raw/0006-orders.parquet now",
    ]
    assert content() == before
    assert change_log.read_log()[-1].after == hashed
    assert verify_log()
    left = sorted(path.name for path in Path("data/raw").iterdir())
    assert left == ["0005-orders.parquet", "0006-orders.parquet"]
    rows = [pl.read_parquet(Path("data/raw") / name)["nr"].cast(pl.String) for name in left]
    assert not {"60", "7"} & set(pl.concat(rows))
    with pytest.raises(UserError, match=r"0001-orders\.csv is not here"):
        content(4)
    update(written(make_records([5], 1), "news.csv"))
    assert content() == before | make_records([5], 1)


@pytest.mark.parametrize("policy", ["keep_first", "reject", "keep_all"])
def test_added_rows_that_share_a_key_follow_the_policy(project: Path, policy: str) -> None:
    start(make_records(range(100)))
    Contract.load().model_copy(update={"duplicates": policy}).save()
    says = add(written({5: (99.5, "b", True), 300: (1.5, "a", False)}, "more.csv"))
    counts = {
        "keep_first": "1 added, 1 unchanged",
        "reject": "1 added, 1 deleted",
        "keep_all": "2 added, 1 unchanged",
    }
    assert says[-1] == f"version 2: {counts[policy]}"
    assert verify_log()


def test_a_table_without_keys_is_deleted_from_by_condition_only(project: Path) -> None:
    add(written(make_records(range(100)), "orders.csv"), target="late", ignore=["nr"])
    with pytest.raises(UserError, match="updated by their key"):
        update("orders.csv")
    with pytest.raises(UserError, match="by --where"):
        delete(["7"])
    kept = [size for size, _, _ in make_records(range(100)).values() if size <= 50]
    assert delete(where="size > 50") == [f"version 2: {100 - len(kept)} deleted"]
    assert show(only_count=True) == [str(len(kept))]
    assert verify_log()


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (delete, "say which"),
        (lambda: delete(["1"], where="nr = 1"), "say which"),
        (lambda: delete(["one"]), "'one' is no integer, as the key nr is"),
        (lambda: delete(where="nr >"), "cannot be read .*write a condition"),
        (lambda: delete(where="price > 3"), "cannot be read"),
        (lambda: delete(where="nr + 1"), "is no condition"),
        (lambda: show(where="price > 3"), "cannot be read"),
        (lambda: show(version=7), "no version 7"),
        (lambda: export("orders.xls"), "must end in .csv"),
        (lambda: export("orders.csv"), "is there already; say --replace"),
        (lambda: export("sqlite:///out.db"), "name the table"),
        (lambda: update("orders.csv", cursor="nr"), "go with a database"),
        (lambda: update("postgresql://me:secret@host/db?orders"), "leave the password out"),
        (lambda: add("postgresql://host/db?orders&password=secret"), "leave the password out"),
        (lambda: export("postgres://me:secret@host/db?orders"), "leave the password out"),
    ],
)
def test_a_mistake_changes_nothing_and_is_one_sentence(
    project: Path, action: object, says: str
) -> None:
    start(make_records(range(100)))
    before = change_log.LOG.read_bytes()
    with pytest.raises(UserError, match=says) as caught:
        action()  # type: ignore[operator]
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert change_log.LOG.read_bytes() == before
    assert verify_log()


def test_a_dry_run_tells_the_effect_and_changes_nothing(project: Path) -> None:
    start(make_records(range(100)))
    before = sorted(str(path) for path in Path("data").rglob("*"))
    news = written(make_records(range(90, 110), 7), "news.csv")
    would = "this is what it would do; nothing changed"
    for says in (
        add(news, dry_run=True),
        update(news, dry_run=True),
        delete(["1"], dry_run=True),
        add(news, target="shop", replace=True, dry_run=True),
    ):
        assert says[-1] == would
        assert any(line.startswith("version 2: ") for line in says)
    assert sorted(str(path) for path in Path("data").rglob("*")) == before
    assert Contract.load().target.name == "late"
    assert verify_log()


def test_records_are_shown_as_asked(project: Path) -> None:
    start(make_records(range(100)))
    assert show(only_count=True) == ["100"]
    assert show(where="nr < 2", form="csv") == [
        "nr,size,shop,late",
        "0,0.5,a,false",
        "1,37.5,b,true",
    ]
    assert show(where="nr = 1", form="json") == ['{"nr":1,"size":37.5,"shop":"b","late":true}']
    assert len(show(head=3, form="csv")) == 4
    assert len(show(head=0, form="csv")) == 101
    assert any("37.5" in line for line in show())


@pytest.mark.parametrize(
    "target", ["out.csv", "out.jsonl", "out.parquet", "sqlite:///out.db?orders"]
)
def test_what_is_exported_comes_back_the_same(project: Path, target: str) -> None:
    start(make_records(range(100)))
    delete(["7"])
    assert "99 records" in export(target)[0]
    assert "5 records" in export(target, where="nr < 5", replace=True)[0]
    assert "99 records" in export(target, replace=True)[0]
    assert update(target)[-1].endswith("is here already; nothing changed")


def test_a_database_is_read_on_from_where_it_was(project: Path) -> None:
    start(make_records(range(100)))
    with closing(sqlite3.connect("shop.db")) as shop:
        shop.execute("create table orders (nr integer, size real, shop text, late text, seen text)")
        rows = [(n, n + 0.5, "a", "yes", f"2024-01-{1 + n % 9:02}") for n in range(50)]
        shop.executemany("insert into orders values (?, ?, ?, ?, ?)", rows)
        shop.commit()
        source = "sqlite:///shop.db?orders"
        assert update(source, cursor="seen") == ["version 2: 50 updated"]
        assert change_log.read_log()[-1].reached == "2024-01-09"
        assert update(source, cursor="seen") == ["orders.parquet is here already; nothing changed"]
        shop.execute("insert into orders values (7, 70.5, 'b', 'no', '2024-01-20')")
        shop.execute("insert into orders values (500, 1.5, 'b', 'no', '2023-01-01')")
        shop.commit()
        assert update(source, cursor="seen")[0].startswith("version 3: 1 updated")
        assert 500 not in content()
        shop.execute("delete from orders where seen >= '2024-01-20'")
        shop.commit()
        assert update(source, cursor="seen") == [f"nothing is new in {source}; nothing changed"]


def test_a_changed_contract_begins_a_new_account(project: Path) -> None:
    start(make_records(range(100)))
    Contract.load().model_copy(update={"duplicates": "reject"}).save()
    assert "contract.yaml was changed since version 1" in verify_log()[0]
    delete(["7"])
    assert verify_log()[0].startswith("version 2: made again")


def test_a_tampered_file_or_log_is_noticed(project: Path) -> None:
    start(make_records(range(100)))
    delete(["7"])
    raw = Path("data/raw/0001-orders.csv")
    raw.write_text(raw.read_text().replace("37.5", "38.5"))
    with pytest.raises(UserError, match="a file in data/raw was changed"):
        verify_log()
    log = change_log.LOG.read_text()
    change_log.LOG.write_text(log.replace('"before":"', '"before":"0'))
    with pytest.raises(UserError, match="does not begin where version 1 ended"):
        verify_log()
    change_log.LOG.write_text(f"<<<<<<< HEAD\n{log}")
    with pytest.raises(UserError, match="line 1 is not one change"):
        verify_log()
