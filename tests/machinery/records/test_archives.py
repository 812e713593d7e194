"""Tables in archives, folders and cloud storage: like files, or it is said what is there."""

import zipfile
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry, known_implementations
from mlops.core.errors import UserError
from mlops.records.addresses import redact, refuse_password
from mlops.records.delivery import concatenate

from delivering import bring, read, refusal

ROWS = "id,y\n1,a\n2,b\n"
MORE = "id,y\n3,a\n"
OTHER = "name,town,age\nx,y,3\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def pack(**members: str) -> Path:
    with zipfile.ZipFile("t.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return Path("t.zip")


def lay_out(**files: str) -> Path:
    for name, content in files.items():
        path = Path("folder", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return Path("folder")


def test_the_one_table_of_an_archive_is_read() -> None:
    source = pack(**{"d/t.csv": ROWS, "d/README.md": "x", "__MACOSX/d/._t.csv": "x"})
    assert read(source).rows() == [("1", "a"), ("2", "b")]
    Path("t.csv").write_text(ROWS)
    assert bring(source)[0].sha256 == bring("t.csv")[0].sha256


def test_several_tables_of_an_archive_are_like_a_folder() -> None:
    files = {"a.csv": ROWS, "b.csv": "# x\n" + MORE}
    for source in (pack(**files), lay_out(**files)):
        assert concatenate(bring(source)).collect()["id"].to_list() == ["1", "2", "3"]


def test_archives_of_a_folder_may_hold_files_of_one_name() -> None:
    folder = lay_out()
    folder.mkdir()
    for month, content in (("jan", ROWS), ("feb", MORE)):
        pack(**{"t.csv": content}).rename(folder / f"{month}.zip")
    assert concatenate(bring(folder)).collect()["id"].to_list() == ["3", "1", "2"]


def test_a_member_stays_within_the_scratch_folder() -> None:
    (delivery,) = bring(pack(**{"../../../out.csv": ROWS}))
    assert Path.cwd() in delivery.path.resolve().parents


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"a/a.csv": ROWS, "b/b.csv": ROWS}, "holds tables in several folders (a, b)"),
        ({"a.png": "x", "b.png": "x"}, "it holds 2 .png file(s), each of which is an image"),
        ({}, "there is no table in it"),
    ],
)
def test_an_archive_without_a_table_is_said(members: dict[str, str], says: str) -> None:
    assert says in refusal(pack(**members))


def test_a_damaged_or_locked_archive_is_said() -> None:
    source = pack(**{"t.csv": ROWS * 500})
    whole = source.read_bytes()
    source.write_bytes(whole[:40] + b"\xff" * 9 + whole[49:])
    assert "t.zip cannot be unpacked" in refusal(source)
    source.write_bytes(whole[:60])
    assert "t.zip cannot be unpacked" in refusal(source)
    central = whole.rindex(b"PK\x01\x02")
    source.write_bytes(whole[: central + 8] + b"\x01\x00" + whole[central + 10 :])
    assert "is locked by a password" in refusal(source)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            {"a.jpg": "", "b.jpg": "", "c.txt": ""},
            "it holds 2 .jpg file(s), each of which is an im",
        ),
        ({"year=2024/a.csv": ROWS}, "only folders (year=2024): bring one of them"),
        ({"a.csv": ROWS, "b.csv": OTHER}, "a.csv and b.csv are different tables, with 0 columns"),
    ],
)
def test_a_folder_that_is_no_table_is_said(files: dict[str, str], says: str) -> None:
    folder = lay_out(**files)
    with pytest.raises(UserError) as caught:
        concatenate(bring(folder))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("t.pdf", "is a document, not a table"),
        ("t.docx", "is a document"),
        ("t.jpeg", "is an image"),
        ("t.pkl", "holds Python objects, which can run code"),
        ("t.h5", "holds arrays, not a table"),
        ("t.rds", "a file of a statistics package"),
        ("t.sav", "a file of a statistics package"),
        ("t.feather", "a table in a format that is not read: save it as Parquet"),
        ("t.tar.gz", "is an archive that is not read"),
        ("t.db", "is a database: name it and its table, as in sqlite:///"),
        ("t.txt", "may be a table in text"),
        ("t", "the file name must end in .csv, "),
    ],
)
def test_what_is_not_read_says_what_it_is(name: str, says: str) -> None:
    Path(name).write_text("x")
    assert says in refusal(name)


class Bucket(MemoryFileSystem):
    protocol = "s3"
    store: ClassVar[dict[str, object]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.removeprefix("s3://"))


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setitem(_registry, "s3", Bucket)
    system = Bucket()
    for name, content in {"one.csv": ROWS, "months/1.csv": ROWS, "months/2.csv": MORE}.items():
        system.pipe_file(f"/shop/{name}", content.encode())
    system.pipe_file("/shop/months/_SUCCESS", b"")
    system.pipe_file("/shop/pictures/a.png", b"x")
    return system


def test_objects_of_cloud_storage_are_like_files(bucket: Bucket) -> None:
    assert read("s3://shop/one.csv").height == 2
    assert concatenate(bring("s3://shop/months")).collect()["id"].to_list() == ["1", "2", "3"]
    assert "1 .png file(s), each of which is an image" in refusal("s3://shop/pictures")
    assert "s3://shop/none.csv cannot be fetched" in refusal("s3://shop/none.csv")


def test_a_package_that_is_not_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {"class": "gcsnowhere.FileSystem", "err": "install it"}
    monkeypatch.setitem(known_implementations, "gs", missing)
    assert "'uv add gcsnowhere' brings it" in refusal("gs://shop/t.csv")


def test_other_addresses_are_refused_and_secrets_with_them() -> None:
    assert "mysql:// is no address that a table is read from" in refusal("mysql://host/t")
    assert "leave the password out" in refusal("s3://key:secret@shop/t.csv")
    assert redact("az://shop/t.csv?sig=secret") == "az://shop/t.csv"
    refuse_password("s3://shop/12:30@noon.csv")


def test_columns_of_labels_are_refused() -> None:
    pl.DataFrame({"id": [1], "labels": [["a", "b"]]}).write_parquet("t.parquet")
    assert "column 'labels' holds lists, where a cell holds one value (or label)" in refusal(
        "t.parquet"
    )
