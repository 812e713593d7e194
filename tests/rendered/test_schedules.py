"""What happens by the clock: the model at work is looked at, and news is brought in."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml
from copier import run_copy

from actions import Run, act
from support import Render, commit, git, run

GH = """\
#!/usr/bin/env bash
# In the place of GitHub's own: notes what it is asked, and says what is open.
printf '%s\\n' "$*" >> "$GH_NOTES/asked"
while [ $# -gt 0 ]; do
    case $1 in
        list) cat "$GH_NOTES/open" ;;
        --body-file) cp "$2" "$GH_NOTES/body" ;;
    esac
    shift
done
"""


@pytest.mark.parametrize("deploy", ["compose", "none"])
def test_dependabot_leaves_to_the_template_what_is_the_template_s(
    render: Render, deploy: str
) -> None:
    project = render({"deploy": deploy})
    file = project / ".github" / "dependabot.yml"
    run("check-jsonschema", "--builtin-schema", "vendor.dependabot", file, cwd=project)
    run("zizmor", "--offline", "--pedantic", "--quiet", file, cwd=project)
    updates = yaml.safe_load(file.read_text(encoding="utf-8"))["updates"]
    named = {one["package-ecosystem"]: one for one in updates}
    assert set(named) == {"uv", "github-actions"}
    assert workflows(project) <= set(named["github-actions"]["exclude-paths"])
    assert not (project / "renovate.json").exists()


def test_renovate_brings_the_template_without_trust(render: Render) -> None:
    project = render({"updates": "renovate"})
    file = project / "renovate.json"
    run("check-jsonschema", "--builtin-schema", "vendor.renovate", file, cwd=project)
    settings = json.loads(file.read_text(encoding="utf-8"))
    assert {"copier", "pep621", "github-actions"} <= set(settings["enabledManagers"])
    assert settings["ignoreScripts"]
    assert workflows(project) <= set(settings["ignorePaths"])
    assert not (project / ".github" / "dependabot.yml").exists()
    assert ".github/workflows/template-update.yml" not in workflows(project)


def workflows(project: Path) -> set[str]:
    """Those of the template, whose pins it brings up to date itself."""
    return {
        path.relative_to(project).as_posix()
        for path in (project / ".github" / "workflows").glob("*.yml")
    }


@pytest.mark.parametrize("deploy", ["compose", "none"])
def test_a_page_names_what_its_role_owns(render: Render, deploy: str) -> None:
    """And each answers for the same by CODEOWNERS, where no two roles have one owner."""
    project = render({"deploy": deploy})
    owned: dict[str, set[str]] = {}
    for line in (project / ".github" / "CODEOWNERS").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            path, owner = line.split()
            owned.setdefault(owner, set()).add(path)
    problem = yaml.safe_load((project / "problem.yaml").read_text(encoding="utf-8"))
    for role, owner in problem["owners"].items():
        page = project / "docs" / "roles" / f"{role.replace('_', '-')}.md"
        part = page.read_text(encoding="utf-8").split("## ")[1]
        assert set(re.findall(r"`(/[^`]*|\*)`", part)) == owned[owner], role


class GitHub:
    """What a workflow asks of `gh`, and what that says is open."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder, folder / "bin"
        self.bin.mkdir(parents=True)
        self.brings("gh", GH)
        self.has_open("")

    def brings(self, command: str, script: str) -> None:
        (self.bin / command).write_text(script)
        (self.bin / command).chmod(0o755)

    def has_open(self, number: str) -> None:
        (self.folder / "open").write_text(number)

    def run(self, project: Path, workflow: str, **more: object) -> tuple[Run, list[str]]:
        """What became of a run, and what it changed on GitHub."""
        (self.folder / "asked").write_text("")
        switched_on = {"MONITORING": "on"}
        ran = act(project, "schedule", workflow, env=self.env, variables=switched_on, **more)
        return ran, [words for words in self.asked if " list " not in words and "auth" not in words]

    @property
    def env(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.bin), os.environ["PATH"]])
        return {"PATH": path, "GH_NOTES": str(self.folder)}

    @property
    def asked(self) -> list[str]:
        return (self.folder / "asked").read_text().splitlines()

    @property
    def body(self) -> str:
        return (self.folder / "body").read_text(encoding="utf-8")


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    return GitHub(tmp_path / "github")


