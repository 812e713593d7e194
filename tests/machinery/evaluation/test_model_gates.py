import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from mlops.core.paths import GATE_REPORT, REPORTS, write_json
from mlops.core.resources import RESOURCES
from mlops.core.team import read_package_name
from mlops.evaluation import model_gates
from mlops.gates.requirements import read_requirements
from mlops.gates.yaml_location import Entry

GATES = [
    *("problem", "reject_rate", "rows", "leak", "baseline"),
    *("champion", "slices", "parity", "value", "resources", "latency"),
]
PROBLEM = {
    "name": "tiny",
    "decision": "Act?",
    "kpi": "Money",
    "owners": {
        "business_owner": "@acme/business",
        "data_engineer": "@acme/data",
        "data_scientist": "@acme/science",
        "ml_engineer": "@acme/ml",
        "devops_engineer": "@acme/devops",
    },
    "baseline": {"description": "Nobody acts."},
    "value": {
        "unit": "EUR",
        "true_positive": 1.0,
        "false_positive": -1.0,
        "false_negative": 0.0,
        "true_negative": 0.0,
    },
}
TRAIN = {"candidates": ["linear"]}
COLUMNS = [{"name": name} for name in ("x", "dep", "arr", "group")]
CONTRACT = {"schema": [{"name": "tiny", "properties": COLUMNS}]}
PARAMS = {"train": TRAIN, "budgets": {"latency_ms": 20.0}}
SLICE = {"column": "group", "protected": True, "value": "b", "rows": 500}
SUSPECT = {"column": "arr", "score": 0.99, "partner": "dep", "others": 0.4, "limit": 0.8}
FORMULA = {"columns": ["dep", "arr"], "formula": "dep + arr", "r2": 1.0}
RIVAL = {"score": 0.81, "difference": -0.01, "low": -0.03, "high": 0.01}
RIVAL |= {"value": 118.0, "gain": {"value": -2.0, "low": -9.0, "high": 5.0}}
GOOD = {
    "validation": {
        "read": 900,
        "rejected": 9,
        "reject_rate": 0.01,
        "reasons": [{"column": "x", "rule": "minimum", "rows": 9, "examples": ["-1"]}],
    },
    "split": {"rows": {"train": 900, "valid": 300, "test": 300}, "classes": 2},
    "leak": {"limit": 0.8, "scores": [], "suspects": [], "formula": None},
    "package": {
        "parity": {"rows": 300, "share_differing": 0.0, "max_difference": 1e-7},
    },
    "evaluation": {
        "task": "binary",
        "primary_metric": {"name": "roc_auc", "value": 0.8, "low": 0.78, "high": 0.82},
        "baseline": {
            "name": "roc_auc",
            "value": 0.5,
            "source": "the same answer for every row",
            "forecast": False,
        },
        "champion": {**RIVAL, "version": 3},
        "best": {**RIVAL, "version": 2},
        "champion_note": None,
        "slices": [{**SLICE, "metric": 0.65, "gap": 0.15, "low": 0.58, "high": 0.72}],
        "value": {
            "unit": "EUR",
            "model": 120.0,
            "do_nothing": 0.0,
            "do_nothing_means": "never acting",
            "drafted": False,
        },
    },
    "latency": {"p50_ms": 1.0, "p99_ms": 2.0},
}


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """Run the stage on good reports, changed at a path such as ("evaluation", "value")."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(model_gates, "has_part", lambda folder: folder == "serving")

    def run(*changes, seconds=10.0, memory=100.0, gates=GATES):
        files = deepcopy({**GOOD, "problem": PROBLEM, "params": PARAMS, "contract": CONTRACT})
        for path, value in changes:
            place = files
            for name in path[:-1]:
                place = place[name] if isinstance(name, int) else place.setdefault(name, {})
            place[path[-1]] = value
        for name in ("problem", "params", "contract"):
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(files.pop(name)))
        for name, content in files.items():
            write_json(REPORTS / f"{name}.json", content)
        usage = {"cpu_seconds": 1.0, "read_mb": 1.0, "written_mb": 1.0}
        for stage, taken in (("train", seconds), ("register", 5000.0)):
            figures = {"seconds": taken, "peak_memory_mb": memory, **usage}
            write_json(RESOURCES / f"{stage}.json", figures)
        model_gates.run()
        report = json.loads(GATE_REPORT.read_text())
        verdicts = {verdict["name"]: verdict for verdict in report["gates"]}
        assert list(verdicts) == gates
        assert report["passed"] == all(verdict["passed"] for verdict in verdicts.values())
        return verdicts

    return run


def test_every_gate_is_demanded_somewhere():
    assert list(read_requirements("pipeline")) == GATES


def blocked(verdicts):
    return [name for name, verdict in verdicts.items() if not verdict["passed"]]


@pytest.mark.parametrize(
    ("gate", "path", "value", "words"),
    [
        ("baseline", ("params", "gates", "min_lift"), 0.35, ("0.800", "reach 0.850")),
        ("champion", ("evaluation", "champion", "high"), -0.02, ("\u22120.0100", "no loss")),
        ("slices", ("params", "gates", "max_slice_gap"), 0.05, ("by 0.08", "0.05 is allowed")),
        ("parity", ("package", "parity", "share_differing"), 0.25, ("on 25.00", "to 0.10")),
        ("value", ("params", "gates", "min_value"), 500.0, ("+120 EUR", "more than 500")),
        ("resources", ("params", "budgets", "memory_mb"), 50, ("100 MB", "50 MB")),
        ("latency", ("params", "budgets", "latency_ms"), 1.5, ("2.0 ms", "may take 1.5 ms")),
    ],
)
def test_what_was_measured_and_what_is_allowed_are_said(
    judged, capsys, *, gate, path, value, words
):
    assert blocked(judged((path, value))) == [gate]
    sentence = next(line for line in capsys.readouterr().out.splitlines() if "BLOCKED" in line)
    assert sentence.startswith(f"{gate}: BLOCKED, ")
    assert all(word in sentence for word in words)
    assert "required by params.yaml" in sentence


def test_a_model_that_gains_less_than_agreed_is_not_said_to_lose(judged):
    gains = judged((("params", "gates", "min_value"), 500.0))["value"]["what_to_do"]
    assert "agree on a lower gates.min_value" in gains
    loses = judged((("evaluation", "value", "model"), -3.0))["value"]["what_to_do"]
    assert "this model does not pay" in loses


def test_a_good_run_passes_every_gate(judged):
    verdicts = judged()
    assert blocked(verdicts) == []
    assert all(not verdict["what_to_do"] for verdict in verdicts.values())


def test_without_a_service_nobody_asks_how_fast_it_is(judged, monkeypatch):
    monkeypatch.setattr(model_gates, "has_part", lambda folder: False)
    assert "latency" not in judged(gates=GATES[:-1])


def test_a_limit_of_null_is_none(judged):
    assert "latency" not in judged((("params", "budgets", "latency_ms"), None), gates=GATES[:-1])


IN_USE = ("evaluation", "champion")
# The gate, what breaks it, words of its advice, its owner, and an entry that demands it.
BREAKS = [
    ("problem", (("problem", "kpi"), " "), ("kpi", "@acme/business", "problem.yaml kpi")),
    (
        "reject_rate",
        (("validation", "reject_rate"), 0.5),
        ("contract.yaml", "@acme/data", "contract.yaml x"),
    ),
    (
        "rows",
        (("params", "data"), {"min_rows": 1501}),
        ("Add data", "@acme/data", "params.yaml data.min_rows"),
    ),
    (
        "leak",
        (("leak", "suspects"), [SUSPECT]),
        ("knownAtDecision", "@acme/science", "contract.yaml arr"),
    ),
    (
        "leak",
        (("leak", "formula"), FORMULA),
        ("mark dep, arr knownAtDecision", "@acme/science", "contract.yaml dep"),
    ),
    (
        "baseline",
        (("evaluation", "baseline", "value"), 0.7901),
        ("as it is now", "@acme/science", "params.yaml gates.min_lift"),
    ),
    (
        "champion",
        ((*IN_USE, "high"), -0.0001),
        ("Keep the champion", "@acme/science", "params.yaml gates.max_loss"),
    ),
    (
        "slices",
        (("evaluation", "slices", 0, "high"), 0.69),
        ("group = b", "@acme/science", "contract.yaml group"),
    ),
    (
        "parity",
        (("package", "parity", "share_differing"), 0.002),
        ("features.py", "@acme/ml", "params.yaml gates.max_parity_gap"),
    ),
    (
        "value",
        (("evaluation", "value", "model"), 0.0),
        ("does not pay", "@acme/business", "problem.yaml value"),
    ),
    (
        "resources",
        (("params", "budgets", "seconds"), 9.0),
        ("budgets", "@acme/devops", "params.yaml budgets.seconds"),
    ),
    (
        "latency",
        (("latency", "p99_ms"), 20.1),
        ("smaller models", "@acme/ml", "params.yaml budgets.latency_ms"),
    ),
]


@pytest.mark.parametrize(("name", "change", "expected"), BREAKS)
def test_a_broken_input_blocks_its_gate_and_no_other(judged, capsys, name, change, expected):
    advice, owner, entry = expected
    verdicts = judged(change)
    assert blocked(verdicts) == [name]
    assert advice in verdicts[name]["what_to_do"]
    assert verdicts[name]["owner"] == owner
    shown = capsys.readouterr().out
    assert f"{name}: BLOCKED" in shown
    place = Entry(*entry.split())
    assert place.line or place.name.startswith("gates.")  # which params.yaml leaves to its defaults
    assert str(place) in verdicts[name]["requirement"]
    assert f"(for {owner}; required by {verdicts[name]['requirement']})" in shown
    assert f"{len(GATES) - 1} of {len(GATES)} passed" in shown


def test_just_at_the_limit_passes(judged):
    exactly = [
        (("validation", "reject_rate"), 0.05),
        (("params", "data"), {"min_rows": 1500}),
        (("evaluation", "baseline", "value"), 0.79),
        (("evaluation", "slices", 0, "high"), 0.7),
        (("package", "parity", "share_differing"), 0.001),
    ]
    assert blocked(judged(*exactly)) == []


def test_an_identical_model_passes_beside_its_champion(judged):
    same = RIVAL | {"version": 3, "score": 0.8, "difference": 0.0, "low": 0.0, "high": 0.0}
    assert blocked(judged((IN_USE, same))) == []


def test_a_loss_that_is_allowed_passes(judged):
    loss = ((*IN_USE, "high"), -0.02)
    assert blocked(judged(loss)) == ["champion"]
    assert blocked(judged(loss, (("params", "gates"), {"max_loss": 0.03}))) == []


WORTH_LESS = ({"value": -6.0, "low": -9.0, "high": -3.0}, "\N{MINUS SIGN}6 (\N{MINUS SIGN}9 to")


@pytest.mark.parametrize(
    ("rival", "figure", "found", "words"),
    [
        ("best", "high", -0.001, "against the best so far, version 2; no loss beyond chance"),
        ("best", "gain", *WORTH_LESS),
        ("champion", "gain", *WORTH_LESS),
    ],
)
def test_what_is_behind_the_best_so_far_or_worth_less_is_blocked(
    judged, *, rival, figure, found, words
):
    behind = (("evaluation", rival, figure), found)
    verdict = judged(behind)
    assert blocked(verdict) == ["champion"]
    assert words in verdict["champion"]["meaning"]
    limit = {"high": "max_loss", "gain": "max_value_loss"}[figure]
    assert blocked(judged(behind, (("params", "gates", limit), 3.0))) == []
    drafted = judged(behind, (("evaluation", "value", "drafted"), True))
    assert blocked(drafted) == (["champion"] if figure == "high" else [])


def test_the_best_so_far_is_not_told_twice(judged):
    assert "best so far, version 2" in judged()["champion"]["meaning"]
    same = judged((("evaluation", "best"), {**RIVAL, "version": 3}))
    assert "best so far" not in same["champion"]["meaning"]


def test_no_champion_to_compare_with_is_said(judged):
    verdict = judged(
        (IN_USE, None),
        (("evaluation", "best"), None),
        (("evaluation", "champion_note"), "there is none yet"),
    )
    assert verdict["champion"]["passed"]
    assert "there is none yet" in verdict["champion"]["meaning"]


def test_slices_too_small_to_judge_raise_no_alarm(judged):
    small = {**SLICE, "metric": 0.3, "gap": 0.5, "low": None, "high": None}
    verdict = judged((("evaluation", "slices"), [small]))["slices"]
    assert verdict["passed"]
    assert "large enough" in verdict["meaning"]
    assert verdict["warning"] == (
        "too few test rows to judge group = b (500 rows): deliver more of them"
    )
    unprotected = (("evaluation", "slices"), [small | {"protected": False}])
    assert judged(unprotected)["slices"]["warning"] == ""


def test_rows_of_a_single_answer_cannot_beat_a_baseline(judged):
    unknown = {"name": "roc_auc", "value": None, "low": None, "high": None}
    changes = [(("evaluation", "primary_metric"), unknown), (("evaluation", "slices"), [])]
    verdicts = judged(*changes)
    assert blocked(verdicts) == ["baseline"]
    assert "same answer" in verdicts["baseline"]["meaning"]


def test_memory_counts_and_later_stages_do_not(judged):
    verdict = judged((("params", "budgets", "memory_mb"), 4000.0), memory=5000.0)["resources"]
    assert not verdict["passed"]
    assert "more memory" in verdict["meaning"]
    assert verdict["measured"] == "10 s, 5,000 MB"


def test_without_handles_the_roles_are_asked(judged):
    verdicts = judged((("problem", "owners"), {}), (("split", "rows", "train"), 0))
    assert verdicts["rows"]["owner"] == "data engineer"
    assert "owners.ml_engineer" in verdicts["problem"]["what_to_do"]


def test_words_of_the_template_pass_and_are_told(judged):
    assert "template" not in judged()["problem"]["meaning"]
    verdict = judged((("problem", "kpi"), "Value of a thousand decisions"))["problem"]
    assert verdict["passed"]
    assert verdict["meaning"].endswith(
        "but kpi still as the template drafted it: @acme/business has to fill it in"
    )


def test_judging_needs_no_heavy_library(judged):
    judged()
    Path("pyproject.toml").write_text(f'[tool.mlops]\npackage = "{read_package_name()}"\n')
    code = f"import {model_gates.__name__} as gates, sys; gates.run(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    shown = done.stdout.decode()
    assert not {"mlflow", "sklearn", "lightgbm"} & set(shown.split())


def test_by_figures_that_nobody_agreed_to_no_model_is_refused(judged):
    drafted = (("problem", "value", "unit"), "points")
    loss = (("evaluation", "value", "model"), -3.0)
    value = judged(drafted, loss)["value"]
    assert value["passed"]
    assert "not judged yet: by the template's draft of value" in value["meaning"]
    assert value["warning"] == (
        "@acme/business has to say in problem.yaml what outcomes are really worth"
    )
    assert blocked(judged(loss)) == ["value"]
    assert "have to gain more than" in judged(drafted)["value"]["meaning"]
