import json
import subprocess
import sys

import pytest
from mlops.model.package import describe_column
from mlops.serving.faults import RefusedError
from mlops.serving.models import Model, ModelContent
from mlops.serving.requests import Requests

import served


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def model(task="binary", policy="refuse", most=100):
    content = served.packed(task)
    return Model("m", ModelContent.of(content), policy, most)


def refused(body, **options):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(RefusedError) as error:
        model(**options).requests.read(content)
    return [(f.record, f.column, f.rule, f.value) for f in error.value.faults]


def parsed(record, **options):
    [only_record] = model(**options).requests.read(json.dumps(record).encode()).records
    return only_record


GOOD = {"count": 3}


@pytest.mark.parametrize(
    ("wrong", "column", "rule", "value"),
    [
        ({}, "count", "required", ""),
        ({"count": None}, "count", "required", ""),
        ({"count": 1.5}, "count", "readable", "1.5"),
        ({"count": "many"}, "count", "readable", "many"),
        ({**GOOD, "size, in cm.": -10}, "size, in cm.", "minimum", "-10"),
        ({**GOOD, "size, in cm.": 9.1}, "size, in cm.", "maximum", "9.1"),
        ({**GOOD, "kind": "z"}, "kind", "category", "z"),
        ({**GOOD, "kind": 3}, "kind", "category", "3"),
        ({**GOOD, "flag": "perhaps"}, "flag", "readable", "perhaps"),
        ({**GOOD, "born": 20130101}, "born", "readable", "20130101"),
        ({**GOOD, "born": "31.12.1999"}, "born", "readable", "31.12.1999"),
        ({**GOOD, "seen": 1385856000}, "seen", "readable", "1385856000"),
        ({**GOOD, "seen": "yesterday"}, "seen", "readable", "yesterday"),
        ({**GOOD, "seen": "0001-01-01T00:00+01:00"}, "seen", "readable", "0001-01-01T00:00+01:00"),
        ({"count": 2**63}, "count", "maximum", str(2**63)),
        ({**GOOD, "cuont": 3}, "cuont", "known column", "3"),
    ],
)
def test_a_fault_names_the_record_the_column_the_rule_and_the_value(wrong, column, rule, value):
    assert refused(wrong) == [(0, column, rule, value)]
    assert refused([GOOD, wrong]) == [(1, column, rule, value)]


@pytest.mark.parametrize("body", [b"", b"{", b"[{]", b"\xff", b'{"count": NaN}', b"17", b'"x"'])
def test_what_is_no_record_is_refused(body):
    [(_, column, rule, _)] = refused(body)
    assert (column, rule) in [(None, "JSON"), (None, "readable"), ("count", "readable")]


@pytest.mark.parametrize("names", ['"a": 1, "a": 2', '"count": 3, "count": 4', r'"a":1,"\u0061":2'])
def test_a_key_that_is_said_twice_is_refused(names):
    for body in (f'{{"count": 1, {names}}}', f'[{{"count": 1}}, {{"count": 1, {names}}}]'):
        with pytest.raises(RefusedError) as error:
            model().requests.read(body.encode())
        first = error.value.faults[0]
        assert (first.rule, first.record) == ("once", body.count('"count": 1') - 1)
        assert "stands twice" in first.message
    with pytest.raises(RefusedError):
        model().requests.read_truths(b'{"id": "ab", "truth": "yes", "truth": "no"}')
    with pytest.raises(RefusedError):
        model().requests.read_truths(b'{"key": {"id": 1, "id": 2}, "truth": "yes"}')


def test_what_looks_like_keys_but_is_none_is_read():
    odd = {**GOOD, "later": {"a": [{"b": ":"}], '":': 1}, "kind": "a"}
    assert parsed(odd)["count"] == 3
    assert parsed({**GOOD, "later": '"x": "y" :'})["count"] == 3


