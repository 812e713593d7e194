"""Figures of live traffic, against the same reckoned by hand."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mlops.core.errors import UserError
from mlops.core.paths import write_json
from mlops.monitoring.performance import measure_performance, measure_rows
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score

import lived
from lived import END, START, URL, prediction, truth


def measure(task="binary", change=None, **made):
    rows = lived.rows(task, **made)
    return measure_rows(rows if change is None else rows.with_columns(change), lived.project(task))


def test_the_metric_is_of_the_scores_that_were_given():
    rows = lived.rows().drop_nulls("truth")
    figures = measure()["metric"]
    assert figures["value"] == pytest.approx(roc_auc_score(rows["truth"] == "yes", rows["score"]))
    assert figures["low"] < figures["value"] < figures["high"]
    assert (figures["name"], figures["expected"]) == ("roc_auc", 0.8)


def test_the_value_is_of_the_decisions_that_were_taken():
    """Whatever threshold the scores would have had."""
    acted = measure(change=pl.lit(True).alias("decision"))["value"]
    late = (lived.rows().drop_nulls("truth")["truth"] == "yes").mean()
    assert acted["realised"] == pytest.approx(1000 * (6 * late - 2 * (1 - late)))
    left = measure(change=pl.lit(False).alias("decision"))["value"]
    assert left["realised"] == left["do_nothing"] == 0.0
    assert (left["unit"], left["expected"]) == ("EUR", 900.0)


def test_coverage_delay_and_contradictions_are_counted():
    figures = measure(change=(pl.int_range(pl.len()) < 7).alias("contradicted"))
    assert (figures["predictions"], figures["rows"], figures["coverage"]) == (600, 480, 0.8)
    assert figures["contradictions"] == 7
    delays = lived.rows()["delay"].drop_nulls()
    assert figures["delay_seconds"]["0.9"] == delays.quantile(0.9)
    assert list(figures["delay_seconds"]) == ["0.5", "0.9", "0.99"]


def test_slices_are_those_by_columns_that_the_model_reads():
    rows, figures = lived.rows().drop_nulls("truth"), measure()["slices"]
    assert {each["column"] for each in figures} == {"town"}
    for each in figures:
        here = rows.filter(pl.col("inputs").struct["town"] == each["value"])
        reached = roc_auc_score(here["truth"] == "yes", here["score"])
        assert each["metric"] == pytest.approx(reached)
        assert each["rows"] == here.height
    assert {each["value"]: each["expected"] for each in figures} == {
        "a": 0.81,
        "b": None,
        "c": None,
    }


def test_columns_that_the_model_does_not_read_are_judged_in_the_pipeline_only():
    assert measure()["slices_not_live"] == ["later"]


def test_of_several_classes_it_is_the_share_of_right_answers():
    rows = lived.rows("multiclass").drop_nulls("truth")
    figures = measure("multiclass")
    right = accuracy_score(rows["truth"], rows["prediction"])
    assert figures["metric"]["value"] == pytest.approx(right)
    assert (figures["metric"]["name"], figures["metric"]["expected"]) == ("accuracy", 0.7)
    assert figures["value"]["realised"] == pytest.approx(1000 * (right - (1 - right)))


def test_a_number_is_judged_as_in_the_evaluation():
    rows = lived.rows("regression").drop_nulls("truth")
    figures = measure("regression")
    assert figures["metric"]["value"] == pytest.approx(r2_score(rows["truth"], rows["score"]))
    off = (rows["truth"] - rows["score"]).abs().mean()
    assert figures["value"]["realised"] == pytest.approx(-1000 * off)


@pytest.mark.parametrize(("days", "period"), [(10, "day"), (60, "week"), (300, "month")])
def test_the_trend_adds_up(days, period):
    figures = measure(days=days)
    assert figures["period"] == period
    for name in ("predictions", "rows"):
        assert sum(each[name] for each in figures["trend"]) == figures[name]
    totals = [each["total"] for each in figures["trend"] if each["total"] is not None]
    assert sum(totals) == pytest.approx(figures["value"]["total"])
    starts = [each["start"] for each in figures["trend"]]
    assert starts == sorted(set(starts))


def test_few_rows_say_nothing_of_a_period_s_metric():
    assert [each["metric"] for each in measure(days=300)["trend"]] == [None] * 10
    assert None not in [each["metric"] for each in measure(many=4000, known=1.0)["trend"]]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_what_cannot_be_told_is_none(task):
    for figures in (measure(task, known=0.0), measure(task, many=600, known=0.001)):
        assert figures["metric"]["value"] is None or np.isnan(figures["metric"]["value"])
        assert [each["metric"] for each in figures["trend"]] == [None] * 10
        assert figures["predictions"] == 600
    none = measure_rows(lived.rows(task).clear(), lived.project(task))
    assert (none["coverage"], none["trend"], none["slices"]) == (None, [], [])
    assert none["value"]["realised"] is None


def test_from_the_journal_to_figures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = lived.rows(many=200).to_dicts()
    asked, labels = [], []
    for place, row in enumerate(rows):
        answer = {name: row[name] for name in ("prediction", "score", "decision", "inputs")}
        asked.append(prediction(row["id"], place, key={"order": place}, **answer))
        if row["truth"]:
            key = {"order": place} if place % 2 else None
            labels.append(truth(row["truth"], place + 60, None if key else row["id"], key))
    lived.write([*asked, *labels, truth("no", 9, id_="nobody")])
    lived.contract().save()
    Path("problem.yaml").write_text("name: t\nvalue: {unit: EUR, true_positive: 6.0}\n")
    Path("params.yaml").write_text("train: {candidates: [linear]}\nevaluate: {resamples: 50}\n")
    with pytest.raises(UserError, match=r"evaluation\.json is not there yet"):
        measure_performance(URL, START, END)
    write_json(Path("reports/evaluation.json"), lived.EVALUATION)
    figures = measure_performance(URL, START, END)
    assert (figures["predictions"], figures["rows"], figures["strays"]) == (200, 160, 1)
    assert figures["delay_seconds"] == {"0.5": 60.0, "0.9": 60.0, "0.99": 60.0}
    wanted = measure_rows(lived.rows(many=200), lived.project())["metric"]["value"]
    assert figures["metric"]["value"] == pytest.approx(wanted, abs=1e-6)
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
