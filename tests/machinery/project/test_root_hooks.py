"""The hooks of a project in a folder: those of pre-commit at the root of the larger repository."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from mlops.core.errors import UserError
from mlops.core.repository_place import Place, find_place
from mlops.project import root_files
from mlops.project.root_hooks import TAKE_ANY_PATH, move_hooks, move_pattern

OWN = (Path(__file__).parents[3] / "template/.pre-commit-config.yaml").read_text()
PLACE = Place(Path("/larger"), "ml/flights")
PATHS = ("a", "b", "x/a", "x/b.rej", "data/raw/t.csv", "ml/flights/a", "^a", "A", "ba", "a|b")


def move(text: str, indent: int = 2) -> list[dict]:
    repos = yaml.safe_load(move_hooks(text, "ml/flights/hooks.yaml", PLACE, indent))
    return [hook for repo in repos for hook in repo["hooks"]]


def move_one(hook: str, head: str = "", repo: str = "local") -> dict:
    return move(f"{head}\nrepos: [{{repo: {repo}, hooks: [{{id: own, {hook}}}]}}]\n")[0]


@pytest.mark.parametrize(
    "pattern",
    [
        *("^a", "a", "^a$", "^(a|b)$", "^a|^b", "^a|b", r"\.rej$", "^data/raw/", "", "^", "$"),
        *("[^a]$", r"\^a", "(?i)^a$", "(?x)^(\n  a  # first\n  | x/b\n)\n", "(?!a)", "^(?!a)"),
        *("a/?", "a|b$", r"\Aa", "^[|^]", r"^a\|b$", "^(x/(a|b))", "((^a)|(^b))$", r"[]^a]"),
        "^ml/flights/",
    ],
)
def test_a_pattern_finds_in_the_folder_what_it_found_before(pattern):
    moved = move_pattern(pattern, PLACE.folder)
    for path in PATHS:
        inside = re.search(moved, f"ml/flights/{path}")
        assert bool(inside) == bool(re.search(pattern, path)), (moved, path)
        for outside in (path, f"other/{path}", f"x/ml/flights/{path}", f"ml/flightsX/{path}"):
            if not outside.startswith("ml/flights/"):
                assert not re.search(moved, outside), (moved, outside)


def test_a_simple_pattern_stays_readable():
    assert move_pattern(r"^pyproject\.toml$", "flights") == r"^flights/pyproject\.toml$"
    assert move_pattern("^(a|b)/", "my.ml") == r"^my\.ml/(a|b)/"


def test_each_hook_of_the_template_is_moved():
    before = [hook for repo in yaml.safe_load(OWN)["repos"] for hook in repo["hooks"]]
    after = move(OWN)
    assert [hook["id"] for hook in after] == [hook["id"] for hook in before]
    for old, new in zip(before, after, strict=True):
        assert new["name"] == f"{old['name']} (ml/flights)"
        assert new["files"].startswith("^ml/flights/")
        assert new["exclude"] == r"^ml/flights/(data/raw/|uv\.lock$|dvc\.lock$)"
        assert new["stages"] == old.get("stages", ["pre-commit"])
        assert new.get("types") == old.get("types")
        command = old["entry"].removeprefix("uv ").strip()
        tool = command.removeprefix("run ").split()[0]
        if old["language"] == "fail":
            assert new["entry"] == old["entry"]
        elif not old.get("pass_filenames", True):
            assert new["entry"] == f"uv --directory ml/flights {command}"
        elif tool != "hadolint":  # which looks for its settings where it runs
            assert tool in TAKE_ANY_PATH
            assert new["entry"] == f"uv --project ml/flights {command}"
        else:
            assert new["entry"].endswith(f" ml/flights uv {command}")


def test_comments_stay():
    assert "# Not by entropy alone" in move_hooks(OWN, "", PLACE)


def test_a_command_of_the_team_gets_paths_as_in_a_repository_of_its_own(tmp_path):
    (tmp_path / "ml/flights").mkdir(parents=True)
    show = "import os, sys; print(os.path.basename(os.getcwd()), *sys.argv[1:], sep=chr(10))"
    (tmp_path / "ml/flights/show.py").write_text(show)
    hook = move_one(f"name: a, language: script, entry: '{sys.executable} show.py -v'")
    run = ["sh", "-c", f'{hook["entry"]} "$@"', "sh", "ml/flights/a b.txt", "ml/flights/c/d.txt"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["flights", "-v", "a b.txt", "c/d.txt"]
    assert hook["language"] == "system"


def test_what_holds_for_all_hooks_of_the_project_is_said_by_each():
    head = "files: ^src/\nexclude: ^src/old/\ndefault_stages: [pre-push]"
    hook = move_one(r"language: pygrep, entry: TODO, files: \.py$, exclude: ^src/x\.py$", head)
    assert (hook["entry"], hook["stages"]) == ("TODO", ["pre-push"])
    for path, looked_at in [
        ("ml/flights/src/a.py", True),
        ("ml/flights/src/x.py", False),
        ("ml/flights/src/old/a.py", False),
        ("ml/flights/a.py", False),
        ("src/a.py", False),
    ]:
        included = re.search(hook["files"], path) and not re.search(hook["exclude"], path)
        assert bool(included) == looked_at, path


def test_a_hook_from_elsewhere_keeps_its_own_filter_and_command():
    hook = move_one("args: [--x]", repo="https://acme.example/hooks")
    assert hook == {"id": "own", "args": ["--x"], "exclude": "^(?!ml/flights/)"}
    assert not re.search(hook["exclude"], "ml/flights/a.py")
    assert re.search(hook["exclude"], "other/ml/flights/a.py")


def test_a_hook_that_always_runs_does_so_for_the_folder_unless_its_stage_has_no_files():
    always = "language: system, entry: make, always_run: true"
    hook = move_one(always)
    assert ("always_run" in hook, hook["files"]) == (False, "^ml/flights/")
    hook = move_one(f"{always}, stages: [commit-msg]")
    assert (hook["always_run"], "files" in hook) == (True, False)


@pytest.mark.parametrize(
    "text", ["repos: [\n", "- a\n", "", "repos: {}\n", "repos: [{repo: local}]\n"]
)
def test_what_is_no_configuration_is_named(text):
    with pytest.raises(UserError, match=r"^ml/flights/hooks\.yaml "):
        move(text)


@pytest.fixture
def larger(tmp_path, monkeypatch):
    """A larger repository with two projects, of which a hook greps in each file."""
    hook = "{id: own, name: Own, language: pygrep, entry: bad, types: [text]}"
    for folder in ("ml/flights", "sold"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / ".pre-commit-config.yaml").write_text(
            f"default_stages: [pre-commit]\nrepos:\n- repo: local\n  hooks:\n  - {hook}\n"
        )
        (tmp_path / folder / "a b.txt").write_text("bad\n")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    monkeypatch.chdir(tmp_path / "ml/flights")
    return tmp_path.resolve()


def write_hooks() -> list[str]:
    """Write the root's configuration only: these projects have no CODEOWNERS."""
    place = find_place()
    for path, text in root_files.make_hooks(place):
        if root_files.read_text(place.root / path) != text:
            (place.root / path).write_text(text)
            return [path]
    return []