WIDE = b'"%x":0'
NESTED = b'"later": [' + b",".join([b"{}"] * 300_000) + b"]"
HOSTILE = {
    "unknown keys": b"{" + b",".join(WIDE % number for number in range(100_000)) + b"}",
    "unknown keys in each": b"[" + b",".join([b'{"a":0,"b":0,"c":0}'] * 45_000) + b"]",
    "of a thousand": b"["
    + b",".join([b"{" + b",".join(WIDE % n for n in range(120)) + b"}"] * 1000)
    + b"]",
    "nothing": b"[" + b",".join([b"{}"] * 300_000) + b"]",
    "numbers": b"[" + b",".join([b"0"] * 450_000) + b"]",
    "nested": b"{" + NESTED + b"}",
    "nested where a number belongs": b"{" + NESTED.replace(b"later", b"count") + b"}",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_refusing_takes_no_more_memory_than_some_times_the_request(kind):
    """In a process of its own: pydantic's own memory is not Python's."""
    script = (
        "import sys, resource, pathlib\n"
        "from mlops.serving.models import Model, ModelContent\n"
        "from mlops.serving.faults import RefusedError\n"
        "content = pathlib.Path('models/model.onnx').read_bytes()\n"
        "model = Model('m', ModelContent.of(content), 'refuse', 1000)\n"
        "body = sys.stdin.buffer.read()\n"
        "most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = most()\n"
        "try:\n"
        "    model.requests.read(body)\n"
        "except RefusedError as error:\n"
        "    print(len(error.faults), (most() - before) * 1024)\n"
    )
    served.register(served.packed())
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, input=HOSTILE[kind], capture_output=True, check=True)
    faults, taken = map(int, done.stdout.split())
    assert 1 <= faults <= 100
    assert taken < 80_000_000


def test_as_many_records_as_are_allowed():
    assert len(model(most=3).requests.read(json.dumps([GOOD] * 3).encode()).records) == 3
    assert refused([GOOD] * 4, most=3)[0][2] == "number of records"
    assert refused([])[0][2] == "number of records"


@pytest.mark.parametrize(
    ("name", "given", "cell"),
    [
        ("kind", " b ", "b"),
        ("kind", "alpha", "a"),
        ("kind", "", None),
        ("kind", "NA", None),
        ("count", "12", 12),
        ("flag", "yes", True),
        ("flag", 0, False),
        ("size, in cm.", None, None),
    ],
)
def test_cells_are_cleaned_as_the_contract_says(name, given, cell):
    assert parsed(GOOD | {name: given})[name] == cell


def test_times_are_taken_to_utc():
    assert parsed({**GOOD, "seen": "2020-01-01T05:30:00+02:00"})["seen"].hour == 3
    assert parsed({**GOOD, "seen": "2020-01-01 05:30:00"})["seen"].hour == 5


def test_what_is_not_known_yet_may_be_sent_and_is_not_read():
    both = (parsed(GOOD), parsed({**GOOD, "later": "x"}))
    one, other = (model().answers(model().feed([each])) for each in both)
    assert one == other


def test_by_policy_a_value_outside_the_limits_is_scored_and_counted():
    body = json.dumps([{**GOOD, "kind": "z"}, {**GOOD, "kind": "y", "size, in cm.": 99}]).encode()
    batch = model(policy="score").requests.read(body)
    assert batch.unexpected == {("kind", "category"): 2, ("size, in cm.", "maximum"): 1}
    assert [record["kind"] for record in batch.records] == ["z", "y"]
    assert refused({**GOOD, "count": "many", "kind": "z"}, policy="score")
    assert refused({"count": 10**400}, policy="score")[0][2] == "maximum"


@pytest.mark.parametrize(
    ("task", "truth", "wrong"),
    [("binary", "yes", "maybe"), ("multiclass", "low", "lowest"), ("regression", 7.5, "much")],
)
def test_truths_are_of_the_target(task, truth, wrong):
    requests = model(task).requests
    by_key = {"key": {"id": "7"}, "truth": truth}
    body = json.dumps([{"id": "abc", "truth": truth}, by_key]).encode()
    assert requests.read_truths(body) == [
        {"id": "abc", "truth": truth},
        {"key": {"id": 7}, "truth": truth},
    ]
    both = {"id": "abc"} | by_key
    wrong_ids = [{"id": wrong_id, "truth": truth} for wrong_id in (3, "", "\0", "Z")]
    assert refused_truth(requests, {"id": "abc", "truth": True})
    for fault in ({"id": "abc", "truth": wrong}, {"truth": truth}, both, *wrong_ids):
        assert len(refused_truth(requests, fault)) == 1


