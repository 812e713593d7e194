import errno
import gzip
import os
import shutil
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mlops.core.errors import UserError
from mlops.data.change_log import locate_landed_parts
from mlops.data.contract import Contract
from mlops.data.sources import scan_file
from mlops.records.delivery import make_stem
from mlops.records.intake import add
from mlops.records.reading_options import Reading

from samples import bundled

HEAD = "nr,size,shop,late\n"


def rows(first: int, last: int) -> str:
    lines = (
        f"{n},{n * 37 % 101}.5,{'ab'[n % 2]},{'yes' if n % 3 else 'no'}" for n in range(first, last)
    )
    return "\n".join(lines) + "\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def orders(tmp_path: Path) -> str:
    path = tmp_path / "orders.csv"
    path.write_text(HEAD + rows(0, 100))
    return str(path)


def state() -> dict[str, bytes]:
    files = (path for path in Path().rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path): path.read_bytes() for path in files}


def names() -> list[str]:
    return sorted(path.name for path in Path("data/raw").glob("[0-9]*"))


def test_the_first_table_brings_its_contract(project: Path, orders: str) -> None:
    says = add(orders, target="late", key="nr")
    assert names() == ["0001-orders.csv"]
    assert Path("data/raw/0001-orders.csv").read_bytes() == Path(orders).read_bytes()
    assert Contract.load().task == "binary"
    assert "100 rows" in says[0]
    assert "review it" in says[-1]
    assert not list(Path("data/raw").glob(".landing*"))


def test_rows_that_break_the_contract_are_said_with_their_faults(
    project: Path, orders: str, tmp_path: Path
) -> None:
    add(orders, target="late", key="nr")
    more = tmp_path / "more.csv"
    more.write_text(HEAD + rows(100, 120) + "120,wide,a,no\n121,7.5,x,no\n122,tall,a,no\n")
    fault = "size breaks the rule readable in 2, such as 'wide'"
    assert f"2 of 23 rows break the contract: {fault}" in add(str(more))


def test_the_first_table_needs_a_target(project: Path, orders: str) -> None:
    with pytest.raises(UserError, match=r"needs --target.*nr, size, shop, late"):
        add(orders)


def test_more_rows_keep_the_contract(project: Path, orders: str, tmp_path: Path) -> None:
    add(orders, target="late", key="nr")
    contract = Path("contract.yaml").read_bytes()
    more = tmp_path / "more.jsonl"
    more.write_text('{"late":"yes","nr":101,"size":1.5,"shop":"a","extra":1}\n')
    says = add(str(more))
    assert names() == ["0001-orders.csv", "0002-more.jsonl"]
    assert says == [
        "more.jsonl has landed as data/raw/0002-more.jsonl (1 rows)",
        "version 2: 1 added",
        "more.jsonl has a new column, extra (such as '1'), which contract.yaml lacks and nothing "
        f"reads: take it in with 'uv run mlops data evolve {more}'",
    ]
    assert Path("contract.yaml").read_bytes() == contract


def test_a_missing_column_is_refused(project: Path, orders: str, tmp_path: Path) -> None:
    add(orders, target="late", key="nr")
    before = state()
    (tmp_path / "more.csv").write_text("nr,late\n101,yes\n")
    with pytest.raises(UserError, match="lacks column size, shop, which"):
        add(str(tmp_path / "more.csv"))
    assert state() == before


def test_the_same_bytes_twice_change_nothing(project: Path, orders: str) -> None:
    add(orders, target="late")
    before = state()
    assert "nothing changed" in add(orders)[0]
    assert "nothing changed" in add(orders, target="late")[0]
    assert state() == before


def test_another_table_needs_replace(project: Path, orders: str) -> None:
    add(orders, target="late")
    before = state()
    with pytest.raises(UserError, match=r"a table is here already \(0001-orders.csv\).*--replace"):
        add(orders, target="shop")
    assert state() == before
    add(orders, target="shop", replace=True)
    assert names() == ["0002-orders.csv"]
    assert Contract.load().target.name == "shop"


def test_an_untouched_sample_steps_aside(project: Path, orders: str) -> None:
    raw = Path("data/raw")
    raw.mkdir(parents=True)
    sample = raw / "0001-sample.csv"
    sample.write_text(HEAD)
    bundled(sample)
    Path("contract.yaml").write_text("the sample's")
    Path("problem.yaml").write_text("name: Orders\n")
    says = add(orders, target="late")
    assert "the bundled sample 0001-sample.csv is replaced" in says
    assert names() == ["0002-orders.csv"]
    assert not sample.exists()


