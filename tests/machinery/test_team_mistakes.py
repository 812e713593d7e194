"""Whatever a team's file does wrong is one sentence with its line, and touches nothing else."""

import json
import re

import numpy as np
import pytest
from mlops.core.errors import BlockedError, UserError
from mlops.core.params import Params, TrainParams
from mlops.core.paths import write_json
from mlops.core.problem import Owners, Problem
from mlops.core.stages import run_stage
from mlops.core.team import load_team_module
from mlops.evaluation.evidence import Evidence
from mlops.gates.own_gates import judge_own_gate, load_own_gates
from mlops.model.candidate import find_candidates, load_candidates
from mlops.model.metrics import Metric, find_primary_metric, load_metrics, measure_all_metrics
from mlops.model.train import explain_misfit, split_usable
from mlops.model.trial_runner import Plan, TrialRunner
from mlops.testing import example_table

import tiny
from team_packages import team_package

OWNED = Problem(name="tiny", owners=Owners(business_owner="@acme/business"))
TRUTH = np.array([0, 1, 1, 0] * 10)
SCORES = np.linspace(0, 1, 40)
# A file of the team's with what it defines in its fifth line, and its list in the seventh.
FILE = """\
import functools
from mlops.api import Candidate, Finding, Gate, Metric, Range, linear
from .features import raw, scaled

{defines}

{list} = ({items})
"""
LINEAR = "Candidate('linear', scaled, linear, {'shrinkage': Range(0.1, 10.0, 1.0)})"


def file(kind, items="", defines=""):
    items += "," * bool(items)
    return {kind: FILE.format(defines=defines, list=kind.upper(), items=items)}


def metrics(score):
    return file("metrics", "Metric('odd', score)", score)


def candidate(model):
    return file("candidates", f"Candidate('odd', scaled, model), {LINEAR}", model)


def make_runner(metric="auto"):
    rows, contract = example_table("binary")
    params = Params(train=TrainParams(candidates=["linear"], metric=metric, folds_below_rows=0))
    return TrialRunner.of(rows[:200], rows[200:], contract, params)


def attempt(name="odd"):
    [plan] = [Plan(each, each.defaults) for each in load_candidates() if each.name == name]
    return make_runner().attempt(plan)


def says(text):
    """An error of one line that has this text in it."""
    return pytest.raises(UserError, match=f"(?s)^[^\n]*{re.escape(text)}[^\n]*$")


# Whatever is called gets copies.


def test_a_metric_may_alter_what_it_gets_and_no_other_figure_sees_it(tmp_path):
    spoil = "def score(truth, scores): truth[:] = 0; scores.sort(); return 1.0"
    with team_package(tmp_path, **metrics(spoil)):
        truth, scores = TRUTH.copy(), SCORES[::-1].copy()
        figures = measure_all_metrics("binary", truth, scores, 0.5)
        assert figures["odd"] == 1
        assert (truth == TRUTH).all()
        assert (scores == SCORES[::-1]).all()
    with team_package(tmp_path / "without"):
        assert figures == measure_all_metrics("binary", truth, scores, 0.5) | {"odd": 1}


def test_steps_and_models_may_alter_what_they_learn_from(tmp_path):
    spoiling = """
from sklearn.linear_model import LogisticRegression
class Spoiling(LogisticRegression):
    def fit(self, values, truth):
        super().fit(values, truth)
        truth[:] = 0
        return self
def model(task): return Spoiling()"""
    with team_package(tmp_path, **candidate(spoiling)):
        ours, [odd] = make_runner(), find_candidates(["odd"])
        whole = np.arange(200)
        ours = TrialRunner(
            ours.values, ours.truth.copy(), ours.contract, ours.metric, [(whole, whole)]
        )
        before = ours.truth.copy()
        assert ours.attempt(Plan(odd, {})).score > 0.8
        assert (ours.truth == before).all()


@pytest.fixture
def evidence(tmp_path):
    tiny.write_run(tmp_path)
    return Evidence({"task": "binary", "slices": [1]})


def test_a_gate_may_alter_what_it_gets_and_the_next_does_not_see_it(tmp_path, evidence):
    spoil = """
def spoil(evidence):
    evidence.evaluation["slices"].clear()
    evidence.predictions().drop_in_place("score")
    return Finding(True, len(evidence.evaluation["slices"]), 0, "fine")"""
    items = "Gate('a', 'A', 'ml_engineer', spoil), Gate('b', 'B', 'ml_engineer', spoil)"
    with team_package(tmp_path, **file("gates", items, spoil)):
        assert [judge_own_gate(gate, evidence, OWNED).measured for gate in load_own_gates()] == [
            1,
            1,
        ]
    assert "score" in evidence.predictions().columns


