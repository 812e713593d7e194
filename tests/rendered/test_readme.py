"""Every command that a README shows is run, as it is written there."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import polars as pl
import pytest

from own_tables import TABLES
from support import ROOT, git, run

pytestmark = pytest.mark.slow


def blocks(readme: Path) -> list[str]:
    """The commands in fences, a block each; a fence that names a language holds none."""
    text = readme.read_text(encoding="utf-8")
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block.strip() for language, block in fences if not language]


def shell(command: str, cwd: Path, check: bool = True) -> str:
    return run("sh", "-ec", command, cwd=cwd, check=check).stdout


def as_a_user(home: Path) -> str:
    """The shell of somebody with this home: the Python of these tests has no pip."""
    places = os.environ["PATH"].split(os.pathsep)
    others = [place for place in places if Path(place) != Path(sys.executable).parent]
    return f'export UV_CACHE_DIR="$(uv cache dir)" HOME="{home}" PATH="{os.pathsep.join(others)}"'


@pytest.fixture(scope="module")
def flights(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that the first command of README makes, beside a clone of this repository."""
    folder = tmp_path_factory.mktemp("readme")
    git(folder, "clone", "--quiet", str(template), "copier-mlops")
    start = blocks(ROOT / "README.md")[0]
    shell(f"{as_a_user(folder)}\n{start}", folder / "copier-mlops")
    project = folder / "flights"
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--no-verify", "--message", "The first model")
    return project


def test_the_first_command_ends_with_a_champion(flights: Path) -> None:
    assert json.loads((flights / "reports/gate.json").read_text(encoding="utf-8"))["passed"]
    registered = json.loads((flights / "reports/registration.json").read_text(encoding="utf-8"))
    assert registered["champion"]
    assert "up to date" in shell("uv run dvc repro", flights)


def test_all_blocks_are_known() -> None:
    """A block that is added must be run by a test here."""
    start, own, update, survey, predict, work = blocks(ROOT / "README.md")
    assert "uvx copier copy --vcs-ref HEAD --defaults" in start
    assert own.startswith("uv run mlops data add TABLE --target COLUMN")
    assert update == "uvx copier update"
    assert "copier-mlops fleet" in survey  # these two are run by test_fleet.py
    assert "--predict" in predict
    assert work.endswith("&&\nuv run pytest")
    assert work in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_a_colleague_clones_and_pulls(flights: Path) -> None:
    """What one shares by the project's README, the other gets by it, beside the first."""
    push, pull = [
        b for b in blocks(flights / "docs/guide/team.md") if "dvc pu" in b and "gc" not in b
    ]
    git(flights.parent, "clone", "--quiet", "--bare", str(flights), "origin.git")
    git(flights, "remote", "add", "origin", "../origin.git")
    git(flights, "push", "--quiet", "--set-upstream", "origin", "main")
    shell(push, flights)
    colleague = flights.parent / "colleague"
    address = pull.replace(
        "ADDRESS flights && cd flights", f"origin.git {colleague} && cd {colleague}"
    )
    assert address != pull
    shell(address, flights.parent)
    assert "up to date" in shell("uv run dvc repro", colleague)
    assert (colleague / "reports/index.html").read_bytes() == (
        flights / "reports/index.html"
    ).read_bytes()


def test_update_finds_nothing_to_do(flights: Path) -> None:
    shell("uvx copier update --defaults", flights)
    assert not git(flights, "status", "--porcelain")


def test_the_project_keeps_the_standards_by_the_command_of_its_readme(flights: Path) -> None:
    [command] = [b for b in blocks(flights / "docs/guide/team.md") if "copier-mlops check" in b]
    assert "all standards are kept" in shell(command, flights)


def test_the_models_of_the_project_s_readme(flights: Path) -> None:
    """A second version is made, compared, promoted and rolled back."""
    shown = blocks(flights / "docs/guide/model.md")
    models = next(block for block in shown if "model compare" in block).splitlines()
    params = (flights / "params.yaml").read_text(encoding="utf-8")
    again = re.sub(r"(train:(\n  .*)*?\n  seed: )13", r"\g<1>14", params)
    assert again != params
    (flights / "params.yaml").write_text(again, encoding="utf-8")
    shell("uv run dvc repro", flights, check=False)
    shown = [shell(command, flights, check="promote" not in command) for command in models]
    assert "champion" in shown[0]
    assert "roc_auc" in shown[1] or "ROC" in shown[1]
    git(flights, "checkout", "--quiet", ".")


def test_what_it_brings_is_told_before_and_after(flights: Path) -> None:
    [worth] = [b for b in blocks(flights / "README.md") if "business report" in b]
    assert "problem estimate" in worth
    assert "reports/business.html" in shell(worth, flights)
    git(flights, "checkout", "--quiet", ".")


