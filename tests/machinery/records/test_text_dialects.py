"""Text tables as other programs write them: the values of the plain one, or one question."""

import gzip
import re
from pathlib import Path

import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.records.reading_options import Reading

from delivering import bring, read, refusal

HEAD, ROWS = "id,a,y\n", "0,0.5,yes\n1,4.2,no\n2,7.9,no\n"
PLAIN = HEAD + ROWS
TABLE = pl.DataFrame({"id": ["0", "1", "2"], "a": ["0.5", "4.2", "7.9"], "y": ["yes", "no", "no"]})


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(content: str | bytes, name: str = "t.csv") -> Path:
    path = Path(name)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_plain_table_is_taken_as_it_came() -> None:
    for packed in (PLAIN.encode(), gzip.compress(PLAIN.encode())):
        source = write(packed, "t.csv.gz" if packed[:1] == b"\x1f" else "t.csv")
        (delivery,) = bring(source)
        assert delivery.path.read_bytes() == packed
        assert delivery.path != source
        assert delivery.notices == ()


@pytest.mark.parametrize(
    ("content", "notice"),
    [
        ("# exported by tool\n# 2024-01-01\n" + PLAIN, "2 line(s) of remarks above the header"),
        ("\n# exported by a, b\n\n" + PLAIN, "3 line(s) of remarks above the header"),
        ("sep=,\n" + PLAIN, "the first line, sep=,, is left out"),
        ('"sep=;"\r\n' + PLAIN.replace(",", ";").replace("\n", "\r\n"), "sep=;"),
        ("\ufeffSEP=\t\n" + PLAIN.replace(",", "\t"), "the first line"),
        ("sep=;\n# exported\n" + PLAIN.replace(",", ";"), "such as '# exported'"),
        (PLAIN.replace("\n", ",\n"), "each row ends in ','"),
        (HEAD + ROWS.replace("\n", ",\n"), "each row ends in ','"),
        (PLAIN.replace("\n", "\r"), "lines end in a carriage return"),
        (PLAIN.encode("utf-16"), "is in UTF-16"),
        ("\ufeff".encode("utf-16-be") + PLAIN.encode("utf-16-be"), "is in UTF-16"),
        (PLAIN.encode("utf-32"), "is in UTF-32"),
        (
            ("# x\n" + PLAIN.replace("\n", ",\n")).replace("\n", "\r").encode("utf-16"),
            "each row ends in ','",
        ),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_beyond_doubt_is_done_and_told(
    content: str | bytes, notice: str, packed: bool
) -> None:
    body = content if isinstance(content, bytes) else content.encode()
    source = write(gzip.compress(body), "t.csv.gz") if packed else write(body)
    assert read(source).equals(TABLE)
    (delivery,) = bring(source)
    assert any(notice in line for line in delivery.notices)


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("Sales 2024\n\n" + PLAIN, {"skip": 2}),
        ("Sales 2024,,\n,,\n" + PLAIN, {"skip": 2}),
        ("by,shop\nin,euros\n" + PLAIN, {"skip": 2}),
        ("# a, b, c\n# d, e, f\n" + PLAIN, {"comment": "#"}),
        (PLAIN + "# the end\n", {"comment": "#"}),
        ("// x\n" + HEAD + "//y\n" + ROWS, {"comment": "//"}),
        ("sep=;\n" + PLAIN.replace(",", ";"), {"skip": 1}),
        ("sep=;\nSales\n" + PLAIN.replace(",", ";"), {"skip": 2}),
        ("# x\nSales\n" + PLAIN, {"skip": 2}),
        (PLAIN, {"skip": 0}),
        (PLAIN.encode("utf-16-le"), {"encoding": "utf-16-le"}),
    ],
)
def test_what_is_said_is_done(content: str | bytes, options: dict[str, object]) -> None:
    assert read(write(content), **options).equals(TABLE)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Sales 2024\n\n" + PLAIN, "'Sales 2024' stands above .* --skip 2 .* --skip 0"),
        ("Sales 2024,,\n,,\n" + PLAIN, "say --skip 2 if that is the header"),
        ("# x\nSales 2024\n" + PLAIN, "say --skip 2 if that is the header"),
        ("sep=;\nSales\n" + PLAIN.replace(",", ";"), "--skip 2 .* --skip 1"),
        ("# a, b, c\n# d, e, f\n" + PLAIN, "--skip 1 if it is the header, --comment '#'"),
        (PLAIN + "# the end\n", "row 4 .* has 1 fields where the header has 3; .*--comment '#'"),
        ("by,shop\nin,euros\n" + PLAIN, "row 2 .* has 3 fields where the header has 2; .*--skip N"),
        (HEAD + ROWS.replace("\n", ",\n") + "3,1,no,7\n", "row 1 .* has 4 fields"),
        (b"\xff\xfe", "the file is empty"),
        (b"\xff\xfe" + PLAIN.encode("utf-16-le")[:-1], "--encoding utf-16 does not fit"),
    ],
)
def test_what_is_in_doubt_is_asked(content: str | bytes, says: str) -> None:
    assert re.search(says, refusal(write(content)))


def test_the_separator_that_is_said_holds_where_another_would_cut_more() -> None:
    table = read(write("sep=;\na,b,c;d\n1,1,1;2\n"))
    assert table.columns == ["a,b,c", "d"]
    assert table.rows() == [("1,1,1", "2")]


def test_old_line_ends_are_seen_beside_cells_of_several_lines() -> None:
    assert read(write('a,b\r"x\ny",1\rz,2\r')).rows() == [("x\ny", "1"), ("z", "2")]


def test_a_header_may_begin_with_a_hash() -> None:
    assert read(write("#chrom,pos\n1,2\n2,3\n")).columns == ["#chrom", "pos"]


def test_an_unnamed_column_is_kept_if_a_cell_comes_late() -> None:
    table = read(write("a,b,\n" + "1,2,\n" * 500 + "1,2,x\n"))
    assert table["column_3"].drop_nulls().to_list() == ["x"]


def test_a_comment_within_quotes_is_no_comment() -> None:
    table = read(write('a,b\n"x\n# y",1\n# z\nw,2\n'), comment="#")
    assert table.rows() == [("x\n# y", "1"), ("w", "2")]


def test_the_digest_says_what_was_taken_of_the_file() -> None:
    source = write(PLAIN)
    whole, same, part = (
        bring(source, **o)[0].sha256 for o in ({}, {"encoding": "utf-8"}, {"skip": 1})
    )
    assert whole == same != part


def test_an_option_for_another_format_is_refused() -> None:
    assert "--sheet does not go with a text file, which takes --encoding" in refusal(
        write(PLAIN), sheet="x"
    )
    pl.DataFrame({"a": [1]}).write_parquet("t.parquet")
    assert "--skip does not go with Parquet" in refusal("t.parquet", skip=1)
    with pytest.raises(UserError, match="--records does not go with a workbook"):
        Reading(records="x").refuse_all_but(("sheet",), Path("t.xlsx"), "a workbook")
