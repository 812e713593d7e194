"""Each kind of finding: found where it is planted, and silent where it looks alike but is right."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from mlops.data.column_names import ROW
from mlops.profile.shift import Arrival

from planted import ROWS, contract_of, findings, profile, rng, table

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
Y = table()["y"].to_numpy()
DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=i // 10) for i in range(ROWS)]
PLAIN = table()


def keep(condition, values):
    """The values where the condition holds, else none."""
    return pl.Series(values).zip_with(pl.Series(condition), pl.Series([None] * ROWS))


def texts(*parts):
    return ["".join(map(str, each)) for each in zip(*parts, strict=True)]


NUMBERS = list(range(ROWS))
LABS = np.round(rng().normal(20, 4, ROWS), 1)
PEOPLE = rng().integers(0, 240, ROWS)

PLANTED = {
    "leak": (("leak", "high", ("told",)), {"told": np.where(Y, 3.0, 1.0) + rng().random(ROWS)}),
    "filled by the outcome": (
        ("known too late", "high", ("reason",)),
        {"reason": keep(Y & (rng().random(ROWS) < 0.9), rng().choice(["a", "b"], ROWS))},
    ),
    "input is a sum": (
        ("formula of inputs", "low", ("both", "size", "speed")),
        {"both": PLAIN["size"] + PLAIN["speed"]},
    ),
    "input is a multiple": (
        ("duplicate column", "medium", ("inches", "size")),
        {"inches": PLAIN["size"] * 0.3937 + 2},
    ),
    "near duplicate": (
        ("near-duplicate columns", "medium", ("place", "town")),
        {"place": PLAIN["town"].str.to_uppercase()},
    ),
    "constant": (("constant", "medium", ("same",)), {"same": [1.5] * ROWS}),
    "empty": (
        ("constant", "medium", ("none",)),
        {"none": pl.Series([None] * ROWS, dtype=pl.Int64)},
    ),
    "nearly constant": (
        ("nearly constant", "low", ("rare",)),
        {"rare": [i < 5 for i in range(ROWS)]},
    ),
    "names of rows": (("identifier", "medium", ("code",)), {"code": texts(["K"] * ROWS, NUMBERS)}),
    "numbers of rows": (("identifier", "medium", ("nr",)), {"nr": [7 + i for i in NUMBERS]}),
    "growing numbers": (
        ("identifier", "medium", ("nr",)),
        {"nr": np.cumsum(rng().integers(1, 90, ROWS))},
    ),
    "prose": (
        ("near-unique text", "medium", ("note",)),
        {"note": texts(["seen on day "] * ROWS, NUMBERS, [" by the nurse"] * ROWS)},
    ),
    "half missing": (
        ("missing values", "medium", ("gone",)),
        {"gone": keep(rng().random(ROWS) < 0.3, rng().normal(size=ROWS))},
    ),
    "stand-in": (
        ("stand-in for missing", "medium", ("lab",)),
        {"lab": np.where(rng().random(ROWS) < 0.03, 999.0, LABS)},
    ),
    "stand-in below": (
        ("stand-in for missing", "medium", ("lab",)),
        {"lab": np.where(rng().random(ROWS) < 0.03, -1.0, LABS + 100)},
    ),
    "skew": (("skew", "low", ("cost",)), {"cost": np.exp(rng().normal(3, 3, ROWS))}),
    "spellings": (
        ("spellings", "low", ("site",)),
        {"site": rng().choice(["North", "north ", "South"], ROWS)},
    ),
    "group": (
        ("group", "high", ("patient",)),
        {
            "patient": [f"P{each}" for each in PEOPLE],
            "age": PEOPLE * 37 % 70 + 20,
            "sex": np.where(PEOPLE % 3 == 0, "m", "f"),
        },
    ),
    "no time": (("no time column", "medium", ("day",)), {"day": DAYS}),
}
ALIKE = {
    "telling, but no leak": {"helps": PLAIN["size"] + rng().normal(0, 9, ROWS)},
    "missing at random": {"gap": keep(rng().random(ROWS) < 0.85, rng().normal(size=ROWS))},
    "nearly a sum": {"both": PLAIN["size"] + PLAIN["speed"] + rng().normal(0, 1, ROWS)},
    "many texts that come again": {"street": [f"S{i}" for i in rng().integers(0, 300, ROWS)]},
    "whole numbers with gaps": {"cents": rng().integers(100, 10**7, ROWS)},
    "long tail without a stand-in": {"cost": np.exp(rng().normal(3, 0.8, ROWS))},
    "a flag": {"flag": rng().random(ROWS) < 0.05},
    "entities that say nothing of their own": {"route": [f"R{each}" for each in PEOPLE]},
    "few texts": {"kind": rng().choice(["a", "b"], ROWS, p=[0.98, 0.02])},
}


@pytest.mark.parametrize("case", PLANTED)
def test_what_is_planted_is_found(case):
    finding, columns = PLANTED[case]
    assert finding in findings(table(**columns))


@pytest.mark.parametrize("case", ALIKE)
def test_what_only_looks_alike_is_not(case):
    assert findings(table(**ALIKE[case])) == set()


def test_nothing_is_found_where_there_is_nothing():
    assert profile(PLAIN).findings == []


def test_a_finding_names_the_line_of_the_contract_and_what_to_write_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = table(same=[1] * ROWS)
    contract_of(frame).save()
    lines = (tmp_path / "contract.yaml").read_text(encoding="utf-8").splitlines()
    [found] = profile(frame).findings
    line = next(n for n, text in enumerate(lines, 1) if text.strip() == "- name: same")
    assert found.where == f"contract.yaml:{line} same"
    assert found.edit == "- {property: role, value: ignored}"
    assert found.measured == 1
    assert found.meaning == "same has one value only, 1: nothing can be learned from it"


def test_prose_that_is_read_as_such_is_none():
    told = PLANTED["prose"][1]
    assert findings(table(**told), note={"free_text": True}) == set()


def test_a_reviewed_leak_is_none():
    told = PLANTED["leak"][1]
    assert findings(table(**told), told={"leak_reviewed": True}) == set()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda a, b: a + b, "y = size + speed"),
        (
            lambda a, b: a - 2.5 * b + 7,
            "y = size \N{MINUS SIGN} 2.5 \N{MULTIPLICATION SIGN} speed + 7",
        ),
        (lambda a, b: a * b, "y = size \N{MULTIPLICATION SIGN} speed"),
        (lambda a, b: a / b, "y = size \N{DIVISION SIGN} speed"),
    ],
)
def test_a_target_that_follows_from_inputs_is_found(make, text):
    frame = table().with_columns(pl.col("speed").abs() + 1)
    found = profile(frame.with_columns(y=make(pl.col("size"), pl.col("speed"))), "regression")
    [formula] = [each for each in found.findings if each.kind == "formula of the target"]
    assert formula.severity == "high"
    assert formula.columns == ("size", "speed")
    assert formula.meaning == f"the target follows from its inputs: {text}"


def test_a_target_with_noise_follows_from_nothing():
    noise = pl.Series(rng().normal(0, 3, ROWS))
    frame = table().with_columns(y=pl.col("size") + pl.col("speed") + noise)
    assert findings(frame, "regression") == set()


def test_dates_after_the_time_of_the_row_are_known_too_late():
    later = [day + dt.timedelta(days=3) for day in DAYS]
    earlier = [
        day - dt.timedelta(days=int(d))
        for day, d in zip(DAYS, rng().integers(0, 900, ROWS), strict=True)
    ]
    frame = table(day=DAYS, left=later, born=earlier)
    found = findings(frame, roles={"day": "time"})
    assert ("known too late", "high", ("left",)) in found
    assert not [each for each in found if each[2] == ("born",)]


def test_a_table_split_by_time_or_group_needs_no_group():
    columns = PLANTED["group"][1]
    assert not [
        f for f in findings(table(**columns), roles={"patient": "group"}) if f[0] == "group"
    ]
    timed = findings(table(**columns, day=DAYS), roles={"day": "time"})
    assert not [each for each in timed if each[0] == "group"]


def test_labels_that_are_the_same_in_all_rows_of_an_entity_make_a_group():
    answers = PEOPLE % 7 < 3
    found = findings(table(device=[f"D{each}" for each in PEOPLE], y=answers))
    assert ("group", "high", ("device",)) in found


def test_rows_that_say_the_same_are_counted():
    frame = table()
    twice = pl.concat([frame, frame.head(60)]).with_columns(pl.int_range(1, ROWS + 61).alias(ROW))
    assert ("repeated rows", "medium", ()) in findings(twice)
    few = table().select(ROW, "town", "y")  # four towns must come again
    assert findings(few) == set()


def test_rare_classes_and_labels_to_come():
    rare = findings(table(y=[i % 50 == 0 for i in range(ROWS)]))
    assert ("class imbalance", "medium", ("y",)) in rare
    unlabelled = table(y=keep([i < 1000 for i in range(ROWS)], Y))
    assert ("unlabelled rows", "low", ("y",)) in findings(unlabelled)


def test_a_span_of_time_without_rows_is_a_gap():
    gap = [day + dt.timedelta(days=40 if i > 600 else 0) for i, day in enumerate(DAYS)]
    found = profile(table(day=gap), roles={"day": "time"}).findings
    [each] = [each for each in found if each.kind == "time gap"]
    assert "from 2024-03-01 to 2024-04-10; 1 day is usual" in each.meaning
    weekdays = [
        day
        for day in (dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(1680))
        if day.weekday() < 5
    ]
    assert findings(table(day=weekdays[:ROWS]), roles={"day": "time"}) == set()


def test_what_changes_over_time_is_told_and_what_goes_on_is_not():
    newest = np.arange(ROWS) > 0.8 * ROWS
    frame = table(day=DAYS, heat=rng().normal(size=ROWS) + 2 * newest)
    assert ("shift in time", "medium", ("heat",)) in findings(frame, roles={"day": "time"})
    frame = table(day=DAYS, shop=np.where(newest, "new", rng().choice(["a", "b"], ROWS)))
    assert ("shift in time", "medium", ("shop",)) in findings(frame, roles={"day": "time"})
    since = rng().integers(1, 30, ROWS)
    ordered = [day - dt.timedelta(days=int(d)) for day, d in zip(DAYS, since, strict=True)]
    frame = table(day=DAYS, ordered=ordered)
    assert findings(frame, roles={"day": "time"}) == set()


def test_rows_that_came_new_are_compared_with_those_before():
    new = np.arange(ROWS) >= 900
    arrivals = [Arrival(1, "2024-01-01", 1, 600), Arrival(2, "2024-02-01", 601, 900)]
    arrivals += [Arrival(4, "2024-03-01", 901, ROWS)]
    found = profile(table(heat=rng().normal(size=ROWS) + 3 * new), arrivals=arrivals)
    [before, first] = found.versions
    assert (before.rows_before, before.rows_after) == (900, 300)
    assert (first.rows_before, first.rows_after) == (600, 300)
    assert before.columns[0].column == first.columns[0].column == "heat"
    texts = [each.meaning for each in found.findings if each.kind == "shift between versions"]
    assert len(texts) == 2
    assert "between the rows before version 4 and those that version 4 brought" in texts[0]
    assert profile(table(), arrivals=arrivals).findings == []
    assert profile(table(), arrivals=arrivals[:1]).versions == []
