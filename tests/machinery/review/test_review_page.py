"""A change beside the commit it goes to: real git, real DVC, and models made in no time."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml
from markdown_it import MarkdownIt
from mlops.core.errors import BlockedError, UserError
from mlops.core.params import Params
from mlops.core.paths import EVALUATION, GATE_REPORT, MODEL, TEST, round_figures, write_json
from mlops.core.problem import Problem
from mlops.core.team import find_team_folder, shorten_path
from mlops.data.contract import CONTRACT, Contract
from mlops.evaluation.evaluate import METRICS, evaluate_model
from mlops.gates.own_gates import Gate
from mlops.gates.requirements import read_requirements
from mlops.project_commands import review as command
from mlops.registry import registry
from mlops.review import limits
from mlops.review.change_summary import find_reviewers
from mlops.review.review_page import PAGE, review
from mlops.scoring.predictor import Predictor

import tiny

TASKS = ["binary", "multiclass", "regression"]
PROBLEM = """\
name: tiny
decision: Act?
owners: {business_owner: "@acme/business", data_scientist: "@acme/science"}
value:
  unit: EUR
"""
PARAMS = """\
train: {candidates: [linear]}
evaluate: {resamples: 60}
gates:
  max_loss: 0.0
  max_value_loss: 0.0
"""
PIPELINE = {"stages": {"package": {"cmd": "made", "outs": [MODEL.as_posix()]}}}
OWNERS = """\
# A comment
* @acme/all
/params.yaml @acme/science
/data/ @acme/data
"""


GATES = list(read_requirements("pipeline"))


def words(*command):
    subprocess.run(command, check=True, capture_output=True)


def git(*arguments):
    settings = ("-c", "user.name=t", "-c", "user.email=t@acme.example")
    words("git", *settings, *arguments)


def dvc(*arguments):
    words(sys.executable, "-m", "dvc", *arguments)


def make(task, failed=(), **model):
    """What a run of the pipeline leaves behind, but for DVC's cache."""
    if MODEL.exists():
        MODEL.unlink()
    tiny.write_model(MODEL, task, **model)
    lock()
    contract, problem, params = Contract.load(), Problem.read(), Params.read()
    test = pl.read_parquet(TEST)
    evaluated = evaluate_model(
        Predictor(MODEL), test, contract, problem, params, past=test[:0].lazy()
    )
    evaluated = round_figures(evaluated)
    write_json(EVALUATION, evaluated)
    write_json(METRICS, evaluated["metrics"])
    judge(failed)


def lock():
    digest = hashlib.md5(MODEL.read_bytes(), usedforsecurity=False).hexdigest()
    out = {"path": MODEL.as_posix(), "hash": "md5", "md5": digest, "size": MODEL.stat().st_size}
    content = {"schema": "2.0", "stages": {"package": {"cmd": "made", "outs": [out]}}}
    Path("dvc.lock").write_text(yaml.safe_dump(content))


def judge(failed=(), names=GATES):
    gates = [
        {
            "name": name,
            "passed": name not in failed,
            "measured": 1.0,
            "limit": 0.0,
            "meaning": f"{name} was looked at",
            "what_to_do": "Mend it.",
            "owner": "@acme/ml",
            "requirement": "params.yaml:3 gates",
        }
        for name in names
    ]
    write_json(GATE_REPORT, {"passed": not failed, "gates": gates})


def commit(message="A change"):
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    """For each task a repository whose branch `main` has a good model."""
    done = {}

    def made(task):
        if task not in done:
            done[task] = tmp_path_factory.mktemp("bases") / task
            done[task].mkdir()
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(done[task])
                patch.setattr(registry, "fetch_champion", lambda: None)
                begin(task)
        return done[task]

    return made


def begin(task):
    git("init", "--quiet", "--initial-branch", "main")
    dvc("init", "--quiet")
    Path("problem.yaml").write_text(PROBLEM)
    Path("params.yaml").write_text(PARAMS)
    Path("dvc.yaml").write_text(yaml.safe_dump(PIPELINE))
    Path(".gitignore").write_text("/models/\n/data/split/\n/reports/review.md\n")
    Path(".github").mkdir()
    Path(".github/CODEOWNERS").write_text(OWNERS)
    Contract(**tiny.contract(task)).save(CONTRACT)
    TEST.parent.mkdir(parents=True)
    tiny.table(task).write_parquet(TEST)
    commit("Nothing is trained yet")
    git("tag", "untrained")
    make(task)
    dvc("commit", "--force", "package")
    commit("A model")


