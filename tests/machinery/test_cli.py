"""The command as a person types it: a small table from its file to the registry, and mistakes."""

import json
import os
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from mlops import cli
from mlops.core.errors import UserError
from mlops.core.optional_parts import has_part
from mlops.core.params import Params
from mlops.core.problem import Problem
from mlops.data.contract import Contract
from mlops.data_commands import app as data_commands

from samples import bundled

PROBLEM = """\
name: Orders
decision: Should an order be checked by hand?
kpi: Share of returned orders that were checked
owners:
  business_owner: "@acme/business"
  data_engineer: "@acme/data"
  data_scientist: "@acme/science"
  ml_engineer: "@acme/ml"
  devops_engineer: "@acme/devops"
baseline: {description: No order is checked.}
value:
  {unit: EUR, true_positive: 5.0, false_positive: -1.0, false_negative: 0.0, true_negative: 0.0}
"""
PRICES = """\
as_of: 2020-01-01
currency: EUR
kinds: []
usage: {versions_kept: 1, versions_written: 1, full_reads: 1, outside_share: 0, hour_is_worth: 0}
"""
PARAMS = "train: {candidates: [baseline, linear], trials: 2, processes: 1}\n"
WHO = ("AUTHOR", "COMMITTER")
STAGES = (
    *("ingest", "validate", "split", "train", "package"),
    *("latency",) * has_part("serving"),
    *("evaluate", "gate", "register"),
)


