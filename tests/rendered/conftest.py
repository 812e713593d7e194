"""The template as a user meets it: a Git repository with a tag, rendered by Copier."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from copier import run_copy

from copier_mlops.template import Templates
from engine import engine
from imaged import build_image
from support import ROOT, VERSION, Answers, Render, commit, git, run


@pytest.fixture(scope="session")
def template(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working tree, committed or not, as a tagged repository: Copier renders only tags."""
    copy = tmp_path_factory.mktemp("template")
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return commit(copy, tag=VERSION)


@pytest.fixture(scope="session")
def render(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render once for each set of answers. Tests that change the project pass `into`."""
    done: dict[str, Path] = {}

    def once(answers: Answers | None = None, into: Path | None = None) -> Path:
        key = repr(sorted((answers or {}).items()))
        if into is None and key in done:
            return done[key]
        target = into or tmp_path_factory.mktemp("rendered") / "project"
        source = str(template)
        run_copy(source, target, data=answers or {}, defaults=True, overwrite=True, quiet=True)
        if into is None:
            done[key] = target
        return target

    return once


@pytest.fixture(scope="session")
def set_up(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render and install, once for each set of answers; the project is a Git repository."""
    done: dict[str, Path] = {}

    def once(answers: Answers | None = None) -> Path:
        key = repr(sorted((answers or {}).items()))
        if key not in done:
            project = render(answers, tmp_path_factory.mktemp("set-up") / "project")
            run("uv", "run", "mlops", "setup", cwd=project)
            done[key] = project
        return done[key]

    return once


@pytest.fixture(scope="session")
def flights(set_up: Render) -> Path:
    """A project with a champion, committed: what is made from it names this commit."""
    project = set_up({})
    run("uv", "run", "dvc", "repro", cwd=project)
    return commit(project, "A champion")


@pytest.fixture(scope="session")
def docker(machine: None) -> Iterator[None]:
    """An engine, from the first test that needs one."""
    with engine() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def image(docker: None, flights: Path) -> Iterator[str]:
    """The id of its image."""
    with build_image(flights) as image:
        yield image


@pytest.fixture(scope="session")
def templates(template: Path) -> Templates:
    """The template under test, whatever a project says that it was made from."""
    return Templates(str(template))


@pytest.fixture(scope="session")
def committed(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default project as it was rendered, committed."""
    folder = tmp_path_factory.mktemp("committed") / "flights"
    shutil.copytree(render({}), folder)
    return commit(folder)


@pytest.fixture
def project(committed: Path, tmp_path: Path) -> Path:
    """A default project of its own, committed, for a test to change."""
    shutil.copytree(committed, tmp_path / "flights")
    return tmp_path / "flights"