def test_a_pull_request_is_not_touched_without_news(
    render: Render, github: GitHub, tmp_path: Path
) -> None:
    script = render() / ".github" / "propose.sh"
    run("shellcheck", script, cwd=tmp_path)
    (tmp_path / "text.md").write_text("Title\n\nBody\n")
    ours = tmp_path / "ours"
    ours.mkdir()
    commit(ours)
    git(tmp_path, "clone", "--quiet", "--bare", str(ours), "origin.git")
    git(ours, "remote", "add", "origin", str(tmp_path / "origin.git"))
    env = [f"{name}={value}" for name, value in github.env.items()]

    def propose(text: str) -> str:
        git(ours, "switch", "--quiet", "main")
        (ours / "news.txt").write_text(text)
        git(ours, "add", "--all")
        command = ["env", *env, "bash", script, "news", tmp_path / "text.md", "--draft"]
        return run(*command, cwd=ours).stdout

    propose("One\n")
    assert "--title Title" in github.asked[-1]
    assert github.asked[-1].endswith("--draft")
    assert github.body == "Body\n"
    github.has_open("3")
    assert "as it should be already" in propose("One\n")
    propose("Two\n")
    assert [words.split(" --")[0] for words in github.asked if " list" not in words] == [
        "auth setup-git",
        "pr create",
        "auth setup-git",
        "auth setup-git",
        "pr edit 3",
    ]
    assert git(ours, "show", "origin/news:news.txt") == "Two\n"


@pytest.mark.slow
def test_news_of_the_template_come_as_one_pull_request(
    template: Path, github: GitHub, tmp_path: Path
) -> None:
    """A clean one is tried first; one with conflicts says so, and whatever people did stays."""
    platform, project = tmp_path / "platform", tmp_path / "project"
    shutil.copytree(template, platform)
    commit(platform, tag="v1.0.0")
    run_copy(str(platform), project, data={"deploy": "none"}, defaults=True, quiet=True)
    quick(project)
    run("uv", "run", "flights", "setup", cwd=project)

    def released(tag: str, **files: str) -> None:
        for name, text in files.items():
            (platform / "template" / name).write_text(text, encoding="utf-8")
        commit(platform, tag=tag)

    released("v1.1.0", **{"news.txt": "News\n"})
    ran, asked = github.run(project, "template-update.yml")
    assert ran.conclusions == {"update": "success"}, ran.log
    assert ran["update"].steps["Try what is new"] == "success", ran.log
    [create] = asked
    title = "Update the template from v1.0.0 to v1.1.0"
    assert create.startswith(f"pr create --head template-update --title {title} --body-file ")
    assert "--draft" not in create
    assert "uv run dvc repro" in github.body
    changed = git(project, "diff", "--name-only", "main", "template-update").split()
    assert changed == [".copier-answers.yml", "news.txt"]

    (project / ".dvcignore").write_text("# The team's line\n")
    commit(project)
    released("v1.2.0", **{".dvcignore": "# The platform's line\n"})
    github.has_open("7")
    ran, asked = github.run(project, "template-update.yml")
    assert ran.conclusions == {"update": "success"}, ran.log
    assert "Try what is new" not in ran["update"].steps
    [edit] = asked
    assert edit.startswith("pr edit 7 --title Update the template from v1.0.0 to v1.2.0: conflicts")
    assert "**Not to be merged as it is, and not tried yet.**" in github.body
    assert "- .dvcignore:1 holds an unsolved conflict: keep the right lines" in github.body
    proposed = git(project, "show", "template-update:.dvcignore")
    assert "# The team's line" in proposed
    assert "# The platform's line" in proposed

    solve_conflict(project, ".dvcignore")
    before = git(project, "rev-parse", "template-update")
    released("v1.3.0", **{"news.txt": "More\n"})
    ran, asked = github.run(project, "template-update.yml")
    assert "People have committed to template-update" in ran.log
    assert not asked
    assert git(project, "rev-parse", "template-update") == before


