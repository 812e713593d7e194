"""The page and the JSON about live traffic, from a journal to what a person reads."""

import json
import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mlops.core.errors import UserError
from mlops.core.paths import MODEL, write_json
from mlops.data.column_names import ROW
from mlops.data.contract import Contract
from mlops.monitoring.monitoring_page import parse_since, render_page, write_report
from mlops.monitoring.observation import observe
from mlops.pages.charts import label_period
from mlops.registry import registry

import lived
import served
from html_page import Tags
from lived import prediction, truth

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'>"


class Parsed(Tags):
    """Its tags, and the text by section."""

    def __init__(self, text):
        self.text, self.where = {"": ""}, ""
        super().__init__(text)

    def handle_starttag(self, tag, attrs):
        super().handle_starttag(tag, attrs)
        if tag == "section":
            self.where = dict(attrs)["id"]
            self.text[self.where] = ""

    def handle_endtag(self, tag):
        super().handle_endtag(tag)
        self.where = "" if tag == "section" else self.where

    def handle_data(self, data):
        if "style" not in self.open:
            self.text[self.where] += data


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a model, its evaluation, and 200 answers of the last two days."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "fetch_champion", lambda: (3, MODEL))
    monkeypatch.setattr(lived, "START", datetime.now(UTC) - timedelta(days=2))
    served.register(served.packed())
    contract, table = served.contract_and_rows()
    contract.save()
    value = "{unit: EUR, true_positive: 6.0, false_positive: -2.0}"
    owners = '{data_engineer: "@acme/data", data_scientist: "@acme/science"}'
    Path("problem.yaml").write_text(f"name: Orders\nvalue: {value}\nowners: {owners}\n")
    Path("params.yaml").write_text(
        "train: {candidates: [linear]}\nevaluate: {resamples: 50}\n"
        "monitoring: {min_rows: 50, window: 3d}\n"
    )
    write_json(Path("reports/evaluation.json"), lived.EVALUATION)
    return table


def answered(table, change=None, truths=150):
    rows = table.head(200).to_dicts()
    asked, labels = [], []
    for place, row in enumerate(rows):
        inputs = {name: row[name] for name in row if name not in ("y", ROW, "id", "later")}
        inputs = {
            name: cell for name, cell in (inputs | (change or {})).items() if cell is not None
        }
        score = 0.9 if row["y"] == "yes" else 0.1 + place / 1000
        facts = {"score": score, "decision": score > 0.4, "inputs": inputs}
        asked.append(prediction(f"{place:x}", place * 800, key={"id": row["id"]}, **facts))
        labels.append(truth(row["y"], place * 800 + 60, id_=f"{place:x}"))
    lived.write([*asked, *labels[:truths]])


def test_a_good_model_is_said_to_be_one(project):
    answered(project)
    lines = write_report()
    observation = json.loads(Path("reports/monitoring.json").read_text(encoding="utf-8"))
    assert observation["performance"]["metric"]["value"] == 1.0
    assert observation["performance"]["rows"] == 150
    assert {check["name"] for check in observation["checks"] if not check["passed"]} == {"drift"}
    text = Path("reports/monitoring.html").read_text(encoding="utf-8")
    parsed = Parsed(text)
    assert parsed.open == []
    assert "script" not in parsed.tags
    assert not re.search(r"https?://", text.replace("http://www.w3.org", ""))
    assert "150 of 200 (75.0 %)" in parsed.text["truth"].replace("\u00a0", " ")
    assert lines[-1] == "reports/monitoring.html has the details."
    assert any("the score" in line or "(score)" in line for line in lines)


def test_a_shift_names_what_and_whom(project):
    answered(project, {"kind": "new", "size, in cm.": None})
    lines = " ".join(write_report())
    assert "Values of size, in cm. (100.0" in lines
    assert "for @acme/data)" in lines
    parsed = Parsed(Path("reports/monitoring.html").read_text(encoding="utf-8"))
    assert "no known category" in parsed.text["quality"]
    assert "@acme/data" in parsed.text["checks"]


@pytest.mark.parametrize("role", ["ignored", "feature"])
def test_a_protected_column_that_is_not_judged_here_is_named(project, role):
    contract = Contract.load()
    columns = [
        column.model_copy(update={"protected": True, "role": role})
        if column.name == "kind"
        else column
        for column in contract.columns
    ]
    contract.model_copy(update={"columns": tuple(columns)}).save()
    answered(project)
    write_report()
    text = Path("reports/monitoring.html").read_text(encoding="utf-8")
    assert ("Not judged here: kind. The model does not read it" in text) is (role == "ignored")
    assert "groups" in Parsed(text).text


def test_without_a_truth_there_is_no_word_of_performance(project):
    answered(project, truths=0)
    write_report()
    parsed = Parsed(Path("reports/monitoring.html").read_text(encoding="utf-8"))
    assert not {"performance", "worth", "groups"} & parsed.text.keys()
    assert "drift" in parsed.text


def test_since_bounds_all_that_is_looked_at(project):
    answered(project)
    assert write_report(since="12h")
    observation = json.loads(Path("reports/monitoring.json").read_text(encoding="utf-8"))
    assert observation["performance"]["predictions"] < 60
    assert observation["drift"]["rows"] == observation["performance"]["predictions"]


def test_an_empty_window_is_one_sentence_and_writes_nothing(project):
    answered(project)
    with pytest.raises(UserError, match="holds no prediction since"):
        write_report(since="1s")
    assert not Path("reports/monitoring.html").exists()


def test_without_a_journal_it_says_how_to_get_one(project):
    with pytest.raises(UserError, match=r"There is no journal at journal/journal\.db: start"):
        write_report()


def test_no_text_can_become_html(project):
    answered(project)
    observation = observe(lived.URL, datetime.now(UTC))
    harmless = Parsed(render_page(observation)).tags
    text = json.dumps(observation)
    for name in ("kind", "count", "never acting", "@acme/science"):
        text = text.replace(f'"{name}"', json.dumps(HOSTILE))
    Path("problem.yaml").write_text(json.dumps({"name": HOSTILE, "decision": HOSTILE}))
    assert Parsed(render_page(json.loads(text))).tags == harmless


@pytest.mark.parametrize(
    ("since", "wanted"),
    [
        ("7d", NOW - timedelta(days=7)),
        ("1d12h", NOW - timedelta(hours=36)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_since_is_an_age_or_a_day(since, wanted):
    assert parse_since(since, NOW) == wanted


@pytest.mark.parametrize("since", ["yesterday", "7", "-3d", "2026-13-01", "99999999d"])
def test_another_since_is_refused(since):
    with pytest.raises(UserError, match="write how long ago"):
        parse_since(since, NOW)


def test_the_future_is_refused():
    with pytest.raises(UserError, match="2026-04-01 lies in the future"):
        parse_since("2026-04-01", NOW)


def test_versions_that_answered_in_turn_are_told_apart(project):
    answered(project)
    with sqlite3.connect("journal/journal.db") as journal:
        journal.execute("UPDATE predictions SET version = 9 WHERE rowid % 2 = 0")
    text = Parsed(render_page(observe(lived.URL, datetime.now(UTC)))).text["worth"]
    assert "Gain by the version that answered" in text


def test_periods_have_short_names():
    assert label_period("2026-02-03", "week") == "3 Feb"
    assert label_period("2026-02-01", "month") == "Feb 2026"
