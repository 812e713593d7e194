"""What figures mean, and whose turn it is."""

import pytest
from mlops.core.problem import Problem
from mlops.gates.requirements import read_requirements
from mlops.monitoring.checks import check, choose_headline
from mlops.monitoring.performance import measure_rows

import lived

OWNERS = {
    "business_owner": "@b",
    "data_engineer": "@de",
    "data_scientist": "@ds",
    "devops_engineer": "@do",
}
PROBLEM = Problem(name="t", owners=OWNERS)


def an_input(name="size", psi=0.01, missing=(0.0, 0.0), unseen=None):
    pairs = [
        part and dict(zip(("live", "expected"), part, strict=True)) for part in (missing, unseen)
    ]
    return {"input": name, "psi": psi, "missing": pairs[0], "unseen": pairs[1]}


def judged(inputs=(), came=600, monitoring=None, **performance):
    """Verdicts by name, where all is well but what is given."""
    project = lived.project(monitoring=monitoring or {})
    figures = measure_rows(lived.rows(many=1000), project)
    figures["metric"] |= {"expected": figures["metric"]["value"]}
    for name, change in performance.items():
        figures[name] = figures[name] | change if isinstance(change, dict) else change
    moved = {"rows": came, "inputs": list(inputs) or [an_input()]}
    verdicts = check(figures, moved, PROBLEM, project.params)
    return {verdict.name: verdict for verdict in verdicts}, choose_headline(verdicts, figures)


def failed(**change):
    """The one check that failed, and the headline."""
    verdicts, line = judged(**change)
    [one] = [verdict for verdict in verdicts.values() if not verdict.passed]
    return one, line


def test_all_is_well():
    verdicts, line = judged()
    assert all(verdict.passed for verdict in verdicts.values())
    assert list(verdicts) == list(read_requirements("service"))
    assert line == "The model does what it promised."


@pytest.mark.parametrize(
    ("change", "name", "owner", "words"),
    [
        (
            {"value": {"gained": -3.0}},
            "value",
            "@b",
            "worth \N{MINUS SIGN}3 EUR",
        ),
        ({"metric": {"value": 0.6, "expected": 0.8}}, "performance", "@ds", "reaches 0.600"),
        (
            {"slices": [{"column": "town", "value": "b", "high": 0.2, "rows": 200}]},
            "slices",
            "@ds",
            "town = b",
        ),
        ({"inputs": [an_input(missing=(0.5, 0.1))]}, "missing", "@de", "size (50.0 % instead"),
        ({"inputs": [an_input(unseen=(0.2, 0.1))]}, "unseen", "@de", "size (20.0 % instead"),
        ({"inputs": [an_input(psi=0.7)]}, "drift", "@ds", "size drifted"),
        ({"came": 10}, "traffic", "@do", "10 records came"),
    ],
)
def test_each_check_fails_for_its_owner(change, name, owner, words):
    verdict, line = failed(**change)
    assert (verdict.name, verdict.owner) == (name, owner)
    assert verdict.requirement.startswith("params.yaml")
    assert words in verdict.meaning.replace("\u00a0", " ")
    assert verdict.what_to_do
    assert line.endswith(".")
    assert line != "The model does what it promised."


def test_the_gravest_is_the_headline():
    change = {"value": {"gained": -3.0}, "inputs": [an_input(psi=3.0)]}
    assert judged(**change)[1] == "The decisions are worth less than required."


def test_a_loss_within_the_limit_is_none():
    within = {"metric": {"value": 0.76, "expected": 0.8}}
    assert judged(**within)[0]["performance"].passed
    assert not judged(**within, monitoring={"max_performance_loss": 0.03})[0]["performance"].passed


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        ("max_psi", "drift"),
        ("max_missing", "missing"),
        ("max_unseen", "unseen"),
        ("max_performance_loss", "performance"),
    ],
)
def test_without_a_limit_there_is_no_check(limit, name):
    assert name not in judged(monitoring={limit: None})[0]


def test_too_little_says_nothing_and_passes():
    drifted = [an_input(psi=9.0, missing=(1.0, 0.0), unseen=(1.0, 0.0))]
    verdicts, _ = judged(inputs=drifted, came=10, monitoring={"min_rows": 11})
    for name in ("drift", "missing", "unseen"):
        assert (verdicts[name].passed, verdicts[name].measured) == (True, None)
    assert not verdicts["traffic"].passed
    lately, _ = judged(value={"realised": -3.0}, monitoring={"min_rows": 801}, came=900)
    assert (lately["value"].passed, lately["value"].measured) == (True, None)
    assert "800 truths known" in lately["value"].meaning


def test_where_no_truth_is_known_it_says_so():
    none = {"metric": {"value": None, "low": None, "high": None}, "slices": [], "rows": 0}
    verdicts, line = judged(**none)
    assert verdicts["performance"].measured is None
    assert line == "Nothing looks wrong; the ground truth is not known yet."