def quick(project: Path) -> None:
    """A search of two trials, and one test: what is tried here is what comes after them."""
    params = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= {"candidates": ["baseline", "linear"], "trials": 2}
    if "latency_ms" in params["budgets"]:
        params["budgets"]["latency_ms"] = 1000  # however busy this machine is
    (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    for file in (project / "tests").glob("*.py"):
        file.write_text("")  # one that is deleted comes back with an update
    (project / "tests" / "test_one.py").write_text("def test_one():\n    assert True\n")


def solve_conflict(project: Path, name: str) -> None:
    """Somebody solves a conflict on the branch."""
    git(project, "switch", "--quiet", "template-update")
    (project / name).write_text("# Both\n")
    commit(project)
    git(project, "switch", "--quiet", "main")


JOURNAL = """
import datetime as dt, json, sqlite3, sys
import polars as pl
from mlops.data.contract import Contract
from mlops.scoring.predictor import Predictor
from mlops.serving.journal_database import TABLES
contract, drifted = Contract.load(), sys.argv[2] == "drifted"
rows = pl.read_parquet("data/split/train.parquet").sample(2000, seed=1)
scores = Predictor().scores(rows)
names = [column.name for column in contract.inputs]
at = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
with sqlite3.connect(sys.argv[1]) as journal:
    for statement in TABLES:
        journal.execute(statement)
    columns = [row[1] for row in journal.execute("PRAGMA table_info(predictions)")]
    for number, row in enumerate(rows.iter_rows(named=True)):
        inputs = {name: row[name] for name in names}
        if drifted:
            inputs["distance"] = 4000
        facts = {"id": f"{number:x}", "at": at.isoformat(timespec="milliseconds"),
            "role": "champion", "model": "abc", "version": 1, "prediction": "no",
            "score": float(scores[number]),
            "decision": False, "inputs": json.dumps(inputs, default=dt.datetime.isoformat)}
        told = [facts.get(name) for name in columns]
        journal.execute(f"INSERT INTO predictions VALUES ({', '.join('?' * len(told))})", told)
"""


@pytest.mark.slow
def test_what_the_monitoring_finds_is_one_issue_and_a_new_model_is_proposed(
    render: Render, github: GitHub, tmp_path: Path
) -> None:
    """Drift opens it, is told again in it, and closes it once it is over."""
    project, store = render(into=tmp_path / "project"), tmp_path / "store"
    quick(project)
    run("uv", "run", "flights", "setup", cwd=project)
    run("uv", "run", "dvc", "remote", "modify", "storage", "url", store, cwd=project)
    run("uv", "run", "dvc", "repro", cwd=project)
    run("uv", "run", "dvc", "push", cwd=project)
    commit(project, "The first model")
    for name in ("well", "drifted"):
        write = ("uv", "run", "python", "-c", JOURNAL, tmp_path / f"{name}.db", name)
        run(*write, cwd=project)

    def monitored(name: str) -> tuple[Run, list[str]]:
        secrets = {"JOURNAL_URL": f"sqlite:///{tmp_path}/{name}.db"}
        ran, asked = github.run(project, "monitor.yml", secrets=secrets)
        assert ran.conclusions == {"look": "success"}, ran.log
        return ran, asked

    ran, asked = monitored("drifted")
    assert [words.split(" --")[0] for words in asked] == ["label create monitoring", "issue create"]
    assert "Among the inputs distance" in ran.summary
    assert "monitor accept --because" in ran.log

    github.has_open("7")
    reason = ("--because", "the flights are longer now")
    run("uv", "run", "flights", "monitor", "accept", *reason, cwd=project)
    commit(project, "The new distances are right")
    ran, asked = monitored("drifted")
    assert asked[0].startswith("issue edit 7 --body-file ")
    assert asked[-1].startswith("pr edit 7 --title A new model")
    proposed = git(project, "show", "retraining:reports/story.jsonl")
    assert "among the inputs distance" in proposed
    assert "Why: among the inputs distance" in github.body

    ran, asked = monitored("well")
    assert [words.split(" --")[0] for words in asked] == ["issue close 7"]
    assert "nothing calls for a new model" in ran.log

    github.brings("docker", "#!/bin/sh\n")  # on which nothing runs
    ran, _ = github.run(project, "monitor.yml")
    assert ran.conclusions == {"look": "failure"}
    assert "set JOURNAL_URL, or DOCKER_HOST" in ran.log

    (project / "journal").mkdir()
    shutil.copy(tmp_path / "well.db", project / "journal" / "journal.db")
    for page in sorted((project / "docs" / "roles").glob("*.md")):
        commands = page.read_text(encoding="utf-8").split("```")[1]
        run("sh", "-ec", commands, cwd=project)