# An exit is an error.


@pytest.mark.parametrize("leave", ["raise SystemExit(0)", "exit()", "import sys; sys.exit(0)"])
def test_an_exit_in_a_file_of_the_team_is_told(tmp_path, leave):
    with (
        team_package(tmp_path, **file("gates", defines=leave)) as folder,
        says(f"src/{folder.name}/gates.py:5: it ends the program, by SystemExit("),
    ):
        load_own_gates()
    with team_package(tmp_path / "root") as folder:
        (folder / "__init__.py").write_text(f"# Ours.\n{leave}\n")
        with says(f"src/{folder.name}/__init__.py:2: it ends the program"):
            load_team_module("gates")


def test_an_exit_in_a_function_of_the_team_is_told(tmp_path, evidence):
    items = "Gate('a', 'A', 'ml_engineer', a), Gate('b', 'B', 'ml_engineer', exit)"
    gate = file("gates", items, "def a(evidence): exit()")
    model = candidate("def model(task): raise SystemExit(0)")
    with team_package(tmp_path, **gate, **model, **metrics("def score(t, s): exit()")) as folder:
        first, second = load_own_gates()
        with says(f"src/{folder.name}/gates.py:5: it ends the program, by SystemExit(None)"):
            judge_own_gate(first, evidence, OWNED)
        with says("gates.py:7 b: it ends the program"):
            judge_own_gate(second, evidence, OWNED)
        with says(f"src/{folder.name}/metrics.py:5: it ends the program"):
            measure_all_metrics("binary", TRUTH, SCORES, 0.5)
        with says(f"src/{folder.name}/candidates.py:5: it ends the program"):
            split_usable(find_candidates(["odd"]), "binary")
        with says(f"src/{folder.name}/candidates.py:5: it ends the program"):
            attempt()


def test_a_stage_does_not_pass_by_an_exit(tmp_path):
    with team_package(tmp_path, **file("gates", defines="exit()")) as folder:
        for name in ("params.yaml", "problem.yaml"):
            text = "train: {candidates: [linear]}" if name == "params.yaml" else "name: t"
            (tmp_path / name).write_text(text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("mlops.evaluation.model_gates.run", load_own_gates)
            with says(f"src/{folder.name}/gates.py:5: it ends the program"):
                run_stage("gate")


# A library that is missing, and what only looks like one.


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("def model(task): from .nothing import it", "No module named"),
        ("def model(task): from sklearn import Nothing", "cannot import name 'Nothing'"),
        ("def model(task): import sklearn.nothing", "No module named 'sklearn.nothing'"),
        ("def model(task): import features", "is imported by 'from .features import ...'"),
        ("def model(task): open('weights.json')", "FileNotFoundError"),
        ("def model(task): raise ImportError('too old')", "too old"),
    ],
)
def test_a_mistake_in_a_candidate_is_no_missing_library(tmp_path, model, told):
    with team_package(tmp_path, **candidate(model)) as folder:
        for trying in (lambda: split_usable(find_candidates(["odd"]), "binary"), attempt):
            with says(f"src/{folder.name}/candidates.py:5: ") as raised:
                trying()
            assert told in str(raised.value)


@pytest.mark.parametrize(
    ("library", "lack"),
    [
        ("raise OSError('libgomp.so.1: cannot open shared object file')", "libgomp is not inst"),
        ("raise ImportError('undefined symbol: it')", "its library is broken"),
        ("import nothing_at_all", "the package nothing_at_all is not installed"),
        (None, "the package {library} is not installed"),
    ],
)
def test_a_library_that_cannot_be_loaded_leaves_its_candidate_out(tmp_path, library, lack):
    name = f"boosted_{tmp_path.name}"
    with team_package(tmp_path, **candidate(f"def model(task): import {name}")):
        if library:
            (tmp_path / "src" / f"{name}.py").write_text(library)
        usable, left_out = split_usable(find_candidates(["odd", "linear"]), "binary")
    assert [each.name for each in usable] == ["linear"]
    [reason] = left_out
    assert reason.startswith(f"odd: {lack.format(library=name)}")


# What a metric returns, and a gate measures.


