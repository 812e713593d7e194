"""JSON in the shapes that people bring, each with the same records."""

import gzip
import json
from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.records.inspection import inspect

from delivering import bring, read, refusal

RECORDS = [
    {"id": 1, "a": 0.1, "buyer": {"town": "Köln", "at": {"x": 2**60}, "*": True}},
    {"id": 2, "a": None, "buyer": None},
    {"id": 3, "a": 1e-7, "buyer": {"town": "y"}},
]
NAMES = ["id", "a", "buyer.town", "buyer.at.x", "buyer.*"]
ROWS = [(1, 0.1, "Köln", 2**60, True), (2, None, None, None, None), (3, 1e-7, "y", None, None)]
LIST = json.dumps(RECORDS, ensure_ascii=False)
LINES = "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in RECORDS)
WRAPPED = json.dumps({"meta": {"n": 3}, "data": {"items": RECORDS}}, indent=1)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(content: str | bytes, name: str) -> Path:
    path = Path(name)
    body = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    return path


@pytest.mark.parametrize(
    ("content", "name", "options"),
    [
        (LIST, "t.json", {}),
        (json.dumps(RECORDS, indent=2), "t.json", {}),
        (LINES, "t.jsonl", {}),
        (LINES, "t.json", {}),
        (LINES, "T.JSON.gz", {}),
        (LIST, "t.jsonl", {}),
        (LIST, "t.ndjson.gz", {}),
        ("\ufeff" + LIST, "t.json", {}),
        ("\ufeff" + LINES, "t.jsonl", {}),
        ("\ufeff" + LINES, "t.json.gz", {}),
        (LINES.encode("utf-16"), "t.jsonl", {}),
        (LINES.encode("cp1252"), "t.jsonl", {"encoding": "cp1252"}),
        (WRAPPED, "t.json", {"records": "data.items"}),
        ("\ufeff" + WRAPPED, "t.json.gz", {"records": "data.items"}),
        (json.dumps({"data.items": RECORDS}), "t.json", {"records": "data.items"}),
        (
            f'{{"d": {json.dumps(RECORDS[:2])}}}\n{{"d": {json.dumps(RECORDS[2:])}}}\n',
            "t.jsonl",
            {"records": "d"},
        ),
    ],
)
def test_every_shape_gives_the_same_records(
    content: str | bytes, name: str, options: dict[str, str]
) -> None:
    table = read(write(content, name), **options)
    assert table.columns == NAMES
    assert table.rows() == ROWS


def test_another_shape_than_the_name_says_is_told_and_lands_as_it_came() -> None:
    (delivery,) = bring(write(LINES, "t.json"))
    assert delivery.notices == ("t.json holds a record a line, and is read so",)
    assert delivery.path.name == "t.jsonl"
    assert delivery.path.read_text() == LINES


def test_one_record_a_line_may_be_one_line() -> None:
    assert read(write('{"a": 1}\n', "t.jsonl")).rows() == [(1,)]


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (WRAPPED, {}, "holds its records in a member: say --records data.items."),
        (json.dumps({"a": RECORDS, "b": RECORDS}), {}, "say --records a or --records b."),
        (WRAPPED, {"records": "data"}, "'data' is no list of records; such lists are: data.items."),
        (LIST, {"records": "data"}, "is a list of records itself: leave out --records data"),
        ('{"id": 1}', {}, "is one object, not a list of records"),
        ('{"id": {"0": 1, "1": 2}}', {}, "orient='records'"),
        ('{"id": 1,\n"b"', {}, "is not whole"),
        ('{"id": 1,\n"b"', {"records": "b"}, "is not whole"),
        (
            '[{"id": 1, "tags": ["a", "b"]}]',
            {},
            "column 'tags' holds lists, where a cell holds one",
        ),
        ('[{"id": 1, "a": {"b": 1}, "a.b": 2}]', {}, "row 1 has column 'a.b' twice"),
        (LIST, {"skip": 1}, "--skip does not go with JSON, which takes --encoding, --records"),
    ],
)
def test_what_is_in_doubt_is_one_sentence(
    content: str, options: dict[str, object], says: str
) -> None:
    assert says in refusal(write(content, "t.json"), **options)


def test_records_within_the_only_line_are_asked_for() -> None:
    assert "say --records d" in refusal(write(json.dumps({"d": RECORDS}), "t.jsonl"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.jsonl", '{"id": 1, "v": 1, "v": 2}\n{"id": 2, "v": 3, "v": 4}\n'),
        ("t.json", '[{"id": 1, "v": 1, "v": 2}, {"id": 2, "v": 3, "v": 4}]'),
    ],
)
def test_a_member_that_a_record_gives_twice_is_refused(
    name: str, text: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match="a record has the member 'v' twice"):
        inspect(tmp_path / name)