def orders(rows: int) -> str:
    lines = ["order,amount,city,returned"]
    for n in range(rows):
        amount, city = n * 7919 % 100, "ABC"[n % 3]
        returned = "yes" if amount + 30 * (city == "B") + n * 104729 % 60 > 90 else "no"
        lines.append(f"{n},{amount},{city},{returned}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("problem.yaml").write_text(PROBLEM)
    Path("params.yaml").write_text(PARAMS)
    Path("orders.csv").write_text(orders(600))
    return tmp_path


@pytest.fixture
def typed(monkeypatch, capsys):
    """Type a command; returns its exit code and what it printed."""

    def run(*words):
        monkeypatch.setattr("sys.argv", ["command", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        code = left.value.code
        captured = capsys.readouterr()
        text = captured.out + captured.err + (code if isinstance(code, str) else "")
        return (1 if isinstance(code, str) else code or 0), text

    return run


def test_the_whole_life_of_a_table(project, typed):
    assert typed("data", "add", "orders.csv", "--target", "returned", "--key", "order")[0] == 0
    assert typed("problem", "check")[0] == 0
    assert typed("data", "check", "orders.csv")[0] == 0
    for stage in (*STAGES, "report", "release"):
        code, output = typed("stage", stage)
        assert code == 0, output
    assert "1 " in typed("model", "list")[1]
    code, output = typed("predict", "orders.csv", "decisions.csv", "--version", "1")
    assert code == 0, output
    assert "scored 600 of 600 rows" in output

    Path("params.yaml").write_text(PARAMS + "gates: {min_value: 1000000}\n")
    assert typed("stage", "gate")[0] == 0
    assert typed("stage", "register")[0] == 0
    code, output = typed("stage", "release")
    assert code == 1
    assert "value: BLOCKED" in output
    assert "@acme/business" in output
    assert typed("model", "promote", "2")[0] == 1
    assert typed("model", "compare", "1", "2")[0] == 0
    assert typed("model", "promote", "1")[0] == 0
    code, output = typed("model", "rollback")
    assert code == 1
    assert "no champion to go back to" in output


def test_columns_that_are_called_as_patterns_are_learned_from_and_judged(project, typed):
    header, rows = orders(600).split("\n", 1)
    assert header == "order,amount,city,returned"
    Path("orders.csv").write_text(f"*,^a.*$,^.*$,^r$\n{rows}")
    assert typed("data", "add", "orders.csv", "--target", "^r$", "--key", "*")[0] == 0
    contract = Contract.load()
    inputs = {column.name: {"slice": True} for column in contract.inputs}
    assert set(inputs) == {"^a.*$", "^.*$"}
    columns = (c.model_copy(update=inputs.get(c.name, {})) for c in contract.columns)
    contract.model_copy(update={"columns": tuple(columns)}).save()
    for stage in (*STAGES, "report", "release"):
        code, output = typed("stage", stage)
        assert code == 0, output
    evaluation = json.loads(Path("reports/evaluation.json").read_text())
    assert {each["column"] for each in evaluation["slices"]} == set(inputs)
    assert evaluation["primary_metric"]["value"] > 0.8
    code, output = typed("predict", "orders.csv", "decisions.csv")
    assert code == 0, output
    assert "scored 600 of 600 rows" in output


def test_a_gate_that_stops_the_pipeline_still_gets_its_page(project, typed):
    assert typed("data", "add", "orders.csv", "--target", "returned", "--key", "order")[0] == 0
    Path("params.yaml").write_text(PARAMS + "data: {min_rows: 5000}\n")
    for stage in STAGES[:2]:
        assert typed("stage", stage)[0] == 0
    code, output = typed("stage", "split")
    assert code == 1
    assert "rows: BLOCKED" in output
    assert not json.loads(Path("reports/gate.json").read_text())["passed"]
    assert "5,000" in Path("reports/index.html").read_text()


def test_a_bad_sample_is_told_and_changes_nothing(project, typed):
    typed("data", "add", "orders.csv", "--target", "returned", "--key", "order")
    Path("bad.csv").write_text("order,amount,city,returned\n1,many,A,yes\n2,5,Z,no\n3,5,A,\n")
    before = sorted(Path().rglob("*"))
    code, output = typed("data", "check", "bad.csv")
    assert code == 1
    assert all(column in output for column in ("amount", "city", "returned"))
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("settings", "file", "text", "says"),
    [
        (Problem, "problem.yaml", "nmae: x\n", "nmae: this key is not known"),
        (Problem, "problem.yaml", "name: [1\n", "problem.yaml cannot be read as YAML"),
        (Params, "params.yaml", "train: []\n", "params.yaml: train"),
        (Params, "params.yaml", PARAMS + "split: {test: 0.9}\n", "split.test: .*0.9"),
        (Params, "params.yaml", "", "params.yaml: the top level"),
    ],
)
def test_a_mistake_in_a_file_is_one_sentence(project, settings, file, text, says):
    Path(file).write_text(text)
    with pytest.raises(UserError, match=says) as error:
        settings.read()
    assert "\n" not in str(error.value)


def test_every_example_of_the_help_works(project, typed):
    Path("prices.yaml").write_text(PRICES)
    header, *rows = orders(600).splitlines()
    Path("orders-today.csv").write_text("\n".join([header, "3,1,A,no", "700,5,B,no"]) + "\n")
    Path("new-orders.csv").write_text("\n".join([header, *rows[:20]]) + "\n")
    for command in data_commands.registered_commands:
        name = command.name or command.callback.__name__
        help_text = typed("data", name, "--help")[1]
        example = command.epilog.removeprefix("Example: ")
        assert example.split()[:2] == ["data", name]
        assert example in " ".join(help_text.split())
        code, output = typed(*shlex.split(example))
        assert code == 0, output


def test_a_stage_before_its_time_is_told(project, typed):
    assert "there is no stage 'fly'" in typed("stage", "fly")[1]
    typed("data", "add", "orders.csv", "--target", "returned")
    code, output = typed("stage", "train")
    assert (code, output.count("\n")) == (1, 0)
    assert "data/split/train.parquet" in output
    assert "dvc repro" in output


def test_the_sample_s_problem_goes_with_the_sample(project, typed):
    raw = Path("data/raw")
    raw.mkdir(parents=True)
    (raw / "0001-orders.csv").write_text(orders(300))
    bundled(raw / "0001-orders.csv")
    code, output = typed("data", "add", "orders.csv", "--target", "amount", "--key", "order")
    assert code == 0, output
    assert "problem.yaml" in output
    problem = Problem.read()
    assert "amount" in problem.decision
    assert problem.owners.data_engineer == "@acme/data"
    assert problem.value.unit == "points"
    assert not problem.missing("regression")


def test_a_broken_problem_file_leaves_the_sample_as_it_is(project, typed):
    raw = Path("data/raw")
    raw.mkdir(parents=True)
    (raw / "0001-orders.csv").write_text(orders(300))
    bundled(raw / "0001-orders.csv")
    Path("problem.yaml").write_text("nmae: Orders\n")
    assert "nmae" in typed("data", "add", "orders.csv", "--target", "amount")[1]
    assert sorted(path.name for path in raw.iterdir()) == ["0001-orders.csv"]


def test_a_table_needs_a_repository_first(project, typed):
    Path(".dvc").mkdir()
    code, output = typed("data", "add", "orders.csv", "--target", "returned")
    assert code == 1
    assert "setup" in output
    assert not Path("data").exists()


def test_an_incomplete_problem_is_told(project, typed):
    Path("problem.yaml").write_text("name: Orders\ndecision: Which?\n")
    code, output = typed("problem", "check")
    assert code == 1
    assert "kpi" in output
    assert "owners.data_engineer" in output
    missing = Problem.read().missing("regression")
    assert "decision" not in missing
    assert "value.per_unit_of_error" in missing


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(13, "Permission denied", "data/raw"), "no permission for data/raw"),
        (OSError(28, "No space left on device"), "the disk is full"),
        (KeyboardInterrupt(), "nothing half-written"),
    ],
)
def test_what_the_machine_refuses_is_one_sentence(project, typed, monkeypatch, error, says):
    def fail():
        raise error

    monkeypatch.setattr(cli, "app", fail)
    code, output = typed("problem", "check")
    assert (code, output.count("\n")) == (1, 0)
    assert says in output