@pytest.fixture
def project(bases, tmp_path, monkeypatch):
    """Go to a fresh copy of the repository of a task."""
    monkeypatch.setattr(registry, "fetch_champion", lambda: None)

    def there(task="binary"):
        shutil.copytree(bases(task), tmp_path / task, symlinks=True)
        monkeypatch.chdir(tmp_path / task)

    return there


def page():
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("task", TASKS)
def test_the_same_model_is_as_good(project, task):
    project(task)
    lines, failed = review("main")
    assert not failed
    assert ", as much as on main" in lines[0]
    assert "Both models answered the same 1,500 test rows." in lines
    assert "this may be merged" in page()


@pytest.mark.parametrize("task", TASKS)
def test_a_worse_model_blocks(project, task):
    project(task)
    make(task, weight=-0.5)
    lines, failed = review("main")
    assert "less than on main" in lines[0]
    assert "beyond chance" in lines[0]
    better, pays = failed
    assert better.startswith("metric: BLOCKED, \N{MINUS SIGN}")
    assert "(for @acme/science; required by params.yaml:4 gates.max_loss)" in better
    assert pays.startswith("worth: BLOCKED, \N{MINUS SIGN}")
    assert "EUR for a thousand decisions against main" in pays
    assert "(for @acme/business; required by params.yaml:5 gates.max_value_loss and" in pays
    assert "problem.yaml:4 value)" in pays
    assert "do not merge this" in page()
    assert "## What stands in the way" in page()


def test_a_better_model_is_better_beyond_chance(project):
    project()
    make("binary", weight=-0.5)
    dvc("commit", "--force", "package")
    commit()
    make("binary")
    lines, failed = review("HEAD")
    assert not failed
    assert "more than on HEAD" in lines[0]
    assert "beyond chance" in lines[0]


def test_a_difference_that_may_be_chance_is_none(project):
    project()
    make("binary", threshold=0.52)
    lines, failed = review("main")
    assert "which may be chance" in lines[0]
    assert not failed


def test_a_loss_that_is_agreed_to_passes(project):
    project()
    agreed = {"max_loss: 0.0": "max_loss: 1.0", "max_value_loss: 0.0": "max_value_loss: 9999.0"}
    text = PARAMS
    for old, new in agreed.items():
        text = text.replace(f"  {old}", f"  {new}")
    Path("params.yaml").write_text(text)
    make("binary", weight=-0.5)
    lines, failed = review("main")
    assert not failed
    assert "params.yaml:5 gates.max_value_loss: 0.0, now 9999.0" in page()
    weaker = "params.yaml:4 gates.max_loss is weaker than on main ("
    [line] = [line for line in lines if line.startswith(weaker)]
    assert line.endswith("(0, now 1): @acme/science has to agree.")
    assert (
        "this may be merged only with the consent of @acme/science and @acme/business: " in page()
    )
    assert weaker in page()


@pytest.mark.parametrize(
    ("file", "added", "weaker"),
    [
        ("params.yaml", "  min_lift: -1.0\n", ["gates.min_lift"]),
        ("params.yaml", "  min_lift: 0.5\n  max_slice_gap: 0.05\n", []),
        ("params.yaml", "data: {max_leak_score: 1.0, min_rows: 1}\n", ["min_rows", "leak_score"]),
        ("params.yaml", "budgets: {seconds: 9999}\n", ["budgets.seconds"]),
        ("problem.yaml", "baseline: {score: 0.5}\n", []),
    ],
)
def test_a_gate_that_is_weaker_is_not_simply_merged(project, file, added, weaker):
    project()
    Path(file).write_text(Path(file).read_text() + added)
    lines, failed = review("main")
    weaker_lines = [line for line in lines if "is weaker than on main" in line]
    assert not failed
    assert all(name in line for name, line in zip(weaker, weaker_lines, strict=True))
    assert ("this may be merged\n" in page()) is not bool(weaker)
    assert ("merged only with the consent of " in page()) is bool(weaker)


def test_a_limit_that_is_gone_is_weaker(project):
    project()
    Path("problem.yaml").write_text(PROBLEM + "baseline: {score: 0.6}\n")
    commit()
    Path("problem.yaml").write_text(PROBLEM)
    lines, _ = review("HEAD")
    assert any("problem.yaml baseline.score" in line and "now no limit" in line for line in lines)


