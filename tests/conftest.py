"""The template as a user meets it: a Git repository with a tag, rendered by Copier."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from copier import run_copy
from copier_mlops.template import Templates

ROOT = Path(__file__).resolve().parent.parent
VERSION = "v0.1.0"

# These run in a rendered project, with its packages.
collect_ignore = ["in_project"]

Answers = dict[str, Any]
Render = Callable[..., Path]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="also run the tests marked deep")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Slow tests of a file share what took long to make, so one process runs them; and there is one
    engine, where names and ports are taken once.
    """
    if marked(item, "slow"):
        group = "engine" if marked(item, "engine") else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Fast tests first, so that a mistake shows in seconds; then the longest group, the engine's.

    Deep tests come only when asked for.
    """
    items.sort(key=lambda item: (marked(item, "slow"), not marked(item, "engine")))
    if not config.getoption("--deep"):
        chosen = [item for item in items if not marked(item, "deep")]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


def marked(item: pytest.Item, name: str) -> bool:
    return item.get_closest_marker(name) is not None


def run(*command: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command without standard input; a failure shows what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert not check or done.returncode == 0, f"{command} exited {done.returncode}:\n{done.stdout}"
    return done


def git(repository: Path, *arguments: str) -> str:
    return run("git", *arguments, cwd=repository).stdout


def commit(repository: Path, message: str = "Change", tag: str | None = None) -> Path:
    """Commit everything in `repository`, made into one if need be."""
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", message)
    if tag:
        git(repository, "tag", tag)
    return repository


def files(project: Path) -> dict[str, bytes]:
    """All files of a rendered project, by their path with slashes."""
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in sorted(project.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(project).parts
    }


@pytest.fixture(scope="session", autouse=True)
def machine(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Git, uv and Copier as on a fresh machine: no setting of this one reaches a test."""
    settings = tmp_path_factory.mktemp("settings")
    (settings / "gitconfig").write_text(
        "[user]\nname = Tester\nemail = tester@acme.example\n"
        "[init]\ndefaultBranch = main\n[gc]\nauto = 0\n"
    )
    (settings / "copier.yml").write_text("{}\n")
    for name in [name for name in os.environ if name.startswith("GIT_") and "SSL" not in name]:
        del os.environ[name]
    ours = ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    for name in ours:
        os.environ.pop(name, None)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["GIT_CONFIG_GLOBAL"] = str(settings / "gitconfig")
    os.environ["GIT_CONFIG_NOSYSTEM"] = "1"
    os.environ["COPIER_SETTINGS_PATH"] = str(settings / "copier.yml")


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
            package = project / "src"
            name = next(path.name for path in package.iterdir() if path.is_dir())
            run("uv", "run", name, "setup", cwd=project)
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
    from engine import engine  # noqa: PLC0415  (which imports from here)

    with engine() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def image(docker: None, flights: Path) -> Iterator[str]:
    """The id of its image."""
    from imaged import built  # noqa: PLC0415

    with built(flights) as image:
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