@pytest.mark.parametrize("returned", ["None", "'0.5'", "True", "s", "[0.5]", "s > 2", "1j"])
def test_a_metric_that_returns_no_number_is_told(tmp_path, returned):
    with team_package(tmp_path, **metrics(f"def score(t, s): return {returned}")) as folder:
        place = f"src/{folder.name}/metrics.py:5: metric odd: it returns "
        with says(place):
            measure_all_metrics("binary", TRUTH, SCORES, 0.5)
        [linear] = find_candidates(["linear"])
        with says(place):
            make_runner("odd").attempt(Plan(linear, linear.defaults))


@pytest.mark.parametrize("returned", ["0.5", "s.max() / 2", "len(s) / 80", "np.float32(0.5)"])
def test_a_metric_may_return_a_number_of_any_kind(tmp_path, returned):
    score = f"import numpy as np\ndef score(t, s): return {returned}"
    with team_package(tmp_path, **metrics(score)):
        measured = measure_all_metrics("binary", TRUTH, SCORES, 0.5)["odd"]
    assert (type(measured), measured) == (float, 0.5)


def test_an_infinite_metric_fails_a_trial_and_no_report_holds_it(tmp_path):
    with team_package(tmp_path, **metrics("def score(t, s): return float('-inf')")) as folder:
        place = f"src/{folder.name}/metrics.py:5: metric odd: it returns -inf, which is not finite"
        with says(place):
            measure_all_metrics("binary", TRUTH, SCORES, 0.5)
        [linear] = find_candidates(["linear"])
        assert make_runner("odd").attempt(Plan(linear, linear.defaults)).fault.startswith(place)


def test_a_metric_that_refuses_the_scores_is_told_with_its_name(tmp_path):
    score = "from sklearn.metrics import roc_auc_score as score"
    with (
        team_package(tmp_path, **metrics(score)) as folder,
        says(f"src/{folder.name}/metrics.py:7: metric odd: ValueError: "),
    ):
        find_primary_metric("binary", "odd").measure(TRUTH, np.full(40, np.nan))


@pytest.mark.parametrize(
    ("returns", "told"),
    [
        ("Finding(True, float('nan'), 1, 'x')", "measured is nan, which is not a finite number"),
        ("Finding(True, 1, float('inf'), 'x')", "limit is inf, which is not a finite number"),
        (
            "Finding(True, [1], 1, 'x')",
            "measured is [1], which is not a finite number, text or None",
        ),
        ("Finding(True, True, 1, 'x')", "measured is True, which is not a finite number"),
        ("Finding(True, 1, 1, None)", "meaning is None, which is not a text"),
        ("Finding(False, 1, 1, 'x', 3)", "what_to_do is 3, which is not a text"),
    ],
)
def test_a_gate_measures_what_a_report_can_hold(tmp_path, returns, told):
    gate = file(
        "gates", "Gate('ours', 'Ours', 'ml_engineer', check)", f"def check(_): return {returns}"
    )
    with team_package(tmp_path, **gate) as folder:
        [ours] = load_own_gates()
        with says(f"src/{folder.name}/gates.py:5 ours: {told}"):
            judge_own_gate(ours, Evidence({}), OWNED)


