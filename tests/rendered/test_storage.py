"""`data bench` in rendered projects: beside fio, at a real S3 server, and beyond its budget."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servers import s3_server
from support import Answers, Render, git, run

pytestmark = pytest.mark.slow

S3: Answers = {
    "project_name": "It's late",
    "package": "late_trains",
    "licence": "MIT",
    "dvc_remote": "s3",
}
BUCKET = "acme-dvc"
LIST = (
    f"import s3fs; print('\\n'.join(s3fs.S3FileSystem(use_listings_cache=False).find('{BUCKET}')))"
)


def figures(project: Path) -> dict[str, Any]:
    """The report's places by their names."""
    report = json.loads((project / "reports/storage.json").read_text(encoding="utf-8"))
    return {place["name"]: place for place in report["places"]}


def test_a_budget_blocks_and_the_report_is_written(set_up: Render) -> None:
    project = set_up({})
    before = git(project, "status", "--porcelain")  # others may have run its pipeline
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8")
    strict = re.sub(r"(local: .*min_read_mb_s: )null", r"\g<1>1000000000", text)
    assert strict != text
    params.write_text(strict, encoding="utf-8")
    try:
        done = bench(project, "flights")
    finally:
        params.write_text(text, encoding="utf-8")
    assert done.returncode == 1
    assert "storage.local.min_read_mb_s: BLOCKED" in done.stdout
    assert "(for @acme/devops; required by params.yaml:" in done.stdout
    assert "Traceback" not in done.stdout
    assert "storage.local.min_read_mb_s" in (project / "reports/storage.html").read_text()
    assert git(project, "status", "--porcelain") == before


def test_the_command_of_the_guide_runs(set_up: Render) -> None:
    project = set_up({})
    command = "uv run mlops data bench [URL...]"
    assert command in (project / "docs/guide/data.md").read_text(encoding="utf-8")
    words = command.replace("[URL...]", "memory://scratch --seconds 1 --size 16").split()
    assert "reports/storage.html" in run(*words, cwd=project).stdout
    assert list(figures(project)) == ["local", "remote", "memory://scratch"]
    assert not (project.parent / "flights-dvc-remote").exists()


def test_without_the_package_for_s3_it_is_named(set_up: Render) -> None:
    done = bench(set_up({}), "flights", "s3://bucket/x")
    assert done.returncode == 1
    (sentence,) = done.stdout.strip().splitlines()
    assert "s3fs" in sentence


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    with s3_server(BUCKET) as started:
        environment = {**started.environment, "AWS_ENDPOINT_URL": started.url}
        yield environment


@pytest.fixture
def project(
    set_up: Render, server: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Whose remote is at the server; the bucket is empty before and after."""
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    made = set_up(S3)
    yield made
    assert not objects(made)


def objects(project: Path) -> list[str]:
    return run("uv", "run", "python", "-c", LIST, cwd=project).stdout.split()


def bench(project: Path, package: str, *urls: str) -> subprocess.CompletedProcess[str]:
    words = ("--seconds", "1", "--size", "16", *urls)
    return run("uv", "run", package, "data", "bench", *words, cwd=project, check=False)


def test_a_real_s3_server_is_measured(project: Path, server: dict[str, str]) -> None:
    done = bench(project, "late_trains", f"s3://{BUCKET}/other")
    assert done.returncode == 0, done.stdout
    places = figures(project)
    for name in ("remote", f"s3://{BUCKET}/other"):
        place = places[name]
        assert place["fault"] == ""
        assert len(place["figures"]) == 5
        assert all(each["mb_s"] > 0 and each["p99_ms"] > 0 for each in place["figures"])
    report = json.loads((project / "reports/storage.json").read_text(encoding="utf-8"))
    measured = {kind["name"]: kind["place"] for kind in report["kinds"]}
    assert measured["cloud objects, standard"] in places
    written = done.stdout + json.dumps(report) + (project / "reports/storage.html").read_text()
    assert server["AWS_SECRET_ACCESS_KEY"] not in written


def test_stopped_in_the_middle_nothing_is_left_at_the_server(project: Path) -> None:
    command = [".venv/bin/late_trains", "data", "bench", "--seconds", "20", "--size", "64"]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        while child.poll() is None and not objects(project):  # the disk comes first
            time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        output, _ = child.communicate(timeout=60)
    assert child.returncode not in (0, -signal.SIGINT), output
    assert "Traceback" not in output


@pytest.mark.parametrize("broken", ["no server", "no bucket", "wrong key"])
def test_a_remote_out_of_reach_is_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    with monkeypatch.context() as changed:
        if broken == "no server":
            changed.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        elif broken == "wrong key":
            changed.setenv("AWS_SECRET_ACCESS_KEY", "wr0ng")
        urls = ["s3://no-such-bucket/x"] if broken == "no bucket" else []
        done = bench(project, "late_trains", *urls)
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout
    place = figures(project)[urls[0] if urls else "remote"]
    assert place["fault"]
    assert not place["figures"]
    assert place["fault"] in done.stdout
    assert "wr0ng" not in done.stdout