def test_each_page_that_the_readme_links_is_there(flights: Path) -> None:
    pages = [flights / "README.md", *(flights / "docs").rglob("*.md"), flights / "deploy/README.md"]
    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page}: {link}"


def test_a_page_to_start_with_is_read_in_five_minutes(flights: Path) -> None:
    assert len((flights / "README.md").read_text(encoding="utf-8").split()) < 700


def test_new_rows_are_scored_with_the_command_of_the_project_s_readme(flights: Path) -> None:
    command = next(b for b in blocks(flights / "docs/guide/model.md") if " predict " in b)
    output = shell(command.replace("NEW_ROWS", "data/raw/0001-flights.csv"), flights)
    rows = (flights / "decisions.csv").read_text(encoding="utf-8").splitlines()
    assert "rows" in output
    assert len(rows) == 24_001
    (flights / "decisions.csv").unlink()


def test_the_registry_s_page_opens(flights: Path) -> None:
    """The command as the guide has it, on a port of its own."""
    text = (flights / "docs/guide/model.md").read_text(encoding="utf-8")
    command = re.search(r"`(uv run mlflow ui [^`]*)`", text)
    assert command
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [*command.group(1).split(), "--port", str(port)]
    without_jobs = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with subprocess.Popen(
        words,
        env=without_jobs,
        cwd=flights,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    ) as server:
        try:
            assert answers(f"http://127.0.0.1:{port}/health") == b"OK"
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # asked to end, it waits for its own helpers


def answers(address: str) -> bytes:
    """What the server says once it is up."""
    for _ in range(120):
        try:
            with urllib.request.urlopen(address, timeout=5) as page:  # noqa: S310
                return page.read()
        except OSError:
            time.sleep(0.5)
    return b""


def test_records_live(flights: Path, tmp_path: Path) -> None:
    """And a record that is to be forgotten is nowhere afterwards, not in any old version."""
    header, *rows = (flights / "data/raw/0001-flights.csv").read_text().splitlines()
    more, changes = tmp_path / "more.csv", tmp_path / "changes.csv"
    more.write_text("\n".join([header, *(f"9{row}" for row in rows[:5])]) + "\n")
    changes.write_text("\n".join([header, rows[0].replace("N619AA", "N00007")]) + "\n")
    live, forget = (b for b in blocks(flights / "docs/guide/data.md") if "data delete" in b)
    key = rows[0].partition(",")[0]
    words = {"MORE": more, "CHANGES": changes, "KEY": key}
    for word, value in words.items():
        live, forget = (text.replace(word, str(value)) for text in (live, forget))
    shell(f"{live}\nrm all.parquet", flights)
    assert find_kept(flights, "N00007")
    shell(forget.replace("uv run dvc repro", "uv run dvc repro validate"), flights)
    assert not find_kept(flights, "N00007")
    shown = shell(f"uv run flights data show --where 'flight_id = {key}' --format csv", flights)
    assert len(shown.splitlines()) == 1
    assert "the content is the same" in shell("uv run flights data history --check", flights)
    git(flights, "reset", "--hard", "--quiet", "HEAD~1")
    git(flights, "clean", "--force", "-x", "--quiet", "data/raw")


def test_the_table_changes(flights: Path, tmp_path: Path) -> None:
    header, row, *_ = (flights / "data/raw/0001-flights.csv").read_text().splitlines()
    more = tmp_path / "more.csv"
    more.write_text(f"{header},gate\n{row},B7\n")
    [evolve] = [b for b in blocks(flights / "docs/guide/data.md") if "data evolve" in b]
    shell(evolve.replace("MORE", str(more)), flights)
    contract = (flights / "contract.yaml").read_text()
    assert "version: 1.1.0\n" in contract
    assert "- name: gate\n" in contract
    assert "the content is the same" in shell("uv run flights data history --check", flights)
    git(flights, "reset", "--hard", "--quiet")


def find_kept(project: Path, word: str) -> list[Path]:
    """The files with the word in them that DVC keeps: here, in its cache and in the remote."""
    remote = project.parent / "flights-dvc-remote"
    folders = (project / "data", project / ".dvc" / "cache", remote)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if word in readable(path)]


def readable(path: Path) -> str:
    content = path.read_bytes()
    if content[:4] == b"PAR1":
        return pl.read_parquet(path).write_ndjson()
    return content.decode(errors="replace")


def test_a_table_of_one_s_own(flights: Path, tmp_path: Path) -> None:
    table = TABLES[0]
    source = table.write(tmp_path)
    own = blocks(ROOT / "README.md")[1]
    own = own.replace("TABLE", str(source)).replace("COLUMN", table.target)
    shell(own, flights, check=False)
    evaluation = json.loads((flights / "reports/evaluation.json").read_text(encoding="utf-8"))
    assert (evaluation["target"], evaluation["task"]) == (table.target, table.task)
