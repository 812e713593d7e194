"""Whether it pays, by figures made up, and what is advised."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from mlops.business import profitability
from mlops.business.business_page import render_page, write_report
from mlops.business.prices import Prices, cost_of_running, read_remote_scheme
from mlops.business.profitability import Realised, reckon
from mlops.business.recommendation import advise
from mlops.core.errors import UserError
from mlops.core.paths import write_json
from mlops.core.problem import Problem

from html_page import Tags

KIND = {
    "name": "disk",
    "schemes": ["file"],
    "gb_month": 0.5,
    "thousand_writes": 0.0,
    "ten_thousand_reads": 0.0,
    "egress_gb": 0.0,
}
PRICES = {
    "as_of": date(2020, 1, 1),
    "currency": "EUR",
    "usage": {
        "versions_kept": 4.0,
        "versions_written": 1.0,
        "full_reads": 1.0,
        "outside_share": 0.0,
        "hour_is_worth": 0.0,
    },
    "running": {
        "core_hour": 1.0,
        "memory_gb_hour": 0.5,
        "trainings": 3.0,
        "replicas": 0.0,
        "work_hours": 2.0,
        "work_hour": 50.0,
    },
    "kinds": [KIND],
}
PROBLEM = {
    "name": "Orders",
    "decision": "Should it be checked?",
    "owners": {"business_owner": "@acme/business", "data_scientist": "@acme/science"},
    "value": {"unit": "EUR", "true_positive": 6.0, "false_positive": -2.0},
}
TRAINING = {"cpu_seconds": 7200.0, "peak_memory_mb": 2000.0, "seconds": 3600.0}
LIVED = {
    "since": "2024-01-01T00:00:00+00:00",
    "first": "2024-01-02T10:00:00+00:00",
    "until": "2024-03-01T00:00:00+00:00",
    "predictions": 4000,
    "rows": 3000,
    "period": "month",
    "value": {"expected": 500.0, "low": 450.0, "high": 560.0},
    "trend": [{"start": f"2024-0{n}-01", "gained": 400.0 + n} for n in (1, 2)],
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data/raw").mkdir(parents=True)
    Path("data/raw/0001.csv").write_bytes(b"x" * 1000)
    write_json(Path("reports/resources.json"), {"total": TRAINING})
    write_json(Path("reports/gate.json"), {"passed": True, "gates": []})
    write_json(
        Path("reports/evaluation.json"),
        {"value": {"model": 700.0, "do_nothing": 200.0, "do_nothing_means": "never acting"}},
    )
    Path("params.yaml").write_text("train: {candidates: [linear]}\n")
    write({})
    return tmp_path


def write(problem, **prices):
    Path("problem.yaml").write_text(yaml.safe_dump(PROBLEM | problem))
    Path("prices.yaml").write_text(yaml.safe_dump(PRICES | prices))


def lived(monkeypatch, gain=500.0, a_month=2000.0, why="", **facts):
    total = None if gain is None else gain * 3
    performance = facts.get("performance", LIVED)
    realised = Realised(why, gain, total, a_month, performance)
    monkeypatch.setattr(profitability, "measure_live", lambda: realised)


def advice():
    return advise(reckon(), Problem.read())


def test_a_month_costs_what_it_takes_times_the_prices(project):
    costs = Prices.load("prices.yaml").costs_of_month()
    assert costs["people"] == 100.0
    assert costs["training"] == pytest.approx(3 * (2 * 1.0 + 2 * 1 * 0.5))
    assert costs["storage"] == pytest.approx(4 * 1000 / 1e9 * 0.5)
    assert costs["service"] == 0.0
    assert cost_of_running(30.4) == pytest.approx(sum(costs.values()))


def test_what_was_never_measured_or_priced_costs_nothing(project):
    Path("reports/resources.json").unlink()
    write({}, kinds=[])
    costs = Prices.load("prices.yaml").costs_of_month()
    assert (costs["training"], costs["storage"]) == (0.0, 0.0)
    Path("prices.yaml").unlink()
    assert cost_of_running(1) is None


@pytest.mark.parametrize(
    ("url", "scheme"), [("s3://bucket/%20x", "s3"), ("../store", "file"), ("/store", "file")]
)
def test_storage_has_the_price_of_where_the_remote_is(project, url, scheme):
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text(f"[core]\n    remote = a\n['remote \"a\"']\n    url = {url}\n")
    assert read_remote_scheme() == scheme


def test_it_pays_if_it_brings_more_than_it_costs(project, monkeypatch):
    lived(monkeypatch)
    reckoned = reckon()
    month = reckoned.month
    assert reckoned.state == "pays"
    assert month.value == pytest.approx(2000 * 500 / 1000)
    assert month.net == pytest.approx(1000 - month.cost)
    assert month.back == pytest.approx(1000 / month.cost)
    assert reckoned.headline == f"It pays: {month.net:.0f} EUR a month more than it costs."
    assert reckoned.net_range == pytest.approx((900 - month.cost, 1120 - month.cost))
    assert reckoned.basis == (
        "the gain of 3,000 decisions whose truth is known, 2024-01-02 to 2024-03-01, times the "
        "decisions of a month in traffic"
    )
    assert advice().startswith("Keep it, and look for more decisions")


def test_minutes_of_traffic_are_projected_not_realised(project, monkeypatch):
    write({"estimate": {"decisions_a_month": 3000.0}})
    lived(monkeypatch, a_month=None)
    reckoned = reckon()
    assert reckoned.state == "projected"
    assert reckoned.headline.startswith("It should pay: ")
    assert reckoned.headline.endswith(", projected.")
    assert reckoned.basis.endswith("times the decisions of a month by the estimate")
    page = render_page(reckoned, Problem.read())
    assert 'class="decision open"' in page
    assert "as realised" not in page


def test_at_the_break_even_it_costs_what_it_brings(project, monkeypatch):
    lived(monkeypatch)
    least = reckon().month.break_even
    lived(monkeypatch, a_month=least)
    assert reckon().month.net == pytest.approx(0)


def test_too_few_decisions_do_not_pay(project, monkeypatch):
    lived(monkeypatch, a_month=100.0)
    reckoned = reckon()
    assert reckoned.state == "loses"
    assert reckoned.headline.startswith("It does not pay: ")
    assert "it pays from 218 decisions a month on, and there are 100" in advice()


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (-20.0, "Stop using this model for decisions"),
        (300.0, "ask @acme/science why it brings only 60"),
    ],
)
def test_what_falls_short_is_asked_about(project, monkeypatch, gain, words):
    lived(monkeypatch, gain=gain)
    assert words in advice()


def test_a_building_that_is_not_paid_in_time_is_told(project, monkeypatch):
    write({"estimate": {"cost_to_build": 100_000.0, "decisions_a_month": 9000.0}})
    lived(monkeypatch)
    reckoned = reckon()
    assert reckoned.month.paid_in == pytest.approx(100_000 / reckoned.month.net)
    assert "not for its building within 24 months" in advice()
    assert "9,000 were assumed" in advice()


def test_without_truths_it_is_a_promise(project, monkeypatch):
    lived(monkeypatch, gain=None, why="the ground truth of only 3 decisions is known")
    reckoned = reckon()
    assert reckoned.month.gain == 500.0
    assert reckoned.headline.startswith("It should pay: ")
    assert (reckoned.state, reckoned.net_range) == ("projected", None)
    assert "The ground truth of only 3 decisions is known. Have the ground truth sent" in advice()


def test_without_traffic_the_estimate_says_how_many_there_are(project, monkeypatch):
    lived(monkeypatch, gain=None, a_month=None, why="no journal", performance=None)
    assert "estimate.decisions_a_month" in advice()
    write({"estimate": {"decisions_a_month": 3000.0}})
    month = reckon().month
    assert (month.decisions, month.counted) == (3000.0, "by the estimate")
    assert month.value == pytest.approx(1500)


def test_another_unit_needs_its_worth(project, monkeypatch):
    lived(monkeypatch)
    points = {"value": PROBLEM["value"] | {"unit": "points"}}
    write(points)
    reckoned = reckon()
    assert (reckoned.state, reckoned.month.net) == ("unknown", None)
    assert "value_unit_is_worth" in advice()
    write(points, value_unit_is_worth=0.5)
    assert reckon().month.value == pytest.approx(500)


def test_a_model_that_did_not_pass_is_not_to_be_decided_on(project, monkeypatch):
    write_json(Path("reports/gate.json"), {"passed": False, "gates": []})
    lived(monkeypatch)
    assert advice().startswith("Decide nothing on the newest model yet")


def test_a_refused_newcomer_does_not_change_what_the_model_in_use_promised(project, monkeypatch):
    write_json(Path("reports/gate.json"), {"passed": False, "gates": []})
    promise = {"value": {"model": 900.0, "do_nothing": 100.0, "do_nothing_means": "never acting"}}
    monkeypatch.setattr(profitability, "read_evaluation_in_use", lambda: (promise, True))
    lived(monkeypatch, gain=400.0)
    reckoned = reckon()
    assert reckoned.expected == 800.0
    assert "brings only 50" in advice()


def test_a_project_without_a_journal_is_told_so(project):
    reckoned = reckon()
    assert reckoned.realised.gain is None
    assert reckoned.realised.why


def test_the_page_tells_it_and_escapes_it(project, monkeypatch):
    write({"estimate": {"cost_to_build": 100.0}})
    lived(monkeypatch)
    lines = write_report()
    text = Path("reports/business.html").read_text(encoding="utf-8")
    tags = Tags(text)
    assert tags.open == []
    assert lines[-1] == "reports/business.html has the details."
    assert lines[0] in text
    assert "Jan 2024" in text
    assert "@media print" in text
    reckoned = json.loads(Path("reports/business.json").read_text(encoding="utf-8"))
    assert list(reckoned)[:3] == ["headline", "advice", "state"]
    assert (reckoned["headline"], reckoned["advice"], reckoned["state"]) == (*lines[:2], "pays")
    assert reckoned["realised"]["gain"] == 500.0
    hostile = "<script>alert(1)</script>"
    owners = {"data_scientist": hostile}
    write(
        {"name": hostile, "decision": hostile, "owners": owners, "estimate": {"cost_to_build": 1}}
    )
    lived(monkeypatch, gain=300.0)
    bad = render_page(replace(reckon(), unit=hostile, currency=hostile), Problem.read())
    assert hostile not in bad
    assert Tags(bad).tags == tags.tags


@pytest.mark.parametrize("gain", [500.0, None])
@pytest.mark.parametrize("unit", ["EUR", "points"])
def test_every_state_has_its_page(project, monkeypatch, gain, unit):
    write({"value": {"unit": unit}})
    lived(monkeypatch, gain=gain, a_month=None, why="" if gain else "nobody knows")
    assert Tags(render_page(reckon(), Problem.read())).open == []


def test_without_a_model_there_is_nothing_to_reckon(project):
    Path("reports/evaluation.json").unlink()
    with pytest.raises(UserError, match="is not there yet"):
        write_report()
    assert not Path("reports/business.html").exists()


def test_advice_names_the_scientist_by_role_if_nobody_is_named(project, monkeypatch):
    lived(monkeypatch, gain=-1.0)
    assert "the data scientist" in advise(reckon(), Problem(name="t"))