def run_hooks(root: Path, *options: str) -> str:
    command = [sys.executable, "-m", "pre_commit", "run", "--verbose", *options]
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_projects_stand_side_by_side_and_each_looks_at_its_own_files(larger, monkeypatch):
    assert write_hooks() == [".pre-commit-config.yaml"]
    monkeypatch.chdir(larger / "sold")
    own = Path(".pre-commit-config.yaml")
    own.write_text(f"default_install_hook_types: [pre-commit, commit-msg]\n{own.read_text()}")
    assert write_hooks() == [".pre-commit-config.yaml"]
    assert write_hooks() == []
    monkeypatch.chdir(larger / "ml/flights")
    assert write_hooks() == []
    root = yaml.safe_load((larger / ".pre-commit-config.yaml").read_text())
    assert root["default_install_hook_types"] == ["pre-commit", "commit-msg"]
    output = run_hooks(larger, "--all-files")
    assert [line for line in output.splitlines() if line.endswith(":bad")] == [
        "ml/flights/a b.txt:1:bad",
        "sold/a b.txt:1:bad",
    ]
    shutil.copy(larger / "sold/.pre-commit-config.yaml", ".pre-commit-config.yaml")
    before = (larger / ".pre-commit-config.yaml").read_text().partition("# Written by")[2]
    assert write_hooks() == [".pre-commit-config.yaml"]
    after = (larger / ".pre-commit-config.yaml").read_text()
    assert after.endswith(before[before.index("# End of ml/flights") :])


@pytest.mark.parametrize("indent", ["", "    "])
def test_a_configuration_of_somebody_else_is_left_until_it_has_a_place(larger, indent):
    root = larger / ".pre-commit-config.yaml"
    theirs = f"repos:\n{indent}- repo: meta\n{indent}  hooks: [{{id: identity}}]\n"
    root.write_text(theirs)
    assert write_hooks() == []
    [sentence] = root_files.describe_what_is_left(find_place())
    assert sentence.startswith(f"left {root} as it is, since somebody else wrote it: add the lines")
    first, last = re.findall(r'"(# [^"]+)"', sentence)
    root.write_text(f"{theirs}{first}\n{last}\nfail_fast: true\n")
    assert write_hooks() == [".pre-commit-config.yaml"]
    assert root_files.describe_what_is_left(find_place()) == []
    assert write_hooks() == []
    read = yaml.safe_load(root.read_text())
    assert [repo["repo"] for repo in read["repos"]] == ["meta", "local"]
    assert read["fail_fast"] is True
    assert "ml/flights/a b.txt:1:bad" in run_hooks(larger, "own", "--all-files")


def test_a_place_that_cannot_hold_hooks_is_told(larger):
    root = larger / ".pre-commit-config.yaml"
    origin = root_files.name_origin("ml/flights/.pre-commit-config.yaml")
    root.write_text(f"repos: []\n{origin}\n# End of ml/flights\n")
    before = root.read_text()
    with pytest.raises(UserError, match=r"\.pre-commit-config\.yaml cannot be read as YAML"):
        write_hooks()
    assert root.read_text() == before
