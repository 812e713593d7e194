"""A mistake in a table gets one sentence: what, where, what to do. Nothing is left half-written."""

import gzip
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lacking import lacking
from support import Render, files, git, run

pytestmark = pytest.mark.slow

GOOD = "id,size,kind,bought\n" + "".join(
    f"{n},{n * 37 % 100},{'abc'[n % 3]},{'yes' if n * 37 % 100 > 50 else 'no'}\n"
    for n in range(400)
)


def change_line(line: int, text: str) -> str:
    lines = GOOD.splitlines()
    lines[line] = text
    return "\n".join(lines) + "\n"


def column(name: str, values: list[object]) -> str:
    """The good table with one more column."""
    header, *rows = GOOD.splitlines()
    cells = [f"{row},{values[n % len(values)]}" for n, row in enumerate(rows)]
    return "\n".join([f"{header},{name}", *cells]) + "\n"


DATES = ["2013-07-31", "31.07.2013", "07/31/2013"]

# name: (file name, content, words the sentence must have)
BAD: dict[str, tuple[str, str | bytes, list[str]]] = {
    "empty file": ("t.csv", "", ["t.csv", "empty"]),
    "header only": ("t.csv", "id,size,kind,bought\n", ["t.csv", "row"]),
    "no such target": ("t.csv", GOOD.replace("bought", "sold", 1), ["bought", "sold"]),
    "constant target": ("t.csv", GOOD.replace(",yes", ",no"), ["bought", "no"]),
    "binary garbage": ("t.csv", os.urandom(5000) + b"\0" * 50, ["t.csv"]),
    "wrong encoding": ("t.csv", GOOD.replace(",a,", ",é,").encode("latin-1"), ["--encoding"]),
    "ragged rows": ("t.csv", change_line(7, "7,1,a,yes,extra,more"), ["7", "4", "6"]),
    "short rows": ("t.csv", change_line(9, "9,1"), ["9", "4", "2"]),
    "one line of 10 MB": ("t.csv", "x" * 10_000_000, ["t.csv"]),
    "duplicate columns": ("t.csv", GOOD.replace("size", "kind", 1), ["kind"]),
    "all-null column": ("t.csv", column("void", [""]), ["void", "--ignore"]),
    "mixed types": ("t.csv", column("mix", [1, 2, 3, "many", 5, 6, "few", 8]), ["mix"]),
    "infinite numbers": ("t.csv", column("far", ["inf", 1.5, 2.5]), ["far", "inf"]),
    "three date formats": ("t.csv", column("day", DATES), ["day", "--dates"]),
    "broken json": ("t.json", '[{"id": 1, "bought": ', ["t.json"]),
    "nested json": ("t.jsonl", '{"id": 1, "bought": {"a": 1}}\n' * 50, ["bought"]),
    "broken gzip": ("t.csv.gz", gzip.compress(GOOD.encode())[:200], ["t.csv.gz"]),
    "not parquet": ("t.parquet", GOOD, ["t.parquet"]),
    "unknown format": ("t.xls", GOOD, [".xls"]),
}


@pytest.fixture(scope="module")
def project(set_up: Render) -> Path:
    return set_up({"sample": "empty", "package": "bad_table"})


@pytest.fixture(autouse=True)
def _unchanged(project: Path) -> Iterator[None]:
    before = state(project)
    yield
    assert state(project) == before
    git(project, "clean", "-fdq", ".")


def state(project: Path) -> list[str]:
    """What is in the project, without what tools leave."""
    tools = (
        "data/.lock",
        ".dvc/tmp/",
        ".dvc/cache/",
        ".pytest_cache/",
        ".mypy_cache/",
        "uv.lock",
    )
    return [
        name for name in files(project) if not name.startswith(tools) and "__pycache__" not in name
    ]


def refused(project: Path, source: Path, *options: str) -> str:
    command = [".venv/bin/bad_table", "data", "add", source, "--target", "bought", *options]
    done = run(*command, cwd=project, check=False)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    (sentence,) = done.stdout.strip().splitlines()
    assert sentence.startswith("error: ")
    assert len(sentence) < 500, sentence
    return sentence


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence(project: Path, tmp_path: Path, case: str) -> None:
    name, content, words = BAD[case]
    source = tmp_path / name
    source.write_bytes(content if isinstance(content, bytes) else content.encode())
    sentence = refused(project, source)
    assert all(word in sentence for word in words), sentence


def test_a_million_categories(project: Path, tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    rows = (
        f"{n},code {n * 7919 % 1_000_000},{'yes' if n % 3 else 'no'}\n" for n in range(1_000_000)
    )
    source.write_text("id,code,bought\n" + "".join(rows))
    assert "code" in refused(project, source)


def test_no_such_file(project: Path, tmp_path: Path) -> None:
    assert "nowhere.csv" in refused(project, tmp_path / "nowhere.csv")


def test_a_full_disk(project: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The delivered files lie on a real file system that has no room for another one."""
    raw = project / "data/raw"
    mounted = as_root(raw, request)
    source = tmp_path / "t.csv"
    source.write_text(GOOD * 50)
    done = refused(project, source)
    assert "full" in done
    assert not [path for path in mounted.iterdir() if path.name != "lost+found"]
    assert not (project / "contract.yaml").exists()


def as_root(raw: Path, request: pytest.FixtureRequest) -> Path:
    """A small file system mounted at `raw`; only root may do that."""
    raw.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", raw], capture_output=True, check=False
    )
    if done.returncode:
        lacking("a full disk needs root, to mount a small file system")

    def unmount() -> None:
        subprocess.run(["umount", raw], check=True)

    request.addfinalizer(unmount)
    return raw


@pytest.mark.parametrize("delay", [0.3, 0.6, 0.9, 1.2])
def test_killed_in_the_middle(project: Path, tmp_path: Path, delay: float) -> None:
    """Whenever it is killed, the same command afterwards does the whole work."""
    source = tmp_path / "t.csv"
    source.write_text(GOOD)
    command = [".venv/bin/bad_table", "data", "add", source, "--target", "bought"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.DEVNULL) as child:
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
    run(*command, cwd=project)
    assert (project / "contract.yaml").exists()
    landed = [path.name for path in (project / "data/raw").glob("*.csv")]
    assert len(landed) == 1, landed
    assert (project / "data/raw" / landed[0]).read_text() == GOOD
    git(project, "reset", "--hard", "--quiet")
    git(project, "clean", "-fdxq", "data", "contract.yaml")