def own_verdict(limit, measured=0.3, passed=True):
    """What a run wrote down of the gate `workload`, whose most the limit is."""
    gates = json.loads(GATE_REPORT.read_text())["gates"]
    gates = [gate for gate in gates if gate["name"] != "workload"]
    place = f"{shorten_path(find_team_folder())}/gates.py:7 workload"
    ours = {"name": "workload", "measured": measured, "limit": limit, "requirement": place}
    rest = {"passed": passed, "meaning": "it was looked at", "owner": "@acme/business"}
    write_json(GATE_REPORT, {"passed": passed, "gates": [*gates, ours | rest]})
    return place


@pytest.mark.parametrize(
    ("before", "now", "is_weaker"),
    [
        ((0.4, 0.3, True), (0.5, 0.3, True), True),
        ((0.4, 0.3, True), (0.35, 0.3, True), False),
        ((0.4, 0.3, True), (0.4, 0.39, True), False),
        ((0.4, 0.45, False), (0.5, 0.45, True), True),
        ((0.6, 0.7, True), (0.5, 0.7, True), True),
        ((0.6, 0.7, True), (0.65, 0.7, True), False),
        ((0.4, 0.3, True), (None, 0.3, True), True),
        (("few", "two", True), ("many", "two", True), True),
        ((None, 0.3, True), (0.4, 0.3, True), False),
    ],
)
def test_a_limit_in_the_code_of_a_gate_is_held_against_the_base(
    project, monkeypatch, before, now, is_weaker
):
    project()
    gate = Gate("workload", "Few enough", "business_owner", print)
    monkeypatch.setattr(limits, "load_own_gates", lambda: (gate,))
    place = own_verdict(*before)
    commit()
    own_verdict(*now)
    lines = [line for line in review("HEAD")[0] if line.startswith(f"{place} is weaker than on")]
    assert bool(lines) is is_weaker
    assert all("@acme/business has to agree" in line for line in lines)


def test_a_gate_of_the_team_that_is_gone_is_told(project, monkeypatch):
    project()
    place = own_verdict(0.4)
    commit()
    judge()
    [line] = [line for line in review("HEAD")[0] if line.startswith(place)]
    assert line.endswith("(0.4, now gone): @acme/business has to agree.")
    monkeypatch.setattr(limits, "load_own_gates", lambda: (Gate("workload", "a", "b", print),))
    assert not [line for line in review("HEAD")[0] if line.startswith(place)], "not judged yet"


def test_the_models_are_compared_though_the_value_was_changed(project):
    """Both are reckoned with what outcomes are worth now."""
    project()
    Path("problem.yaml").write_text(f"{PROBLEM}  true_positive: 50.0\n")
    make("binary")
    lines, failed = review("main")
    assert "as much as on main" in lines[0]
    assert not failed
    assert "problem.yaml:6 value.true_positive: not set, now 50.0" in page()


def test_a_model_that_is_not_to_be_had_is_held_by_its_figures(project):
    project()
    make("binary", weight=-0.5)
    shutil.rmtree(".dvc/cache")
    lines, failed = review("main")
    assert "neither in DVC's cache nor in its remote" in lines[1]
    assert "that is chance is not known" in lines[0]
    (only,) = failed
    assert only.startswith("metric: BLOCKED")


def test_figures_that_are_close_do_not_block(project):
    project()
    make("binary", weight=1.9, threshold=0.45)
    shutil.rmtree(".dvc/cache")
    assert review("main")[1] == []


def test_figures_of_another_kind_are_not_compared(project):
    project()
    Path("problem.yaml").write_text(PROBLEM.replace("EUR", "points"))
    make("binary", weight=-0.5)
    shutil.rmtree(".dvc/cache")
    lines, failed = review("main")
    assert "cannot be compared with main" in lines[0]
    assert not failed


def test_a_changed_contract_is_told_and_the_model_that_does_not_fit_is_not_asked(project):
    project()
    _, _, *others = tiny.columns("binary")
    x, town = {"name": "x", "type": "number", "maximum": 5.0}, {"name": "town", "type": "string"}
    Contract(**tiny.contract(columns=(x, *others, town))).save(CONTRACT)
    lines, _ = review("main")
    assert "reads inputs that are gone or changed: noise" in lines[1]
    assert "| town | column |  | string |" in page()
    assert "| noise | column | number |  |" in page()
    assert "| x | maximum | None | 5.0 |" in page()


