"""The README's two commands on machines that have git, Python and pip, and nothing else.

The worst of them at each run, the others in the deep profile.
"""

import re
from pathlib import Path

import pytest

from engine import have_image
from fresh import HOME, Machine, debian_machine
from servers import index_mirror, web_proxy
from support import ROOT, run
from test_readme import blocks

pytestmark = pytest.mark.slow

FIRST, *_, SECOND = blocks(ROOT / "README.md")
FOLDER = f"{HOME}/Jürgens Projekte"
NOISE = re.compile(r"warn|traceback|deprecat|no git tags", re.IGNORECASE)
IMAGE = "python:3.11-slim"
UV = 'export PATH="$HOME/.uv/bin:$PATH"'  # as the first command has left it for later ones

SERVE = f"""{UV}
uv run mlops serve --port 8123 > serve.log 2>&1 &
until grep --quiet "Uvicorn running" serve.log; do sleep 0.5; done
uv run mlops monitor replay data/raw/0001-flights.csv --url http://127.0.0.1:8123 --minutes 0.1
uv run mlops monitor report
kill %1
"""
SHARE = f"""{UV}
git config user.name Jo && git config user.email jo@acme.example
uv run mlops setup
git init --quiet --bare --initial-branch main ../origin.git && git remote add origin ../origin.git
git push --quiet origin main
uv run dvc push
"""
IN_A_CONTAINER = """
apt-get update -qq && apt-get install -qq -y --no-install-recommends git > apt.log 2>&1
git clone --quiet --no-tags /bundle /srv/copier-mlops && cd /srv/copier-mlops
"""


@pytest.fixture(scope="module")
def worst(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Machine, str]:
    """Debian 12, an ordinary user without an identity; and what the first command printed."""
    machine = debian_machine("bookworm", tmp_path_factory.mktemp("bookworm") / "root")
    return machine, first_command(machine, template)


def first_command(machine: Machine, template: Path) -> str:
    machine.clone(template, f"{FOLDER}/copier-mlops")
    return machine.shell(FIRST, f"{FOLDER}/copier-mlops")


def noise(printed: str) -> list[str]:
    """The lines at which a newcomer would stop without need."""
    return [line for line in printed.splitlines() if NOISE.search(line)]


def test_the_first_command_ends_with_a_champion_and_says_what_lacks(
    worst: tuple[Machine, str],
) -> None:
    _, printed = worst
    assert re.search(r"release: all \d+ gates passed", printed), printed
    assert "left the first commit to you, since git does not know who you are" in printed
    assert "left out lightgbm: libgomp is not installed on this machine" in printed
    assert noise(printed) == []


def test_its_model_is_served_and_monitored(worst: tuple[Machine, str]) -> None:
    printed = worst[0].shell(SERVE, f"{FOLDER}/flights")
    assert "reports/monitoring.html" in printed
    assert noise(printed) == []


def test_a_colleague_s_clone_starts_by_the_project_s_readme(worst: tuple[Machine, str]) -> None:
    machine, _ = worst
    readme, guide = (
        blocks(machine.file(f"{FOLDER}/flights/{page}"))
        for page in ("README.md", "docs/guide/team.md")
    )
    [bring_uv] = [block for block in readme if "pip install" in block]
    [clone] = [block for block in guide if "git clone" in block]
    assert "made the first commit" in machine.shell(SHARE, f"{FOLDER}/flights")
    clone = clone.replace("ADDRESS flights && cd flights", "origin.git second && cd second")
    printed = machine.shell(f"{bring_uv}\n{clone}\nuv run dvc status", FOLDER)
    assert "Data and pipelines are up to date" in printed
    assert noise(printed) == []


@pytest.mark.deep
def test_the_first_command_on_debian_13(template: Path, tmp_path: Path) -> None:
    printed = first_command(debian_machine("trixie", tmp_path / "root"), template)
    assert re.search(r"release: all \d+ gates passed", printed), printed
    assert noise(printed) == []


@pytest.mark.deep
def test_the_first_command_behind_a_mirror_of_the_package_index(
    template: Path, tmp_path: Path
) -> None:
    """Nothing but the mirror is reached: any other way leads to a proxy that is not there."""
    with index_mirror() as url:
        nowhere = "http://127.0.0.1:9"
        ways = {"UV_DEFAULT_INDEX": url, "PIP_INDEX_URL": url, "HTTPS_PROXY": nowhere}
        printed = first_command(debian_machine("bookworm", tmp_path / "root", **ways), template)
    assert re.search(r"release: all \d+ gates passed", printed), printed
    assert noise(printed) == []


@pytest.mark.deep
def test_the_first_command_behind_a_proxy(template: Path, tmp_path: Path) -> None:
    """No name is resolved on the machine itself, and its own service is reached all the same."""
    with web_proxy() as url:
        ways = {"HTTPS_PROXY": url, "HTTP_PROXY": url}
        machine = debian_machine("bookworm", tmp_path / "root", **ways)
        machine.file("/etc/resolv.conf").write_text("", encoding="utf-8")
        printed = first_command(machine, template)
        printed += machine.shell(SERVE, f"{FOLDER}/flights")
    assert "reports/monitoring.html" in printed
    assert noise(printed) == []


@pytest.mark.deep
@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_the_second_command_skips_what_the_machine_lacks(
    template: Path, tmp_path: Path, release: str
) -> None:
    machine = debian_machine(release, tmp_path / "root")
    machine.clone(template, f"{FOLDER}/copier-mlops")
    judge_second(machine.shell(SECOND, f"{FOLDER}/copier-mlops", check=False))


@pytest.mark.deep
@pytest.mark.engine
@pytest.mark.usefixtures("docker")
def test_both_commands_in_a_slim_container(template: Path, tmp_path: Path) -> None:
    """As root, which may do less there than root elsewhere."""
    have_image(IMAGE)
    run("git", "bundle", "create", "--quiet", tmp_path / "bundle", "HEAD", "main", cwd=template)
    share = ["--volume", f"{tmp_path}/bundle:/bundle:ro", "--network", "host"]

    def container(command: str, check: bool) -> str:
        words = ["docker", "run", "--rm", *share, IMAGE, "bash", "-ec"]
        return run(*words, IN_A_CONTAINER + command, cwd=tmp_path, check=check).stdout

    printed = container(FIRST, check=True)
    assert re.search(r"release: all \d+ gates passed", printed), printed
    assert noise(printed) == []
    judge_second(container(SECOND, check=False))


def judge_second(printed: str) -> None:
    """All green, or skipped with a reason; printed for docs/fresh-machines.md."""
    *_, summary = printed.rstrip().splitlines()
    print("\n".join(line for line in printed.splitlines() if line.startswith("SKIPPED")), summary)
    assert re.search(r"\d+ passed", summary), printed[-6000:]
    assert not re.search(r"failed|error", summary), printed[-6000:]