def test_a_number_of_numpy_is_a_measure(tmp_path):
    check = (
        "import numpy as np\ndef check(_): return Finding(True, np.float32(0.5), np.int64(2), '')"
    )
    gate = file("gates", "Gate('ours', 'Ours', 'ml_engineer', check)", check)
    with team_package(tmp_path, **gate):
        verdict = judge_own_gate(load_own_gates()[0], Evidence({}), OWNED)
    assert json.loads(verdict.model_dump_json())["measured"] == 0.5
    assert verdict.limit == 2


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_no_report_is_written_that_other_readers_of_json_refuse(tmp_path, figure):
    target = tmp_path / "report.json"
    write_json(target, {"figure": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(target, {"figure": figure})
    assert json.loads(target.read_text()) == {"figure": 1}


# What is listed.


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("Range('1', 2, 1)", "low of a Range is '1', which is not a number"),
        ("Range(1, True, 1)", "high of a Range is True, which is not a number"),
        ("Range(1, float('inf'), 1)", "high of a Range is inf, which is not finite"),
        ("Range(2, 1, 1)", "low must be less than high"),
        ("Range(1, 1, 1)", "low must be less than high"),
        ("Range(0, 1, 1, log=True)", "low must be above 0"),
        ("Range(0, 1, 1, log='yes')", "log of a Range is 'yes', which is not True or False"),
        ("Range(0, 1, 2)", "the default must lie between low and high"),
        ("Range(0, 2, 0.5)", "the default must be a whole number"),
        ("Candidate('', raw, print)", "the name of a Candidate is ''"),
        ("Candidate('a=b', raw, print)", "the name of a Candidate is 'a=b'; a name has letters"),
        ("Candidate('a', 1, print)", "steps of the candidate a is 1, which is not a function"),
        (
            "Candidate('a', raw, 'Ridge')",
            "model of the candidate a is 'Ridge', which is not a func",
        ),
        ("Candidate('a', raw, print, [1])", "space of the candidate a is [1], which is not a dict"),
        ("Candidate('a', raw, print, {'b': 1})", "b of the candidate a is 1, which is not a Range"),
        ("Candidate('a', raw, print, {'b c': 1})", "has 'b c', which is not a name of a setting"),
        ("Candidate('a', raw, print, baseline=1)", "baseline of the candidate a is 1, which is no"),
        ("Metric('a(b)', max)", "the name of a Metric is 'a(b)'; a name has letters, digits, '_'"),
        ("Metric(None, max)", "the name of a Metric is None"),
        ("Metric('neg_', max)", "the name of the loss 'neg_' is ''"),
        ("Metric('a', 'max')", "score of the metric a is 'max', which is not a function"),
        (
            "Metric('a', max, tasks='binary')",
            "tasks of the metric a is 'binary', which is not a tup",
        ),
        (
            "Metric('a', max, tasks=('yes_no',))",
            "tasks of the metric a has 'yes_no'; there are",
        ),
        ("Gate(' ', 'A', 'ml_engineer', print)", "the name of a Gate is ' ', which is not a line"),
        (
            "Gate('a', None, 'ml_engineer', print)",
            "asks of the gate a is None, which is not a line",
        ),
        ("Gate('a', 'A', ['ml_engineer'], print)", "owner of the gate a is ['ml_engineer'], whi"),
        ("Gate('a', 'A', 'ml_engineer', 1)", "check of the gate a is 1, which is not a function"),
        ("Gate('a', 'A', 'ml_engineer')", "TypeError: "),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_made(tmp_path, item, told):
    with team_package(tmp_path, **file("candidates", items="", defines=f"_ = {item}")) as folder:
        with says(f"src/{folder.name}/candidates.py:5: {told}" if "TypeE" in told else told) as one:
            load_team_module("candidates")
        assert str(one.value).startswith(f"src/{folder.name}/candidates.py:5: ")


@pytest.mark.parametrize("name", ["f2", "cost at 100", "top-5", "a.b", "überschuss", "_x"])
def test_a_name_that_mlflow_takes_is_taken(name):
    from mlflow.utils.validation import _validate_metric_name  # noqa: PLC0415

    assert Metric(name, max).name == name
    _validate_metric_name(name)


@pytest.mark.parametrize("listed", ["1", "None", "{'a': 1}"])
@pytest.mark.parametrize("kind", ["gates", "metrics", "candidates"])
def test_a_list_that_is_none_is_told_with_its_line(tmp_path, kind, listed):
    text = f"# Ours.\n\n{kind.upper()}: object = {listed}\n"
    with (
        team_package(tmp_path, **{kind: text}) as folder,
        says(f"src/{folder.name}/{kind}.py:3: {kind.upper()} must be a tuple"),
    ):
        {"gates": load_own_gates, "metrics": lambda: load_metrics("binary")}.get(
            kind, load_candidates
        )()
    with (
        team_package(tmp_path / "without", **{kind: "# Nothing.\n"}) as folder,
        says(f"src/{folder.name}/{kind}.py:1: {kind.upper()} must be a tuple"),
    ):
        {"gates": load_own_gates, "metrics": lambda: load_metrics("binary")}.get(
            kind, load_candidates
        )()


def test_a_list_of_candidates_with_none_in_it_says_so(tmp_path):
    with (
        team_package(tmp_path, candidates="# Ours.\nCANDIDATES = ()\n") as folder,
        says(f"candidates.py (src/{folder.name}/candidates.py:2), which has none."),
    ):
        find_candidates(["linear"])


# Files that are no text.


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"X = 1\nY = '\0'\n", ":2: it holds a null byte"),
        ("X = 1\n".encode("utf-16"), ":1: it is not UTF-8 text"),
        ("X = 'ä'\n".encode("latin-1"), ":1: it is not UTF-8 text"),
    ],
)
@pytest.mark.parametrize("name", ["gates", "helper", "__init__"])
def test_a_file_that_is_no_text_is_told(tmp_path, name, content, told):
    with team_package(tmp_path) as folder:
        (folder / f"{name}.py").write_bytes(content)
        with says(f"src/{folder.name}/{name}.py{told}"):
            load_own_gates()