def refused_truth(requests, truth):
    with pytest.raises(RefusedError) as error:
        requests.read_truths(json.dumps(truth).encode())
    return [(f.column, f.rule, f.message) for f in error.value.faults]


def test_a_fault_of_a_truth_is_told_of_the_form_that_was_meant():
    requests = model().requests
    [(column, rule, message)] = refused_truth(requests, {"key": "7", "truth": "yes"})
    assert (column, rule) == ("key", "readable")
    assert message.endswith('write an object: {"column": value}')
    [(column, rule, _)] = refused_truth(requests, {"key": {"id": "x"}, "truth": "yes"})
    assert (column, rule) == ("id", "readable")
    [(column, rule, message)] = refused_truth(requests, {"truth": "yes"})
    assert (column, rule) == (None, "required")
    assert '"id" of a prediction or the "key" of a record' in message


@pytest.mark.parametrize(
    ("classes", "given", "meant"),
    [
        (["false", "true"], True, "true"),
        (["false", "true"], 0, "false"),
        (["false", "true"], "yes", "true"),
        (["0", "1"], 1, "1"),
        (["0", "1"], 0.0, "0"),
        (["0", "1"], "1", "1"),
        (["no", "yes"], "yes", "yes"),
    ],
)
def test_a_class_may_be_told_as_the_json_value_of_its_name(classes, given, meant):
    requests = Requests(model().meta | {"classes": classes}, "refuse", 100)
    truths = requests.read_truths(json.dumps({"key": {"id": 7}, "truth": given}).encode())
    assert truths == [{"key": {"id": 7}, "truth": meant}]
    [(column, _, message)] = refused_truth(requests, {"id": "abc", "truth": "perhaps"})
    assert column == "truth"
    assert "; write " in message


@pytest.mark.parametrize(
    ("wrong", "wanted"),
    [
        ({"count": 1.5}, "write a whole number"),
        ({**GOOD, "born": "03.01.2025"}, "write it as 2025-01-03"),
        ({**GOOD, "seen": "03.01.2025"}, "write it as 2025-01-03T14:30:00"),
        ({**GOOD, "kind": "z"}, "write one of 'a', 'b' or 'ç'"),
        ({**GOOD, "size, in cm.": -10}, "write at least -9.0"),
        ({**GOOD, "flag": "perhaps"}, "write true or false"),
        ({**GOOD, "cuont": 3}, "leave it out"),
    ],
)
def test_a_fault_says_what_is_wanted(wrong, wanted):
    with pytest.raises(RefusedError) as error:
        model().requests.read(json.dumps(wrong).encode())
    [fault] = error.value.faults
    assert fault.message.endswith(f"'; {wanted}")


def test_of_many_categories_some_are_told():
    meta = model().meta
    many = [str(number) for number in range(1000)]
    columns = [c | {"categories": many} if c["name"] == "kind" else c for c in meta["columns"]]
    with pytest.raises(RefusedError) as error:
        Requests(meta | {"columns": columns}, "refuse", 1).read(b'{"count": 3, "kind": "z"}')
    [fault] = error.value.faults
    assert "write one of '0', '1', '2', " in fault.message
    assert fault.message.endswith(" ...")
    assert len(fault.message) < 200


@pytest.mark.parametrize("required", [True, False])
def test_categories_that_are_only_known_are_examples_and_no_rule(required):
    meta = model().meta
    known = {"categories": None, "known_categories": ["a", "b"], "required": required}
    columns = [c | known if c["name"] == "kind" else c for c in meta["columns"]]
    requests = Requests(meta | {"columns": columns}, "refuse", 1)
    [record] = requests.read(b'{"count": 3, "kind": " new shop "}').records
    assert record["kind"] == "new shop"
    [answer] = model().answers(model().feed([record]))
    assert 0 <= answer["score"] <= 1
    document = json.dumps(requests.records.one.json_schema())
    assert '"examples": ["a", "b"]' in document
    assert '"enum": ["a", "b"]' not in document


def test_a_model_holds_the_categories_that_its_contract_knows_and_no_empty_list():
    contract, _ = served.contract_and_rows()
    known = contract["kind"].model_copy(update={"known_categories": ("a", "b")})
    assert describe_column(known)["known_categories"] == ["a", "b"]
    assert "known_categories" not in describe_column(contract["kind"])