def test_set_up_without_an_identity_leaves_the_commit_to_the_user(project, typed, monkeypatch):
    settings = project / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("EMAIL", *(f"GIT_{who}_{what}" for who in WHO for what in ("NAME", "EMAIL"))):
        monkeypatch.delenv(name, raising=False)
    settings.write_text("[user]\n  useConfigOnly = true\n")
    code, output = typed("setup")
    assert code == 0, output
    assert "left the first commit to you, since git does not know who you are" in output
    settings.write_text("[user]\n  name = Tester\n  email = tester@acme.example\n")
    assert "made the first commit" in typed("setup")[1]


def test_set_up_says_why_there_are_no_hooks(project, typed):
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", "config", "core.hooksPath", "elsewhere"], check=True)
    code, output = typed("setup")
    assert (code, output.count("Traceback")) == (1, 0)
    assert "the pre-commit hooks cannot be installed" in output
    assert "core.hooksPath" in output


def test_a_proxy_is_not_asked_for_this_machine(project, typed, monkeypatch):
    monkeypatch.setenv("no_proxy", "git.acme.example,localhost")
    monkeypatch.setenv("http_proxy", "http://proxy.acme.example:3128")
    for _ in range(2):
        typed("problem", "check")
    assert os.environ["no_proxy"] == "git.acme.example,localhost,127.0.0.1,::1"
    assert urllib.request.proxy_bypass("127.0.0.1:8000")


def test_a_library_that_a_stage_lacks_is_named(project, typed, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    for name in ("train", "search"):
        monkeypatch.delitem(sys.modules, f"{cli.__package__}.model.{name}", raising=False)
    code, output = typed("stage", "train")
    assert code == 1
    assert "error: Stage train cannot start: the package optuna is not installed" in output


def test_set_up_makes_a_repository_once(project, typed, monkeypatch):
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(name, "Tester")
    for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "tester@acme.example")
    code, output = typed("setup")
    assert code == 0, output
    assert "first commit" in output
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True)
    assert "problem.yaml" in listed.stdout
    setting = ["git", "config", "--local", "apply.whitespace"]
    assert subprocess.run(setting, capture_output=True, text=True, check=True).stdout == "nowarn\n"
    assert "next, bring a table: uv run mlops data add TABLE" in output
    Path("contract.yaml").write_text("")
    assert typed("setup")[1].splitlines() == ["nothing to do: the project is already set up"]