# A gate that is wrapped, or refuses in the platform's own words.


@pytest.mark.parametrize("error", ["UserError", "BlockedError"])
def test_an_error_in_the_words_of_the_platform_has_its_line(tmp_path, error):
    check = f"""from mlops.core.errors import {error}
def check(evidence):
    raise {error}("Ask Ann.")"""
    gate = file("gates", "Gate('ours', 'Ours', 'ml_engineer', check)", check)
    with (
        team_package(tmp_path, **gate) as folder,
        says(f"src/{folder.name}/gates.py:7: Ask Ann.") as raised,
    ):
        judge_own_gate(load_own_gates()[0], Evidence({}), OWNED)
    assert not isinstance(raised.value, BlockedError), "it is a mistake, not a verdict"


WRAPPED = """
def wrapped(check):
    @functools.wraps(check)
    def inner(evidence):
        return check(evidence)
    return inner
def plain(limit, evidence): return Finding(True, 1, limit, 'x')
@wrapped
def decorated(evidence): return Finding(True, 1, 2, 'x')
class Called:
    def __call__(self, evidence): return Finding(True, 1, 2, 'x')
    def bound(self, evidence): return Finding(True, 1, 2, 'x')
"""


@pytest.mark.parametrize(
    ("check", "begins"),
    [
        ("functools.partial(functools.partial(plain), 3)", "def plain"),
        ("decorated", "@wrapped"),
        ("functools.partial(wrapped(plain), 3)", "def plain"),
        ("Called()", "    def __call__"),
        ("Called().bound", "    def bound"),
        ("len", "GATES ="),
    ],
)
def test_a_gate_leads_to_its_line_whatever_it_is_wrapped_in(tmp_path, check, begins):
    gate = file("gates", f"Gate('ours', 'Ours', 'ml_engineer', {check})", WRAPPED)
    with team_package(tmp_path, **gate) as folder:
        lines = (folder / "gates.py").read_text().splitlines()
        [line] = [number for number, text in enumerate(lines, 1) if text.startswith(begins)]
        assert str(load_own_gates()[0].place) == f"src/{folder.name}/gates.py:{line} ours"


# A model that cannot be packaged.


def test_a_model_without_a_converter_is_told_before_the_search(tmp_path):
    model = """
from sklearn.linear_model import LogisticRegression
class Ours(LogisticRegression): pass
def model(task): return Ours()"""
    with team_package(tmp_path, **candidate(model)) as folder:
        [odd] = find_candidates(["odd"])
        with says(
            f"src/{folder.name}/candidates.py:8: the candidate odd cannot be converted to ONNX"
        ) as raised:
            explain_misfit(odd, make_runner())
    assert "Ours" in str(raised.value)
    assert "take it out of train.candidates in params.yaml" in str(raised.value)


def test_seeded_candidates_can_be_packaged(tmp_path):
    with team_package(tmp_path):
        for each in find_candidates(["linear", "hist_gradient_boosting"]):
            assert explain_misfit(each, make_runner()) == ""


ISOTONIC = """
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
def model(task): return CalibratedClassifierCV(LogisticRegression(), cv=2, method="isotonic")"""
TEMPERATURE = ISOTONIC.replace("isotonic", "temperature")


@pytest.mark.parametrize(
    ("model", "what"),
    [
        (ISOTONIC, "odd: as an ONNX file it answers "),
        (TEMPERATURE, "odd: src/team"),
    ],
)
def test_a_model_that_converts_wrongly_is_told_before_the_search(tmp_path, model, what):
    with team_package(tmp_path, **candidate(model)) as folder:
        [odd] = find_candidates(["odd"])
        reason = explain_misfit(odd, make_runner())
    assert reason.startswith(what)
    assert f"src/{folder.name}/candidates.py:" in reason
    assert reason.endswith("or take it out of train.candidates in params.yaml")
    assert "\n" not in reason
