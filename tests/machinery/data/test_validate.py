from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mlops.core.errors import BlockedError
from mlops.core.problem import Problem
from mlops.data.change_log import Part
from mlops.data.column_names import ROW, SOURCE
from mlops.data.contract import Column, Contract
from mlops.data.ingest import ingest, type_rows
from mlops.data.validate import judge_rows, reject_rate_verdict, run, validate

COLUMNS = (
    Column(name="k", type="integer", role="key"),
    Column(name="n", type="number", minimum=0, maximum=10, required=True),
    Column(name="c", type="string", categories=("a", "b")),
    Column(name="y", type="string", role="target"),
)

DUPLICATE = ("k", "duplicate")


def contract_of(duplicates="keep_last"):
    return Contract(
        id="t",
        name="t",
        task="binary",
        classes=("no", "yes"),
        duplicates=duplicates,
        columns=COLUMNS,
    )


def check(table, contract):
    """The clean and the quarantined rows."""
    return pl.collect_all(judge_rows(table.lazy(), contract))


def rows_of(*rows):
    frame = pl.DataFrame(rows, schema=dict.fromkeys("kncy", pl.String), orient="row")
    frame = frame.with_row_index(ROW, 1).with_columns(pl.col(ROW).cast(pl.Int64))
    return type_rows(
        frame.with_columns(pl.lit("f.csv").alias(SOURCE)).lazy(), contract_of()
    ).collect()


def reasons_of(quarantine):
    return {
        row["row"]: [(each["column"], each["rule"], each["value"]) for each in row["reasons"]]
        for row in quarantine.iter_rows(named=True)
    }


@pytest.mark.parametrize(
    ("row", "reasons"),
    [
        (("1", "5", "a", "yes"), []),
        (("1", "5", None, "yes"), []),
        (("1", None, "a", "yes"), [("n", "required", "")]),
        (("1", "x", "a", "yes"), [("n", "readable", "x")]),
        (("1", "-1", "a", "yes"), [("n", "minimum", "-1.0")]),
        (("1", "11", "z", "yes"), [("n", "maximum", "11.0"), ("c", "category", "z")]),
        (("one", "5", "a", "perhaps"), [("k", "readable", "one"), ("y", "category", "perhaps")]),
        (("1", "5", "a", ""), []),
        (("1", "11", "a", ""), [("n", "maximum", "11.0")]),
    ],
)
def test_a_row_is_clean_or_held_back_with_all_reasons(row, reasons):
    clean, quarantine = check(rows_of(row), contract_of())
    assert clean.height + quarantine.height == 1
    assert reasons_of(quarantine).get(1, []) == reasons


@pytest.mark.parametrize(
    ("policy", "held"),
    [("keep_last", [1]), ("keep_first", [2]), ("reject", [1, 2]), ("keep_all", [])],
)
def test_duplicates_follow_the_policy(policy, held):
    rows = rows_of(
        ("1", "5", "a", "yes"),
        ("1", "6", "a", "yes"),
        ("1", "99", "a", "yes"),  # broken: takes no part
        (None, "5", "a", "yes"),
        (None, "5", "a", "yes"),  # no key: no duplicate
    )
    clean, quarantine = check(rows, contract_of(policy))
    assert sorted(quarantine["row"]) == sorted([*held, 3])
    assert all(reasons_of(quarantine)[row] == [("k", "duplicate", "1")] for row in held)
    assert clean.columns == ["k", "n", "c", "y", ROW]


@pytest.mark.parametrize("policy", ["keep_last", "keep_first", "reject"])
def test_a_row_without_a_label_gives_way_to_one_with_it(policy):
    rows = rows_of(
        ("1", "5", "a", None),
        ("1", "6", "a", "yes"),
        ("1", "7", "a", None),
        ("2", "5", "a", None),
    )
    records, quarantine = check(rows, contract_of(policy))
    assert records[ROW].to_list() == [2, 4]
    assert reasons_of(quarantine) == {row: [("k", "duplicate", "1")] for row in (1, 3)}


