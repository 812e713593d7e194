"""The team's files: what their docstrings promise, and what a mistake in them says. Those of the
first release run with every later platform.
"""

import ast
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from mlops import api
from mlops.core.errors import UserError
from mlops.core.libraries import LibraryError
from mlops.core.params import Params, TrainParams
from mlops.core.paths import TEST
from mlops.core.problem import Owners, Problem
from mlops.core.team import load_team_list, load_team_module, read_package_name, team_code
from mlops.evaluation.evidence import Evidence
from mlops.gates.own_gates import Gate, judge_own_gate, load_own_gates
from mlops.gates.requirement_table import list_requirements
from mlops.model.candidate import load_candidates
from mlops.model.metrics import find_primary_metric, load_metrics, measure_all_metrics
from mlops.model.trial_runner import Plan, TrialRunner
from mlops.testing import example_inputs, example_table, share_differing

import tiny
from lacking import lacking
from team_packages import SEEDED, team_package

FIRST_RELEASE = Path(__file__).parent / "first_release"
OWNED = Problem(name="tiny", owners=Owners(business_owner="@acme/business"))
PARAMS = Params(train=TrainParams(candidates=["linear"]))
LISTS = {"gates": "GATES", "metrics": "METRICS", "candidates": "CANDIDATES", "features": None}


def with_example(name):
    """A seeded file with the example of its docstring put where that says."""
    text = (SEEDED / f"{name}.py").read_text(encoding="utf-8")
    blocks = re.findall(
        r"(?:^(?: {4}.*)?\n)+", ast.get_docstring(ast.parse(text), clean=False), re.M
    )
    example = textwrap.dedent("\n".join(blocks)).strip()
    code, items = re.split(r"\n\n(?=Gate\(|Metric\(|Candidate\(|\(\")", example, maxsplit=1)
    if name == "features":
        changed = text.replace(
            '            ("few", one_hot()',
            f'            {items}\n            ("few", one_hot()',
            1,
        )
        where = "\n\ndef scaled"
    elif name == "candidates":
        changed = text.replace("CANDIDATES = (\n", f"CANDIDATES = (\n{items}\n")
        where = "\nCANDIDATES ="
    else:
        changed = re.sub(
            rf"{LISTS[name]}(: .*?) = \(\)", lambda m: f"{LISTS[name]}{m[1]} = (\n{items}\n)", text
        )
        where = f"\n{LISTS[name]}:"
    assert changed != text
    return changed.replace(where, f"\n{code}\n{where}", 1)


@pytest.mark.parametrize("name", sorted(LISTS))
def test_a_seeded_file_is_short_and_imports_only_what_is_public(name):
    text = (SEEDED / f"{name}.py").read_text(encoding="utf-8")
    assert text.count("\n") < 60
    imported = re.findall(r"^\s*(?:from|import) (mlops[\w.]*)", text, re.M)
    assert set(imported) == {"mlops.api"}


def test_every_public_name_is_there_and_described():
    for name in api.__all__:
        assert getattr(api, name) is not None
        assert name == "Task" or name in api.__doc__
    with pytest.raises(AttributeError, match="has no Candidates; it has Candidate"):
        _ = api.Candidates


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_example_of_a_candidate_learns_and_packs_exactly(tmp_path, task):
    with team_package(tmp_path, candidates=with_example("candidates")):
        [forest] = [each for each in load_candidates() if each.name == "forest"]
        assert share_differing(forest, task) <= 0.01


def test_the_example_of_a_feature_step_adds_columns_and_packs_exactly(tmp_path):
    values, answers = example_inputs("binary")
    with team_package(tmp_path, features=with_example("features")):
        made = load_team_module("features").scaled().fit_transform(values, answers)
        [linear] = [each for each in load_candidates() if each.name == "linear"]
        assert share_differing(linear, "binary") <= 0.01
    with team_package(tmp_path / "as-seeded"):
        assert (
            made.shape[1]
            > load_team_module("features").scaled().fit_transform(values, answers).shape[1]
        )


def test_the_examples_of_metrics_are_told_and_can_be_chosen_by(tmp_path):
    truth = np.array([0, 1, 1, 0] * 50)
    scores = np.linspace(0, 1, 200)
    with team_package(tmp_path, metrics=with_example("metrics")):
        figures = measure_all_metrics("binary", truth, scores, 0.5)
        assert figures["f2"] == pytest.approx(0.5)
        assert figures["cost_at_100"] == 100 + 5 * truth[:100].sum()
        assert "mape" not in figures
        assert measure_all_metrics("regression", truth + 1.0, truth + 2.0)["mape"] == pytest.approx(
            0.75
        )
        assert find_primary_metric("binary", "f2").score(truth, scores) == figures["f2"]
        with pytest.raises(UserError, match="neg_mape"):
            find_primary_metric("binary", "neg_mape")


@pytest.fixture
def evidence(tmp_path):
    """Of a packaged model and its rows."""
    tiny.write_run(tmp_path)
    return Evidence({"task": "binary"})