def test_a_folder_lands_as_several_files(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "months"
    folder.mkdir()
    (folder / "jan.csv").write_text(HEAD + rows(0, 50))
    (folder / "feb.csv").write_text("late,nr,size,shop\nno,51,1.5,a\nyes,52,900,b\n")
    add(str(folder), target="late", key="nr")
    assert names() == ["0001-months.csv", "0002-months.csv"]
    assert Contract.load()["size"].maximum > 1000
    (folder / "mar.csv").write_text("nr,late\n1,yes\n")
    with pytest.raises(UserError, match=r"mar\.csv lacks column size, shop"):
        add(str(folder), target="late", replace=True)


def test_a_database_table_lands_as_parquet(project: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE orders (nr INTEGER, size REAL, late TEXT)")
        many = [(n, n * 37 % 101 + 0.5, "yes" if n % 3 else "no") for n in range(100)]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", many)
        connection.commit()
    says = add(f"sqlite:///{tmp_path}/shop.db?table=orders", target="late", key="nr")
    assert names() == ["0001-orders.parquet"]
    assert "100 rows" in says[0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"key": "nr"}, "options go with --target"),
        ({"replace": True}, "options go with --target"),
        ({"target": "late", "task": "guess"}, "--task must be binary, multiclass, regression"),
        ({"target": "late", "dates": ["nr"]}, "write it as"),
        ({"target": "late", "dates": ["nr=%Y%m%d"]}, "of --dates does not read '0'"),
        ({"target": "nope"}, "no column 'nope'"),
    ],
)
def test_wrong_options_change_nothing(
    project: Path, orders: str, options: dict[str, object], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        add(orders, **options)
    assert not state()


def test_a_full_disk_leaves_the_old_state(
    project: Path, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(orders, target="late")
    before = state()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        add(orders, target="shop", replace=True)
    assert state() == before


def test_what_a_killed_run_left_is_cleared_away(project: Path, orders: str) -> None:
    left = Path("data/raw/.landing-0001")
    left.mkdir(parents=True)
    (left / "0000.csv").write_text("half a fi")
    Path("data/raw/0001-old.csv").write_text("renamed, but not in the log")
    add(orders, target="late")
    assert not left.exists()
    assert names() == ["0001-orders.csv"]


def test_dvc_keeps_what_has_landed(project: Path, orders: str) -> None:
    Path(".dvc").mkdir()
    Path(".git").mkdir()
    Path(".dvc/config").write_text("[core]\n    no_scm = true\n")
    add(orders, target="late")
    track = Path("data/raw/0001-orders.csv.dvc")
    assert "md5" in track.read_text()
    track.unlink()
    assert "nothing changed" in add(orders)[0]
    assert track.exists()


def test_when_dvc_refuses_that_is_said(
    project: Path, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".dvc").mkdir()
    Path(".git").mkdir()
    refuse = "#!/bin/sh\necho ERROR: it is in git >&2\nexit 1\n"
    Path("refuse").write_text(refuse)
    Path("refuse").chmod(0o755)
    monkeypatch.setattr(sys, "executable", "./refuse")
    with pytest.raises(UserError, match="has landed, but 'dvc add' refused it: it is in git"):
        add(orders, target="late")


# ---- where tables come from


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            if "broken" not in self.path:
                super().do_GET()
                return
            self.send_response(200)
            self.send_header("Content-Length", "999")
            self.end_headers()
            self.wfile.write(b"a,b\n1,2\n")

    handler = partial(Handler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_url_is_fetched_whole(project: Path, tmp_path: Path, orders: str, site: str) -> None:
    shutil.copy(orders, tmp_path / "my orders.csv")
    add(f"{site}/my%20orders.csv?day=1", target="late")
    assert names() == ["0001-my-orders.csv"]
    assert Path("data/raw/0001-my-orders.csv").read_bytes() == Path(orders).read_bytes()
    assert "nothing changed" in add(Path(orders).as_uri())[0]


def test_a_folder_is_taken_in_order_of_names(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "months"
    folder.mkdir()
    (folder / "b.csv").write_text(HEAD + rows(0, 50))
    (folder / "a.csv.gz").write_bytes(gzip.compress((HEAD + rows(50, 90)).encode()))
    (folder / "README.md").write_text("about")
    add(str(folder), target="late")
    assert names() == ["0001-months.csv.gz", "0002-months.csv"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_another_encoding_lands_as_utf_8(
    project: Path, tmp_path: Path, encoding: str, packed: bool
) -> None:
    content = ("größe;späť\n" + "1,5;nö\n2,5;ja\n" * 9).replace("ť", "t").encode(encoding)
    path = tmp_path / ("t.csv" + ".gz" * packed)
    path.write_bytes(gzip.compress(content) if packed else content)
    add(str(path), target="spät", reading=Reading(encoding=encoding))
    assert scan_file(locate_landed_parts()[0].path).collect().row(0) == ("1,5", "nö")


@pytest.mark.parametrize(
    ("source", "options", "says"),
    [
        ("none.csv", {}, "no such file"),
        ("empty", {}, "no table in it"),
        ("late.csv", {"reading": Reading(encoding="utf-99")}, "utf-99 does not fit: unknown"),
        ("late.csv", {"reading": Reading(encoding="ascii")}, "ascii does not fit"),
        ("late.csv", {}, "line 2 is not UTF-8"),
        ("late.csv", {"query": "SELECT 1"}, "--query and --cursor go with a database"),
        ("sqlite:///shop.db", {}, "name the table at its end"),
        ("sqlite:///none.db?orders", {}, "no such database file"),
        ("sqlite:///none.db?table=orders", {}, "no such database file"),
        ("/none.csv", {}, "cannot be fetched .*File not found"),
        ("/broken.csv", {}, "retrieval incomplete"),
        ("/page", {}, "the file name must end in"),
    ],
)
def test_a_source_that_fails_is_one_sentence(
    project: Path, site: str, source: str, options: dict[str, Any], says: str
) -> None:
    Path("empty").mkdir()
    Path("late.csv").write_bytes("nr,late\n1,é\n".encode("latin-1"))
    before = state()
    with pytest.raises(UserError, match=says) as caught:
        add(f"{site}{source}" if source.startswith("/") else source, target="late", **options)
    assert "\n" not in str(caught.value)
    assert state() == before


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("My Orders (é) 2013.CSV.gz", "my-orders-2013"),
        ("data_set.json", "data-set"),
        ("months", "months"),
        ("....csv", "table"),
    ],
)
def test_the_table_is_called_after_its_file(file: str, name: str) -> None:
    assert make_stem(file) == name


DRAFTED = """\
name: Orders  # ours
decision: Which orders?
value:
  unit: points
  # of four outcomes
  true_positive: 1.0
  false_positive: -1.0
  false_negative: 0.0
  true_negative: 0.0
"""


def test_the_value_of_a_rare_class_is_drafted_by_how_rare_it_is(
    project: Path, tmp_path: Path
) -> None:
    table = tmp_path / "fraud.csv"
    cells = (f"{n},{n * 37 % 101}.5,a,{'yes' if n % 100 == 0 else 'no'}\n" for n in range(1000))
    table.write_text(HEAD + "".join(cells))
    Path("problem.yaml").write_text(DRAFTED)
    says = add(str(table), target="late", key="nr")
    assert any("drafted to be worth 99 where a false alarm costs 1" in line for line in says)
    text = Path("problem.yaml").read_text()
    assert text == DRAFTED.replace("true_positive: 1.0", "true_positive: 99.0")


@pytest.mark.parametrize("change", [("points", "EUR"), ("-1.0", "-2.0")])
def test_what_a_person_says_outcomes_are_worth_stays(
    project: Path, orders: str, change: tuple[str, str]
) -> None:
    said = DRAFTED.replace(*change)
    Path("problem.yaml").write_text(said)
    add(orders, target="late", key="nr")
    assert Path("problem.yaml").read_text() == said


def test_where_no_class_is_rare_the_draft_stays(project: Path, tmp_path: Path) -> None:
    table = tmp_path / "even.csv"
    cells = (f"{n},{n * 37 % 101}.5,a,{'yes' if n % 2 else 'no'}\n" for n in range(200))
    table.write_text(HEAD + "".join(cells))
    Path("problem.yaml").write_text(DRAFTED)
    assert not any("problem.yaml" in line for line in add(str(table), target="late", key="nr"))
    assert Path("problem.yaml").read_text() == DRAFTED