def judged_by_hand(row):
    """The rules once more, in plain Python."""
    key, number, category, answer = row
    reasons = []
    if key is not None and not key.lstrip("-").isdigit():
        reasons.append(("k", "readable"))
    if number is None:
        reasons.append(("n", "required"))
    elif number in ("oops", "inf"):
        reasons.append(("n", "readable"))
    elif float(number) < 0:
        reasons.append(("n", "minimum"))
    elif float(number) > 10:
        reasons.append(("n", "maximum"))
    if category not in (None, "a", "b"):
        reasons.append(("c", "category"))
    if answer not in (None, "no", "yes"):
        reasons.append(("y", "category"))
    return reasons


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("policy", ["keep_last", "keep_first", "reject", "keep_all"])
def test_every_row_is_counted_once_with_complete_reasons(seed, policy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dice = np.random.default_rng(seed)
    cells = (
        [*map(str, range(150)), None, "x1"],
        ["1", "2.5", "10", "-3", "11", "oops", "inf", None],
        ["a", "b", "a", "b", "c", None],
        ["yes", "no", "yes", "no", "maybe", None],
    )
    rows = [tuple(texts[dice.integers(len(texts))] for texts in cells) for _ in range(300)]
    report = validate(rows_of(*rows).lazy(), contract_of(policy))
    clean, held = pl.read_parquet("data/clean.parquet"), pl.read_parquet("data/quarantine.parquet")
    records, _ = check(rows_of(*rows), contract_of(policy))
    assert sorted([*records[ROW], *held["row"]]) == list(range(1, 301))
    waiting = records.filter(pl.col("y").is_null())
    assert clean.equals(records.drop_nulls("y"))
    assert pl.read_parquet("data/unlabelled.parquet").equals(waiting.drop(ROW))
    reasons = reasons_of(held)
    sound = {}
    for number, row in enumerate(rows, 1):
        by_hand = judged_by_hand(row)
        reasons_here = [reason[:2] for reason in reasons.get(number, [])]
        if by_hand:
            assert reasons_here == by_hand
        else:
            assert reasons_here in ([], [DUPLICATE])
            sound.setdefault(row[0], []).append(number)
    sound.pop(None, None)
    pick = {"keep_last": slice(-1, None), "keep_first": slice(1), "reject": slice(0)}
    for every in sound.values():
        known = [number for number in every if rows[number - 1][3]]
        numbers = known if known and policy != "keep_all" else every
        assert all(number in reasons for number in every if number not in numbers)
        alone = len(numbers) == 1 or policy == "keep_all"
        kept = numbers if alone else numbers[pick[policy]]
        assert [number for number in numbers if number not in reasons] == kept
    duplicates = sum(DUPLICATE in [r[:2] for r in each] for each in reasons.values())
    assert report["read"] == 300 == report["clean"] + waiting.height + report["quarantined"]
    assert report["unlabelled"] == waiting.height
    assert report["duplicates"] == {"policy": policy, "rows": duplicates}
    faulty = [row for row, each in reasons.items() if [one[:2] for one in each] != [DUPLICATE]]
    twice = [row for row in reasons if row not in faulty and rows[row - 1][3]]
    assert report["rejected"] == len(faulty) + (len(twice) if policy == "reject" else 0)
    share = report["rejected"] / (300 - waiting.height)
    assert report["reject_rate"] == pytest.approx(share)
    assert sum(each["rows"] for each in report["reasons"]) == sum(map(len, reasons.values()))


def project(tmp_path, monkeypatch, rows):
    monkeypatch.chdir(tmp_path)
    Path("data/raw").mkdir(parents=True)
    Path("data/raw/0001-a.csv").write_text("k,n,c,y\n" + "\n".join(rows) + "\n")
    contract_of().save(Path("contract.yaml"))
    Path("problem.yaml").write_text("name: Test\n")
    Path("params.yaml").write_text("data: {max_reject_rate: 0.3}\ntrain: {candidates: [linear]}\n")
    ingest([Part(Path("data/raw/0001-a.csv"))], contract_of())


def test_the_gate_blocks_and_says_what_is_wrong_most_often(tmp_path, monkeypatch, capsys):
    project(tmp_path, monkeypatch, ["1,5,a,yes", "2,oops,a,yes", "3,oops,a,no"])
    with pytest.raises(BlockedError, match=r"n breaks the rule 'readable' \(2 rows, such as 'oops"):
        run()
    assert pl.read_parquet("data/quarantine.parquet").height == 2
    assert "1 of 3 rows are clean" in capsys.readouterr().out


def test_the_gate_lets_a_good_table_pass(tmp_path, monkeypatch):
    project(tmp_path, monkeypatch, ["1,5,a,yes", "2,6,a,yes", "3,7,a,no"])
    run()
    assert pl.read_parquet("data/clean.parquet").height == 3


def test_rows_that_are_replaced_are_no_rejects():
    report = {"reject_rate": 0.0, "rejected": 0, "read": 10, "reasons": []}
    assert reject_rate_verdict(report, 0.0, Problem(name="t")).passed