def test_the_command_tells_first_and_then_fails(project, capsys):
    project()
    command("main")
    make("binary", failed=["latency"])
    with pytest.raises(BlockedError, match=r"1 finding\(s\) block the change:\nlatency: BLOCKED"):
        command("main")
    assert "as much as on main" in capsys.readouterr().out


def test_a_failed_gate_blocks(project):
    project()
    make("binary", failed=["latency"])
    _, failed = review("main")
    assert failed == [
        "latency: BLOCKED, latency was looked at. Mend it. (for @acme/ml; required by "
        "params.yaml:3 gates)"
    ]
    assert "| latency | FAILED | 1 | 1 | 0 | @acme/ml |" in page()


def test_a_run_that_made_no_model_is_not_compared(project):
    project()
    judge(["leak"], names=["leak"])
    lines, failed = review("main")
    assert lines[0] == "No model was made: the run stopped at the gate leak."
    assert len(failed) == 1
    assert "How good it is" not in page()


def test_the_first_model_has_nothing_to_be_compared_with(project):
    project()
    lines, failed = review("untrained")
    assert "untrained" in lines[0]
    assert "has no model yet, so there is nothing to compare with" in lines[0]
    assert not failed


@pytest.mark.parametrize("ref", ["0" * 40, "origin/main"])
def test_a_fresh_repository_has_nothing_before(project, ref):
    project()
    if ref != "0" * 40:
        shutil.rmtree(".git")
        git("init", "--quiet")
    lines, failed = review(ref)
    assert "nothing was here before" in lines[0]
    assert not failed


@pytest.mark.parametrize("ref", ["nowhere", "--all", "main:problem.yaml", ""])
def test_a_name_that_git_does_not_know_is_a_sentence(project, ref):
    project()
    with pytest.raises(UserError, match="git knows no commit") as caught:
        review(ref)
    assert repr(ref) in str(caught.value)
    assert not PAGE.exists()


def test_the_summary_is_added_to(project):
    project()
    summary = Path("summary.md")
    summary.write_text("# Before\n")
    review("main", summary)
    assert summary.read_text() == f"# Before\n{page()}"


def test_what_people_changed_is_for_those_who_own_it(project):
    project()
    git("checkout", "--quiet", "-b", "change")
    Path("params.yaml").write_text(PARAMS.replace("0.0", "0.1", 1))
    Path("new.py").write_text("")
    commit()
    git("checkout", "--quiet", "main")
    Path("other.py").write_text("")
    commit("Meanwhile")
    git("checkout", "--quiet", "change")
    review("main")
    assert "- For @acme/all: new.py\n" in page()
    assert "- For @acme/science: params.yaml\n" in page()
    assert "other.py" not in page()
    assert "params.yaml:4 gates.max_loss: 0.0, now 0.1" in page()


def test_the_last_rule_that_names_a_file_counts():
    rules = [line.split() for line in OWNERS.splitlines()[1:]]
    assert find_reviewers("data/raw/1.csv", rules) == "@acme/data"
    assert find_reviewers("more/data/1.csv", rules) == "@acme/all"
    assert find_reviewers("x", [["/y", "@b"]]) == "nobody"
    assert find_reviewers("x", [["*", "@a", "@b"]]) == "@a @b"


def test_what_is_stored_is_told(project):
    project()
    MODEL.unlink()
    MODEL.write_bytes(bytes(2_000_000))
    lock()
    judge(["leak"], names=["leak"])
    review("main")
    assert "| of it models/model.onnx | 2 | 0.00" in page()


HOSTILE = "a|b <script>alert(1)</script> `x` *y* [l](http://e)"


def test_no_text_can_break_the_page(project):
    project()

    def kinds(text):
        problem = yaml.safe_load(PROBLEM) | {"decision": text, "kpi": text}
        Path("problem.yaml").write_text(yaml.safe_dump(problem))
        columns = (*tiny.columns("binary"), {"name": text, "type": "string"})
        Contract(**tiny.contract(columns=columns)).save(CONTRACT)
        review("main")
        parser = MarkdownIt("commonmark", {"html": True}).enable("table")
        assert "<script>" not in parser.render(page())
        return [
            (token.type, [child.type for child in token.children or () if child.type != "text"])
            for token in parser.parse(page())
        ]

    assert kinds(HOSTILE) == kinds("harmless")
