"""Every gate blocks: each is broken in a project that has a champion, and says what to do."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import git, run

pytestmark = pytest.mark.slow


def replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    """An edit that must find its place."""

    def edit(project: Path) -> None:
        text = (project / file).read_text(encoding="utf-8")
        changed = re.sub(old, new, text, count=1, flags=re.MULTILINE)
        assert changed != text, f"{old} is not in {file}"
        (project / file).write_text(changed, encoding="utf-8")

    return edit


def deliver_broken_rows(project: Path) -> None:
    """A fifth of the sample again, under new keys; all rows but one have no airline that flies."""
    header, *rows = (project / "data/raw/0001-flights.csv").read_text().splitlines()
    carrier = header.split(",").index("carrier")
    broken = []
    for row in rows[:4800]:
        cells = row.split(",")
        broken.append(",".join(["9" + cells[0], *cells[1:carrier], "??", *cells[carrier + 1 :]]))
    broken.append(f"9{rows[4800]}")
    (project / "broken.csv").write_text("\n".join([header, *broken]) + "\n")
    run("uv", "run", "flights", "data", "add", "broken.csv", cwd=project)
    (project / "broken.csv").unlink()


know_too_much = replace(
    "contract.yaml",
    r"(delay at departure\n(.*\n){3}.*knownAtDecision, value: )false",
    r"\1true",
)


def learn_little(project: Path) -> None:
    """A model that is better than the baseline, and worse than the champion."""
    replace("params.yaml", r"candidates: .*", "candidates: [baseline, linear]")(project)
    features = "src/flights/features.py"
    replace(features, r"^ *\(\"numbers\", standard\(\), numbers\),\n", "")(project)


@dataclass(frozen=True)
class Break:
    """`demanded` is the entry that the sentence leads to, and what its line holds.
    `early`: the gate stops the pipeline before a model is made.
    """

    gate: str
    act: Callable[[Path], None]
    says: str
    demanded: tuple[str, str, str]
    early: bool = False


BREAKS = [
    Break(
        "problem",
        replace("problem.yaml", r"^kpi: .*", "kpi: ''"),
        "kpi",
        ("problem.yaml", "kpi", "kpi: ''"),
    ),
    Break(
        "reject_rate",
        deliver_broken_rows,
        "carrier",
        ("contract.yaml", "carrier", "- name: carrier"),
        early=True,
    ),
    Break(
        "rows",
        replace("params.yaml", r"min_rows: .*", "min_rows: 50000"),
        "Add data",
        ("params.yaml", "data.min_rows", "min_rows: 50000"),
        early=True,
    ),
    Break(
        "leak",
        know_too_much,
        "dep_delay",
        ("contract.yaml", "dep_delay", "- name: dep_delay"),
        early=True,
    ),
    Break(
        "baseline",
        replace("problem.yaml", r"score: null", "score: 0.99"),
        "more rows",
        ("problem.yaml", "baseline.score", "score: 0.99"),
    ),
    Break("champion", learn_little, "champion", ("params.yaml", "gates.max_loss", "max_loss: 0.0")),
    Break(
        "slices",
        replace("params.yaml", r"max_slice_gap: .*", "max_slice_gap: -0.5"),
        "carrier",
        ("params.yaml", "gates.max_slice_gap", "max_slice_gap: -0.5"),
    ),
    Break(
        "value",
        replace("params.yaml", r"min_value: .*", "min_value: 1000000"),
        "problem.yaml",
        ("params.yaml", "gates.min_value", "min_value: 1000000"),
    ),
    Break(
        "latency",
        replace("params.yaml", r"latency_ms: .*", "latency_ms: 0.0001"),
        "smaller models",
        ("params.yaml", "budgets.latency_ms", "latency_ms: 0.0001"),
    ),
    Break(
        "resources",
        replace("params.yaml", r"seconds: 900.*", "seconds: 0.5"),
        "budgets",
        ("params.yaml", "budgets.seconds", "seconds: 0.5"),
    ),
]


def champion(project: Path) -> str:
    """The number of the version in use."""
    listed = run("uv", "run", "flights", "model", "list", cwd=project).stdout
    lines = (re.split("failed:|passed", line)[0].split() for line in listed.splitlines())
    return next(words[0] for words in lines if "champion" in words)


@pytest.fixture
def project(flights: Path) -> Iterator[Path]:
    """The project with a champion; what a test breaks is mended after it."""
    yield flights
    git(flights, "reset", "--quiet", "--hard")
    git(flights, "clean", "--quiet", "--force", "-x", "data/raw")


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.gate)
def test_the_gate_blocks(project: Path, broken: Break) -> None:
    before = champion(project)
    broken.act(project)
    done = run("uv", "run", "dvc", "repro", cwd=project, check=False)
    assert done.returncode != 0, done.stdout
    sentence = next(line for line in done.stdout.splitlines() if f"{broken.gate}: BLOCKED" in line)
    assert broken.says in sentence
    assert "(for @acme/" in sentence
    file, entry, holds = broken.demanded
    lines = (project / file).read_text(encoding="utf-8").splitlines()
    (number,) = [place for place, line in enumerate(lines, 1) if line.lstrip().startswith(holds)]
    assert f"{file}:{number} {entry}" in sentence.partition("required by ")[2]
    assert "Traceback" not in done.stdout

    report = json.loads((project / "reports/gate.json").read_text(encoding="utf-8"))
    assert not report["passed"]
    failed = next(gate for gate in report["gates"] if gate["name"] == broken.gate)
    assert not failed["passed"]
    assert failed["what_to_do"]
    assert f"{file}:{number} {entry}" in failed["requirement"]
    assert champion(project) == before
    if not broken.early:
        page = (project / "reports/index.html").read_text(encoding="utf-8")
        assert failed["what_to_do"].split(".")[0] in page
        assert f"{file}:{number}" in page


def test_a_blocked_run_stays_blocked_and_cannot_be_promoted(project: Path) -> None:
    replace("params.yaml", r"min_value: .*", "min_value: 2000000")(project)
    for _ in range(2):
        done = run("uv", "run", "dvc", "repro", cwd=project, check=False)
        assert done.returncode != 0
        assert "value: BLOCKED" in done.stdout
    done = run("uv", "run", "flights", "model", "promote", cwd=project, check=False)
    assert done.returncode == 1
    assert "value" in done.stdout
    assert "Traceback" not in done.stdout


def test_an_experiment_moves_no_alias_and_is_listed_when_a_gate_blocks_it(project: Path) -> None:
    before = champion(project)
    changes = ("-S", "params.yaml:train.trials=4", "-S", "params.yaml:gates.min_value=1000000")
    done = run("uv", "run", "dvc", "exp", "run", "--name", "tried", *changes, cwd=project)
    assert "the experiment tried moves no alias" in done.stdout
    assert champion(project) == before
    shown = run("uv", "run", "dvc", "exp", "show", "--csv", cwd=project).stdout
    assert re.search(r'^tried,.*,False,"tried, not released",', shown, re.MULTILINE)

    judged = run("uv", "run", "flights", "stage", "release", cwd=project, check=False)
    assert judged.returncode == 1
    assert "value: BLOCKED" in judged.stdout
    told = run("uv", "run", "flights", "project", "lock", cwd=project).stdout
    assert re.search("^stage release fails until these gates pass: .*value", told, re.MULTILINE)
    again = run("uv", "run", "dvc", "repro", cwd=project, check=False)
    assert again.returncode != 0
    assert "value: BLOCKED" in again.stdout
    assert champion(project) == before


def test_the_parity_gate_blocks_a_package_that_answers_otherwise(project: Path) -> None:
    """The package stage cannot be made to err by settings, so its report is."""
    path = project / "reports/package.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    report["parity"]["share_differing"] = 0.01
    path.unlink()
    path.write_text(json.dumps(report), encoding="utf-8")
    run("uv", "run", "flights", "stage", "gate", cwd=project)
    done = run("uv", "run", "flights", "stage", "release", cwd=project, check=False)
    assert done.returncode == 1
    assert "parity: BLOCKED" in done.stdout


def test_without_a_break_nothing_blocks(project: Path) -> None:
    """The mended project is green again, and then there is nothing to do."""
    run("uv", "run", "dvc", "repro", cwd=project)
    assert "up to date" in run("uv", "run", "dvc", "repro", cwd=project).stdout
