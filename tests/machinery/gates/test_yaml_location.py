import pytest
import yaml
from mlops.gates.yaml_location import Entry, find_line, list_column_entries

PARAMS = """\
# HOW
train: {candidates: [linear]}

gates:
  min_lift: 0.01   # a comment
  "max_loss": 0.0
storage:
  local: {max_read_p99_ms: null,
          min_read_mb_s: 3}
"""
CONTRACT = """\
id: orders
schema:
  - name: orders
    properties:
      - name: size
        logicalType: integer
      - {name: "weight, kg"}
      - logicalType: string
        name: a.b
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("train", 2),
        ("train.candidates", 2),
        ("gates", 4),
        ("gates.min_lift", 5),
        ("gates.max_loss", 6),
        ("storage.local.min_read_mb_s", 9),
        ("gates.min_value", None),
        ("gates.min_lift.deeper", None),
        ("missing.min_lift", None),
    ],
)
def test_an_entry_is_found_where_it_stands(path, expected):
    assert find_line(PARAMS, tuple(path.split("."))) == expected


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words"])
def test_what_holds_no_entries_has_none(text):
    assert find_line(text, ("gates", "min_lift")) is None


def test_each_entry_of_a_longer_file_is_found():
    names = {f"key {number}": {"inside": number} for number in range(50)}
    text = yaml.safe_dump(names, sort_keys=False)
    found = [find_line(text, (name, "inside")) for name in names]
    assert found == [2 * number for number in range(1, 51)]


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "contract.yaml").write_text(CONTRACT)


@pytest.mark.parametrize(
    ("name", "expected"), [("size", 5), ("weight, kg", 7), ("a.b", 8), ("", 4)]
)
def test_columns_of_the_contract_go_by_their_name(files, name, expected):
    assert Entry("contract.yaml", name).line == expected


def test_a_key_of_several_columns_is_among_all_of_them(files):
    assert str(Entry("contract.yaml", "size, a.b")) == "contract.yaml:4 size, a.b"


def test_an_entry_names_itself(files):
    assert str(Entry("params.yaml", "gates.min_lift")) == "params.yaml:5 gates.min_lift"
    assert str(Entry("contract.yaml")) == "contract.yaml:4 columns"
    assert [str(entry) for entry in list_column_entries(["size", "size"])] == [
        "contract.yaml:5 size"
    ]


def test_an_entry_that_is_left_out_says_so(files):
    unset = "(not set there, so the default applies)"
    assert str(Entry("params.yaml", "gates.min_value")) == f"params.yaml gates.min_value {unset}"
    assert str(Entry("problem.yaml", "kpi")) == "problem.yaml kpi (not there yet)"
