import json
import subprocess
import sys
from pathlib import Path

import pytest
from mlops.core import resources


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def usage(stage):
    return json.loads((resources.RESOURCES / f"{stage}.json").read_text())


def test_time_and_bytes_are_measured():
    with resources.measure_stage("ingest"):
        Path("some").write_bytes(bytes(3_000_000))
        Path("some").read_bytes()
        sum(range(3_000_000))
    taken = usage("ingest")
    assert 0 < taken["cpu_seconds"] <= taken["seconds"] + 1
    if taken["written_mb"] is not None:
        assert 3 <= taken["written_mb"] < 5
        assert 3 <= taken["read_mb"] < 5


def test_a_child_counts_whether_it_has_ended_or_not():
    hungry = (
        "import time; held = bytearray(150_000_000); sum(range(8_000_000)); print(1, flush=True)"
    )
    with resources.measure_stage("train"):
        subprocess.run([sys.executable, "-c", hungry], check=True)
        with subprocess.Popen(
            [sys.executable, "-c", f"{hungry}; time.sleep(30)"], stdout=subprocess.PIPE
        ) as child:
            child.stdout.read(1)
            resources.time.sleep(3 * resources.SAMPLE_SECONDS)
            with resources.measure_stage("inner"):
                resources.time.sleep(2 * resources.SAMPLE_SECONDS)
            child.kill()
    assert usage("inner")["peak_memory_mb"] > 150
    assert usage("train")["peak_memory_mb"] > 150
    assert usage("train")["cpu_seconds"] > 0.1


def test_a_failed_stage_leaves_no_figures():
    with pytest.raises(ZeroDivisionError), resources.measure_stage("split"):
        raise ZeroDivisionError
    assert not resources.RESOURCES.exists()


def write(stage, **figures):
    blank = dict.fromkeys(("seconds", "cpu_seconds", "peak_memory_mb", "read_mb", "written_mb"), 0)
    resources.write_json(resources.RESOURCES / f"{stage}.json", blank | figures)


def test_stages_add_up_in_their_order_and_the_hungriest_counts():
    write("train", seconds=2, peak_memory_mb=500, read_mb=1)
    write("ingest", seconds=1, peak_memory_mb=900, read_mb=1)
    write("report", seconds=3)
    write("release", seconds=9)  # of an earlier run
    resources.write_total()
    joined = resources.sum_usage()
    assert list(joined["stages"]) == ["ingest", "train", "report"]
    assert joined["total"]["seconds"] == 6
    assert joined["total"]["peak_memory_mb"] == 900
    assert joined["total"]["read_mb"] == 2
    assert json.loads(resources.USAGE.read_text()) == joined
    assert "train" not in resources.sum_usage(without=("train",))["stages"]


def test_what_a_system_does_not_tell_is_not_known_in_all():
    write("ingest", read_mb=1)
    write("train", read_mb=None)
    assert resources.sum_usage()["total"]["read_mb"] is None


def test_nothing_measured_is_nothing_spent():
    assert resources.sum_usage()["total"]["seconds"] == 0
