"""Beyond one machine: a cluster gives what one machine gives, whichever of its workers dies."""

import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from postgres import PASSWORD, postgres_server
from support import Render, run

pytestmark = pytest.mark.slow

SEARCH = {"candidates": ["baseline", "linear", "lightgbm"], "trials": 6, "processes": 2}
SECRETS = (PASSWORD, quote(PASSWORD, safe=""))
TIMES = 20
FILES = ("contract.yaml", "problem.yaml", "params.yaml", "pyproject.toml", "data/log.jsonl")


def work(folder: Path, project: Path) -> Path:
    """The tables and settings of a project in a folder of their own, with a small search."""
    shutil.copytree(project / "data/raw", folder / "data/raw", dirs_exist_ok=True)
    for name in FILES:
        shutil.copy(project / name, folder / name)
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= SEARCH
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return folder


def program(project: Path, name: str = "flights") -> str:
    return str(project / ".venv/bin" / name)


def read_learned(folder: Path) -> tuple[dict, list[dict]]:
    """What was chosen, and every trial without the seconds it took."""
    choice = json.loads((folder / "models/choice.json").read_text(encoding="utf-8"))
    with (folder / "reports/plots/trials.csv").open(encoding="utf-8") as stream:
        trials = [
            {k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(stream)
        ]
    return choice, trials


@pytest.fixture(scope="module")
def single(set_up: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one machine has trained a model and scored half a million rows."""
    project = set_up({})
    folder = work(tmp_path_factory.mktemp("single"), project)
    for stage in ("ingest", "validate", "split", "train", "package"):
        run(program(project), "stage", stage, cwd=folder)
    head, *rows = (folder / "data/raw/0001-flights.csv").read_text(encoding="utf-8").splitlines()
    (folder / "many.csv").write_text("\n".join([head, *rows * TIMES, ""]), encoding="utf-8")
    run(program(project), "predict", "many.csv", "scored.csv", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def dask(set_up: Render) -> Path:
    return set_up({"scale": "dask"})


@pytest.fixture
def there(single: Path, dask: Path, tmp_path: Path) -> Path:
    """The same tables, split in the same way, in a folder where the cluster's project works."""
    shutil.copytree(single / "data", tmp_path / "data")
    return work(tmp_path, dask)


@pytest.fixture
def cluster(dask: Path, tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler, and its two workers; all are processes of their own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    address, own = f"tcp://127.0.0.1:{port}", tmp_path / "cluster"
    own.mkdir()
    quiet = {"cwd": own, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [program(dask, "dask"), "scheduler", "--host", "127.0.0.1", "--port", port]
    scheduler = subprocess.Popen([*command, "--no-dashboard", "--no-show"], **quiet)
    command = [program(dask, "dask"), "worker", address, "--no-nanny", "--nthreads", "1"]
    workers = [subprocess.Popen([*command, "--no-dashboard"], **quiet) for _ in range(2)]
    try:
        yield address, workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def run_and_kill(
    command: list[str],
    folder: Path,
    address: str,
    victim: subprocess.Popen[bytes],
    when: Callable[[], bool],
) -> None:
    """Run a command on the cluster, and kill one of its workers in the middle."""
    environment = os.environ | {"DASK_SCHEDULER_ADDRESS": address}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as working:
        while not when():
            assert working.poll() is None, working.communicate()[0].decode()
            time.sleep(0.02)
        victim.send_signal(signal.SIGKILL)
        assert working.poll() is None, "it was done before the worker was killed"
        output = working.communicate(timeout=300)[0].decode()
    assert working.returncode == 0, output
    assert "Traceback" not in output


def test_a_worker_killed_in_the_middle_changes_nothing(
    single: Path, dask: Path, there: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, [first, second] = cluster

    def some_trials() -> bool:
        return any(log.read_text().count("\n") >= 2 for log in there.glob(".search/*.log"))

    def some_shards() -> bool:
        return len(list(there.glob(".scored.csv.*/*.parquet"))) >= 2

    run_and_kill([program(dask), "stage", "train"], there, address, first, some_trials)
    assert read_learned(there) == read_learned(single)

    command = [program(dask, "dask"), "worker", address, "--no-nanny", "--nthreads", "1"]
    shutil.copy(single / "models/model.onnx", there / "models")
    score = [program(dask), "predict", str(single / "many.csv"), "scored.csv"]
    with subprocess.Popen(
        [*command, "--no-dashboard"], cwd=there / "cluster", stderr=subprocess.DEVNULL
    ) as third:
        try:
            run_and_kill(score, there, address, second, some_shards)
        finally:
            third.kill()
    assert (there / "scored.csv").read_bytes() == (single / "scored.csv").read_bytes()


def test_a_cluster_out_of_reach_is_one_sentence(dask: Path, there: Path) -> None:
    params = yaml.safe_load((there / "params.yaml").read_text(encoding="utf-8"))
    params["scale"]["scheduler"] = "tcp://127.0.0.1:1"
    (there / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    environment = os.environ | {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"}
    done = subprocess.run(
        [program(dask), "stage", "train"],
        cwd=there,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: the Dask cluster at tcp://127.0.0.1:1 cannot be used")
    assert done.stderr.count("\n") == 1


def test_one_machine_refuses_the_address_of_a_cluster(set_up: Render, single: Path) -> None:
    params = single / "params.yaml"
    before = params.read_text(encoding="utf-8")
    params.write_text(f"{before}\nscale: {{scheduler: 'tcp://x:1'}}\n", encoding="utf-8")
    done = run(program(set_up({})), "stage", "train", cwd=single, check=False)
    params.write_text(before, encoding="utf-8")
    assert done.returncode == 1
    assert "this project works on one machine" in done.stdout


@pytest.fixture
def study(dask: Path, there: Path) -> Iterator[Callable[[], str]]:
    """Trains with a study in a real PostgreSQL, and returns what the stage says."""
    with postgres_server() as address:
        environment = os.environ | {"OPTUNA_STORAGE": address}

        def train(**more: str) -> str:
            done = subprocess.run(
                [program(dask), "stage", "train"],
                cwd=there,
                env=environment | more,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert not any(secret in done.stdout for secret in SECRETS)
            return done.stdout

        yield train


def test_a_study_in_postgresql_goes_on_on_another_machine(
    single: Path, there: Path, study: Callable[[], str]
) -> None:
    assert "chosen in 7 trials" in study()
    first = read_learned(there)
    assert first == read_learned(single)
    timed = (there / "models/choice.json").read_bytes()
    shutil.rmtree(there / ".search", ignore_errors=True)  # another machine has no file of ours
    assert "chosen in 7 trials" in study()
    searched, again = (
        [each for each in json.loads(choice)["candidates"] if each["name"] != "baseline"]
        for choice in (timed, (there / "models/choice.json").read_bytes())
    )
    assert again == searched  # seconds too: nothing was tried again
    for path in filter(Path.is_file, there.rglob("*")):
        assert not any(secret.encode() in path.read_bytes() for secret in SECRETS), path


def test_a_refused_password_is_not_shown(study: Callable[..., str]) -> None:
    output = study(PGPASSWORD="wr0ng")
    assert "OPTUNA_STORAGE cannot be used" in output
    assert "password authentication failed" in output
    assert "wr0ng" not in output
    assert "Traceback" not in output
