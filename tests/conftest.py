"""Options, markers and order of all tests, and a machine without settings of its own."""

import os
import sys
from pathlib import Path

import pytest

DEEP_TIMEOUT = 4 * 60 * 60  # seconds


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="also run the tests marked deep")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Slow tests of a file share what took long to make, so one process runs them; and there is one
    engine, where names and ports are taken once. Deep tests have hours.
    """
    if marked(item, "slow") and not marked(item, "xdist_group"):
        group = "engine" if marked(item, "engine") else item.path.stem
        item.add_marker(pytest.mark.xdist_group(group))
    if marked(item, "deep") and not marked(item, "timeout"):
        item.add_marker(pytest.mark.timeout(DEEP_TIMEOUT))


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
