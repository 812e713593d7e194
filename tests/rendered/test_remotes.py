"""Wherever DVC keeps the data: a colleague clones, pulls, and gets the identical figures."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from own_tables import TABLES
from servers import Server, azure_server, gcs_server, s3_server, ssh_server
from support import Render, commit, git, run

pytestmark = pytest.mark.slow

ANSWERS = {"sample": "empty"}
BUCKET = "acme-dvc"
TABLE = TABLES[0]


class Remote(NamedTuple):
    """A place for the data, and what DVC says to somebody it does not let in."""

    start: Callable[[], AbstractContextManager[Server]]
    settings: Callable[[Server], dict[str, str]]
    refusal: str | None = None


REMOTES = {
    "local": Remote(lambda: nullcontext(Server("")), lambda server: {}),
    "s3": Remote(
        lambda: s3_server(BUCKET),
        lambda server: {"endpointurl": server.url},
        "Unable to locate credentials",
    ),
    "gcs": Remote(
        lambda: gcs_server(BUCKET),
        lambda server: {"endpointurl": server.url, "allow_anonymous_login": "true"},
    ),
    "azure": Remote(
        lambda: azure_server(BUCKET),
        lambda server: {},
        "requires either account_name or connection_string",
    ),
    "ssh": Remote(ssh_server, lambda server: {"url": server.url}, "Permission denied"),
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every project here installs into one folder: uv swaps what differs, Python compiles once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_PROJECT_ENVIRONMENT", str(tmp_path_factory.mktemp("packages") / "venv"))
        yield


@pytest.fixture(scope="module")
def trained(packages: None, render: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a champion, made from a table that DVC keeps. It searches little."""
    folder = tmp_path_factory.mktemp("remotes")
    project = render(ANSWERS, folder / "trained")
    run("uv", "run", "flights", "setup", cwd=project)
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= {"trials": 4, "candidates": ["baseline", "linear"]}
    (project / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    source = TABLE.write(folder)
    run("uv", "run", "flights", "data", "add", source, "--target", TABLE.target, cwd=project)
    run("uv", "run", "dvc", "repro", cwd=project)
    return commit(project, "The first model")


@pytest.fixture
def anonymous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No access to any cloud comes from the machine that runs these tests."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "GCSFS_", "SSH_A")):
            monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AZURE_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "no-such-file"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("anonymous")
@pytest.mark.parametrize("answer", REMOTES)
def test_a_colleague_gets_the_identical_metrics(
    trained: Path, render: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    remote, metrics = REMOTES[answer], Path("reports/metrics.json")
    project = answer_anew(trained, render, tmp_path / "project", answer)
    figures = (project / metrics).read_bytes()
    with remote.start() as server:
        configure(project, remote.settings(server))
        if remote.refusal:
            refused = run("uv", "run", "dvc", "push", cwd=project, check=False)
            assert refused.returncode
            assert remote.refusal in refused.stdout
            assert "Traceback" not in refused.stdout
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        if server.keyfile:
            configure(project, {"keyfile": str(server.keyfile)})
        assert "pushed" in run("uv", "run", "dvc", "push", cwd=project).stdout

        git(tmp_path, "clone", "--quiet", str(project), "colleague")
        colleague = tmp_path / "colleague"
        if (own := project / ".dvc/config.local").exists():
            shutil.copy(own, colleague / ".dvc")
        run("uv", "run", "dvc", "pull", cwd=colleague)
        assert "up to date" in run("uv", "run", "dvc", "repro", cwd=colleague).stdout
        assert (colleague / metrics).read_bytes() == figures

        forget(colleague)
        run("uv", "run", "dvc", "pull", *raw(colleague), cwd=colleague)
        # The whole pipeline once, elsewhere no further than to the figures.
        stages = [] if answer == "local" else ["evaluate"]
        again = run("uv", "run", "dvc", "repro", "--force", *stages, cwd=colleague)
        assert "Running stage 'train'" in again.stdout
        assert (colleague / metrics).read_bytes() == figures
        assert (
            stages or json.loads((colleague / "reports/registration.json").read_text())["champion"]
        )
    assert not git(project, "status", "--porcelain"), "what belongs to one machine is not in git"


def answer_anew(trained: Path, render: Render, project: Path, answer: str) -> Path:
    """The trained project with its history, had its data been kept elsewhere from the start."""
    git(trained.parent, "clone", "--quiet", str(trained), str(project))
    render({**ANSWERS, "dvc_remote": answer}, project)
    run("uv", "lock", "--quiet", cwd=project)
    shutil.copytree(trained / ".dvc/cache", project / ".dvc/cache")
    return commit(project)


def configure(project: Path, settings: dict[str, str]) -> None:
    """As a person does it for one machine: nothing of it is in git."""
    for name, value in settings.items():
        run("uv", "run", "dvc", "remote", "modify", "--local", "storage", name, value, cwd=project)


def raw(project: Path) -> list[Path]:
    """The delivered files, as DVC keeps them."""
    return sorted(project.glob("data/raw/*.dvc"))


def forget(project: Path) -> None:
    """What the pipeline made, what it was asked before, and every copy of the data."""
    for made in (".dvc/cache", "data/ingested", "data/split", "models", "reports"):
        shutil.rmtree(project / made)
    for table in project.glob("data/*.parquet"):
        table.unlink()
    for delivered in raw(project):
        delivered.with_suffix("").unlink()
