import os
import signal
from functools import partial
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import fsspec
import pytest
from fsspec.core import url_to_fs
from fsspec.implementations.memory import MemoryFileSystem
from mlops.core.errors import UserError
from mlops.storage import measurement
from mlops.storage.measurement import Place, find_dvc_remote, list_places, measure_place
from rich.progress import Progress

MB = 10**6
REMOTE = "[core]\n    remote = store\n['remote \"store\"']\n    url = {url}\n"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    return tmp_path


@pytest.fixture
def memory():
    files = MemoryFileSystem()
    files.store.clear()
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


def measure(place, size=4 * MB):
    return measure_place(place, 0.5, size, Progress(disable=True))


def at(url):
    return measure(Place(url, url, partial(url_to_fs, url)))


def remote(url):
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text(REMOTE.format(url=url))


def test_the_local_disk_is_measured_and_nothing_is_left(project):
    local = measure(list_places([])[0])
    assert (local["name"], local["scheme"], local["fault"]) == ("local", "file", "")
    assert len(local["figures"]) == 8
    assert all(each["mb_s"] > 0 and each["p99_ms"] >= each["p50_ms"] for each in local["figures"])
    assert not list(Path("data").iterdir())


def test_a_folder_that_is_not_there_yet_is_measured_on_the_disk_it_will_be_on(project):
    report = at(f"file://{project}/not/yet")
    assert len(report["figures"]) == 8
    assert not Path("not").exists()


def test_any_place_of_fsspec_is_measured_and_left_clean(memory):
    memory.pipe_file("/mine/kept", b"kept")
    report = at("memory://mine")
    assert (report["scheme"], report["fault"], len(report["figures"])) == ("memory", "", 5)
    assert "whole objects" in report["how"]
    assert memory.find("/") == ["/mine/kept"]
    assert not any("bench" in folder for folder in memory.pseudo_dirs)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_written_is_removed_also_when_it_is_stopped(memory, monkeypatch, number):
    put, handlers = MemoryFileSystem.pipe_file, [signal.getsignal(each) for each in (2, 15)]
    written = []

    def stopped(self, path, block):
        if len(written) == 3:
            os.kill(os.getpid(), number)  # in the middle of a request, which ends well
        written.append(path)
        return put(self, path, block)

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", stopped)
    with pytest.raises(KeyboardInterrupt):
        at("memory://mine")
    assert len(written) == 4
    assert not memory.find("/")
    assert [signal.getsignal(each) for each in (2, 15)] == handlers


def test_a_second_signal_does_not_wait_for_the_request(memory, monkeypatch):
    def hangs(self, path, block):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the request went on")

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", hangs)
    with pytest.raises(KeyboardInterrupt):
        at("memory://mine")


def test_a_signal_after_the_last_request_is_not_lost(memory, monkeypatch):
    remove = MemoryFileSystem.rm

    def late(self, path, recursive):
        signal.raise_signal(signal.SIGINT)
        return remove(self, path, recursive=recursive)

    monkeypatch.setattr(MemoryFileSystem, "rm", late)
    with pytest.raises(KeyboardInterrupt):
        at("memory://mine")
    assert not memory.find("/")


def test_objects_that_may_not_be_removed_are_named(memory, monkeypatch):
    def refused(self, path, recursive):
        raise PermissionError("Access Denied")

    monkeypatch.setattr(MemoryFileSystem, "rm", refused)
    report = at("memory://mine")
    assert len(report["figures"]) == 5
    assert "/mine/.bench-" in report["fault"]
    assert "Access Denied; remove it by hand" in report["fault"]


def refusing(error):
    def reach():
        raise error

    return reach


def test_a_place_out_of_reach_is_one_line_without_secrets():
    url = "sftp://app:s3cr%40t@store.example/x?sig=s3cret"  # pragma: allowlist secret
    error = ConnectionError(f"cannot reach {url} with s3cr@t.\nTraceback")
    report = measure(Place("remote", url, refusing(error)))
    assert report["fault"] == "cannot reach sftp://app:***@store.example/x?*** with ***"
    assert not report["figures"]
    assert "s3cr" not in str(report)
    assert measure(Place("remote", url, refusing(OSError())))["fault"] == "OSError"


def test_a_place_that_does_not_answer_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(measurement, "ANSWER_SECONDS", 0.01)
    silent, asked = Event(), []
    report = measure(Place("remote", "s3://x", lambda: asked.append(silent.wait(30))))
    silent.set()
    assert "did not answer" in report["fault"]


def test_too_little_room_is_a_sentence(monkeypatch):
    monkeypatch.setattr(measurement.shutil, "disk_usage", lambda _: SimpleNamespace(free=100 * MB))
    assert measurement.find_room(Path("data"), 50 * MB) == Path("data").absolute()
    with pytest.raises(UserError, match=r"100 MB of room, and 102 MB are wanted: .* --size"):
        measurement.find_room(Path("data"), 51 * MB)
    assert "make room" in measure(list_places([])[0], 51 * MB)["fault"]


def test_an_unknown_kind_of_url_is_a_sentence():
    with pytest.raises(UserError, match="nope://x: Protocol not known: nope"):
        list_places(["nope://x"])


def test_without_the_package_for_s3_it_is_named(monkeypatch):
    def missing(scheme):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(UserError, match=r"Install s3fs to access S3; .* 'uv add'"):
        list_places(["s3://bucket/x"])


def test_the_remote_is_that_of_dvc(project):
    remote("../../elsewhere")
    place = find_dvc_remote()
    assert (place.name, place.url) == ("remote", str(project.parent / "elsewhere"))
    assert place.reach()[1] == str(project.parent / "elsewhere")
    assert len(measure(place)["figures"]) == 8


def test_a_wrong_setting_of_dvc_is_a_sentence():
    remote("nope://store")
    with pytest.raises(UserError, match=r"DVC: config file error: Unsupported URL type nope://"):
        find_dvc_remote()


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("", "no default remote"),
        (REMOTE.format(url="oss://bucket/x"), "dvc-oss"),
        ("[core]\n    remote = gone\n", "gone"),
    ],
)
def test_a_remote_that_cannot_be_is_one_line(config, says):
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text(config)
    report = measure(find_dvc_remote())
    assert says in report["fault"]
    assert "\n" not in report["fault"]