def test_the_example_of_a_gate_blocks_and_leads_to_its_line(tmp_path, evidence):
    with team_package(tmp_path, gates=with_example("gates")) as folder:
        [gate] = load_own_gates()
        verdict = judge_own_gate(gate, evidence, OWNED)
        lines = (folder / "gates.py").read_text(encoding="utf-8").splitlines()
        line = lines.index("def few_enough_to_handle(evidence):") + 1
        assert not verdict.passed
        assert verdict.sentence() == (
            "workload: BLOCKED, 49% of the cases would be acted on. Have more hands, or a higher "
            "cost of acting in problem.yaml. (for @acme/business; required by "
            f"src/{folder.name}/gates.py:{line} workload)"
        )
        [row] = [row for row in list_requirements(OWNED, PARAMS) if row.gate == "workload"]
        assert (row.room, row.owner, str(row.demands[0][0])) == (
            "pipeline",
            "@acme/business",
            f"src/{folder.name}/gates.py:{line} workload",
        )


def test_the_evidence_is_the_rows_and_what_the_model_says_of_them(tmp_path, evidence, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert evidence.clean().equals(tiny.table())
    predictions = evidence.predictions()
    assert predictions.drop("prediction", "score", "decision").equals(tiny.table())
    assert (predictions["decision"] == (predictions["x"] > 0)).mean() > 0.99
    tiny.table().rename({"noise": "score"}).write_parquet(TEST)
    with pytest.raises(UserError, match="the table has a column 'score', as the predictions have"):
        Evidence({}).predictions()


GATE = """\
from mlops.api import Finding, Gate

def check(evidence):
    return {returns}

GATES = ({gates})
"""
FINE = "Finding(True, 1, 2, 'fine')"
ONE = "Gate('ours', 'Ours', 'ml_engineer', check)"


@pytest.mark.parametrize(
    ("returns", "gates", "says"),
    [
        ("1 / 0", f"{ONE},", "src/{team}/gates.py:4: ZeroDivisionError: division by zero."),
        ("True", f"{ONE},", "src/{team}/gates.py:3 ours: it returns True, which is not a Finding."),
        (
            "Finding('no', 1, 2, 'x')",
            f"{ONE},",
            "gates.py:3 ours: passed is 'no', which is not True",
        ),
        (FINE, "1,", "src/{team}/gates.py:6: GATES holds 1, which is not a Gate."),
        (FINE, f"{ONE}, {ONE}", "src/{team}/gates.py:3 ours: there is a gate 'ours' already"),
        (FINE, ONE.replace("ours", "leak") + ",", "there is a gate 'leak' already; rename it."),
        (
            FINE,
            ONE.replace("ml_", "xl_") + ",",
            "its owner is 'xl_engineer'; the roles are business",
        ),
        (FINE, "'one'", "src/{team}/gates.py:6: GATES must be a tuple, such as GATES = ()."),
        ("(", f"{ONE},", "src/{team}/gates.py:4: SyntaxError: '(' was never closed"),
        (
            FINE,
            f"{ONE},)\nfrom mlops.api import (Gaet",
            "py:7: cannot import name 'Gaet' from 'mlops.api'",
        ),
        (
            FINE,
            f"{ONE},)\nfrom .nix import (a",
            "src/{team}/gates.py:7: No module named '{team}.nix'.",
        ),
        (FINE, "Gaet(),", "src/{team}/gates.py:6: NameError: name 'Gaet' is not defined"),
    ],
)
def test_a_mistake_in_gates_is_one_sentence(tmp_path, evidence, returns, gates, says):
    text = GATE.format(returns=returns, gates=gates)
    with team_package(tmp_path, gates=text) as folder:
        with pytest.raises(UserError, match=re.escape(says.format(team=folder.name))) as raised:
            [judge_own_gate(gate, evidence, OWNED) for gate in load_own_gates()]
        assert "\n" not in str(raised.value)


METRIC = """\
from mlops.api import Metric

METRICS = ({metrics})
"""


@pytest.mark.parametrize(
    ("metrics", "says"),
    [
        ("len,", "metrics.py:3: METRICS holds <built-in function len>, which is not a Metric."),
        (
            "Metric('roc_auc', max),",
            "metrics.py:3: there is a metric 'roc_auc' already; rename it.",
        ),
        (
            "Metric('a', max), Metric('a', min)",
            "metrics.py:3: there is a metric 'a' already; rename it.",
        ),
        (
            "Metric('log_loss', max),",
            "metrics.py:3: there is a metric 'log_loss' already; rename it.",
        ),
        (
            "Metric('accuracy', max),",
            "metrics.py:3: there is a metric 'accuracy' already; rename it.",
        ),
    ],
)
def test_a_mistake_in_metrics_is_one_sentence(tmp_path, metrics, says):
    with (
        team_package(tmp_path, metrics=METRIC.format(metrics=metrics)),
        pytest.raises(UserError, match=re.escape(says)),
    ):
        load_metrics("binary")


def test_only_a_name_that_begins_so_is_a_loss(tmp_path):
    metrics = "Metric('true_neg_rate', lambda truth, scores: 0.25),"
    with team_package(tmp_path, metrics=METRIC.format(metrics=metrics)):
        figures = measure_all_metrics("binary", np.array([0, 1]), np.array([0.1, 0.9]), 0.5)
    assert figures["true_neg_rate"] == 0.25


def test_a_gate_of_another_file_is_found_there(tmp_path):
    gates = "from mlops.api import Gate\n\nfrom .more import check\n\n"
    gates += "GATES = (Gate('ours', 'Ours', 'ml_engineer', check),)\n"
    with team_package(tmp_path, gates=gates) as folder:
        (folder / "more.py").write_text("# More.\ndef check(evidence):\n    return None\n")
        [gate] = load_own_gates()
        assert str(gate.place) == f"src/{folder.name}/more.py:2 ours"


def test_a_candidate_named_twice_is_refused(tmp_path):
    text = (SEEDED / "candidates.py").read_text(encoding="utf-8")
    text = text.replace('Candidate("linear"', 'Candidate("lightgbm"')
    lines = text.splitlines()
    second = lines.index('        "lightgbm",')
    with team_package(tmp_path, candidates=text) as folder:
        says = f"src/{folder.name}/candidates.py:{second}: there are two candidates 'lightgbm'; re"
        with pytest.raises(UserError, match=re.escape(says)):
            load_candidates()


def test_a_metric_that_fails_names_its_line_and_ends_the_search(tmp_path):
    text = "from mlops.api import Metric\n\n\ndef odd(truth, scores):\n    return truth.none\n\n\n"
    text += "METRICS = (Metric('odd', odd),)\n"
    with team_package(tmp_path, metrics=text) as folder:
        rows, contract = example_table("binary")
        params = Params(train=TrainParams(candidates=["linear"], metric="odd"))
        runner = TrialRunner.of(rows[:200], rows[200:], contract, params)
        [linear] = [each for each in load_candidates() if each.name == "linear"]
        says = f"src/{folder.name}/metrics.py:5: AttributeError: 'numpy.ndarray' object has no"
        with pytest.raises(UserError, match=re.escape(says)):
            runner.attempt(Plan(linear, linear.defaults))


def test_files_that_a_team_does_not_have_are_lists_with_nothing_in_them(tmp_path):
    with team_package(tmp_path, gates="", metrics=""):
        assert load_own_gates() == ()
        assert "roc_auc" in load_metrics("binary")


def test_a_candidate_can_be_taken_away(tmp_path):
    text = (SEEDED / "candidates.py").read_text(encoding="utf-8")
    text = text.replace(", lightgbm, linear", ", linear")
    text = re.sub(r'    Candidate\(\n        "lightgbm",.*?\n    \),\n', "", text, flags=re.S)
    with team_package(tmp_path, candidates=text):
        assert [each.name for each in load_candidates()] == [
            *("baseline", "linear", "hist_gradient_boosting")
        ]
        rows, contract = example_table("binary")
        params = Params(train=TrainParams(candidates=["linear"]))
        runner = TrialRunner.of(rows[:200], rows[200:], contract, params)
        [linear] = [each for each in load_candidates() if each.name == "linear"]
        assert runner.attempt(Plan(linear, linear.defaults, keep=0.5)).score > 0.8


def test_an_error_elsewhere_is_not_blamed_on_the_team(tmp_path):
    with team_package(tmp_path), pytest.raises(ZeroDivisionError), team_code():
        _ = 1 / 0


def test_a_package_that_is_not_there_is_one_sentence(tmp_path, monkeypatch):
    with team_package(tmp_path):
        (tmp_path / "pyproject.toml").write_text('[tool.mlops]\npackage = "nobodys"\n')
        with pytest.raises(UserError, match=r"there is no package nobodys, which .* names under"):
            load_team_list("gates", "GATES", Gate)


@pytest.fixture
def first_release(tmp_path):
    """The team's files as the first release seeded them, with the examples of their docstrings."""
    files = {file.stem: file.read_text(encoding="utf-8") for file in FIRST_RELEASE.glob("*.py")}
    assert set(files) == set(LISTS)
    with team_package(tmp_path, **files):
        yield read_package_name()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_files_of_the_first_release_run_with_this_one(first_release, evidence, task):
    assert [each.name for each in load_candidates()] == [
        *("forest", "baseline", "linear", "hist_gradient_boosting", "lightgbm")
    ]
    for candidate in load_candidates():
        if not candidate.baseline:
            try:
                assert share_differing(candidate, task) <= 0.01
            except LibraryError as error:
                lacking(str(error))
    [gate] = load_own_gates()
    assert judge_own_gate(gate, evidence, OWNED).measured == pytest.approx(0.5, abs=0.05)
    assert {"binary": "f2", "regression": "neg_mape"}.get(task, "roc_auc_ovr") in load_metrics(task)
