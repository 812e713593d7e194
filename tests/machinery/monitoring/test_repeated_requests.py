"""A record that is asked about again is not decided, nor worth anything, twice."""

import datetime as dt
import random

import polars as pl
import pytest
from mlops.monitoring.ground_truth import join_ground_truth
from mlops.monitoring.performance import measure_performance
from mlops.monitoring.repeated_requests import count_once

import lived
from lived import END, START, URL, prediction, truth

DAY = 86400


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project = lived.project()
    monkeypatch.setattr("mlops.monitoring.performance.Project.read", lambda: project)


def counted(rows, days=30):
    lived.write(rows)
    joined = join_ground_truth(URL, START, END, lived.contract())
    return count_once(joined, dt.timedelta(days=days))


def asked(name, at, order, decision=True):
    return prediction(name, at, key={"order": order}, decision=decision, inputs={"town": "a"})


def test_two_hundred_records_asked_five_times_are_worth_what_they_are_worth_once():
    pick = random.Random(7)
    once, again, truths = [], [], []
    for order in range(200):
        once.append(asked(f"{order}-0", order, order, decision=pick.random() < 0.5))
        again += [once[-1]._replace(id=f"{order}-{n}", at=lived.moment(n)) for n in (999, 1999)]
        again += [once[-1]._replace(id=f"{order}-{n}", at=lived.moment(9000 + n)) for n in (1, 2)]
        truths.append(truth(pick.choice(["yes", "no"]), 9999, key={"order": order}))
    lived.write(once + truths)
    alone = measure_performance(URL, START, END)
    lived.write(again)
    repeated = measure_performance(URL, START, END)
    assert (repeated.pop("repeats"), alone.pop("repeats")) == (800, 0)
    pairs = {row.key["order"]: row.truth for row in truths}
    hits = [pairs[row.key["order"]] == "yes" for row in once if row.decision]
    assert alone["value"]["total"] == sum(6 if hit else -2 for hit in hits)
    assert repeated == alone


def test_the_first_answer_counts_and_the_record_s_last_truth():
    """Whichever of its answers the truth was sent for."""
    rows = counted(
        [
            asked("b", 5, 1, decision=False),
            asked("a", 3, 1),
            asked("c", 9, 2),
            truth("no", 20, id_="b"),
            truth("yes", 30, id_="b"),
        ]
    )
    assert rows["id"].to_list() == ["a", "c"]
    assert rows["decision"].to_list() == [True, True]
    assert rows["truth"].to_list() == ["yes", None]
    assert rows["delay"].to_list() == [27.0, None]
    assert rows["contradicted"].to_list() == [True, False]


def test_after_the_window_it_is_a_decision_anew():
    """Counted from the answer that counts, lest steady asking hide a record for ever."""
    rows = [asked(str(day), day * DAY, 1) for day in range(7)]
    assert counted(rows, days=3)["id"].to_list() == ["0", "3", "6"]


def test_what_has_no_key_counts_each_time():
    rows = [prediction(str(n), n, inputs={"town": "a"}) for n in range(5)]
    assert counted(rows).height == 5
    bare = lived.rows()
    assert count_once(bare, dt.timedelta(days=1)).equals(bare)


@pytest.mark.parametrize("seed", range(20))
def test_any_requests_are_counted_as_plain_dictionaries_do(seed):
    pick = random.Random(seed)
    moments = pick.sample(range(40 * DAY), 60)
    rows = [asked(f"{at:08}", at, pick.randrange(9)) for at in moments]
    until, expected = {}, []
    for row in sorted(rows, key=lambda row: row.at):
        at, order = dt.datetime.fromisoformat(row.at), row.key["order"]
        if at >= until.get(order, at):
            expected.append(row.id)
            until[order] = at + dt.timedelta(days=5)
    pick.shuffle(rows)
    found = counted(rows, days=5)
    assert found["id"].to_list() == expected
    assert found.columns == join_ground_truth(URL, START, END, lived.contract()).columns
    assert found["at"].is_sorted()
    assert isinstance(found, pl.DataFrame)
